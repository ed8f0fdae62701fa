"""Which script and language a text is in."""

import pytest

from dragoman.models.text.identify import LANGUAGES, SCRIPTS, Identified, identify


@pytest.mark.parametrize(
    ("text", "language", "script"),
    [
        ("How are you today?", "en", "Latn"),
        ("OK", "en", "Latn"),
        ("आप कैसे हैं?", "hi", "Deva"),
        ("मैं कल दिल्ली जाऊंगा।", "hi", "Deva"),
        ("नमस्ते", "hi", "Deva"),
        ("तुम्ही कसे आहात?", "mr", "Deva"),
        ("मला पुण्याला जायचे आहे.", "mr", "Deva"),
        ("আপনি কেমন আছেন?", "bn", "Beng"),
        ("ਤੁਸੀਂ ਕਿਵੇਂ ਹੋ?", "pa", "Guru"),
        ("તમે કેમ છો?", "gu", "Gujr"),
        ("ଆପଣ କେମିତି ଅଛନ୍ତି?", "or", "Orya"),
        ("நீங்கள் எப்படி இருக்கிறீர்கள்?", "ta", "Taml"),
        ("మీరు ఎలా ఉన్నారు?", "te", "Telu"),
        ("ನೀವು ಹೇಗಿದ್ದೀರಿ?", "kn", "Knda"),
        ("സുഖമാണോ?", "ml", "Mlym"),
        ("मेरा phone number 42 है।", "hi", "Deva"),
        ("42, 43", None, None),
        ("", None, None),
        ("你好", None, None),
        ("Wie geht es dir heute?", None, "Latn"),
        ("bonjour tout le monde", None, "Latn"),
    ],
)
def test_texts(text: str, language: str | None, script: str | None) -> None:
    assert identify(text) == Identified(language, script)


def test_the_letters_of_a_language_are_its_own() -> None:
    assert set(SCRIPTS) == set(LANGUAGES)
