"""Text in the scripts of India."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.server.protocols.sarvam.languages import CODES
from dragoman.server.protocols.sarvam.nativise import SCRIPT_OF, native_digits, nativise
from dragoman.server.protocols.sarvam.romanise import romanise


@pytest.mark.parametrize(
    ("latin", "language", "native"),
    [
        ("mera naam hai", "hi", "मेरा नाम है"),
        ("Namaste, dilli!", "hi", "नमस्ते, दिल्ली!"),
        ("khushi pyaar shukriya", "hi", "खुशी प्यार शुक्रिया"),
        ("chhota bachcha", "hi", "छोता बच्चा"),
        ("zindagi café", "hi", "ज़िन्दगी कफ़े"),
        ("mera naam", "gu", "મેરા નામ"),
        ("mera naam", "pa", "ਮੇਰਾ ਨਾਮ"),
        ("naam", "bn", "নাম"),
        ("naam", "or", "ନାମ୍"),
        ("naam", "ta", "நாம்"),
        ("namaste zakir", "te", "నమస్తే జకిర్"),
        ("namaste", "kn", "ನಮಸ್ತೇ"),
        ("namaste", "ml", "നമസ്തേ"),
    ],
)
def test_latin_letters(latin: str, language: str, native: str) -> None:
    assert nativise(latin, language) == native


@pytest.mark.parametrize(
    ("text", "language", "native"),
    [
        ("नमस्ते", "ta", "நமஸ்தே"),
        ("நாம்", "hi", "नाम्"),
        ("ਸਤ", "hi", "सत"),
        ("मेरा फ़ोन", "te", "మేరా ఫోన"),
        ("मेरा फ़ोन", "pa", "ਮੇਰਾ ਫ਼ੋਨ"),
        ("मेरा नाम 42", "hi", "मेरा नाम 42"),
    ],
)
def test_other_scripts(text: str, language: str, native: str) -> None:
    assert nativise(text, language) == native


def test_digits() -> None:
    assert native_digits("42 and 9", "hi") == "४२ and ९"
    assert native_digits("42", "ta") == "௪௨"
    assert native_digits("42", "ur") == "۴۲"
    assert native_digits("42", "en") == "42"


def test_there_and_back() -> None:
    for language in ("hi", "gu", "pa", "te", "kn"):
        assert romanise(nativise("mera nam dilli", language), language) == "mera nam dilli"


@pytest.mark.parametrize("language", sorted(SCRIPT_OF))
def test_every_script_has_letters_and_digits(language: str) -> None:
    assert language in CODES.values()
    word = nativise("kamala", language)
    assert not any("LATIN" in unicodedata.name(letter) for letter in word)
    assert native_digits("1", language) != "1"


@given(st.text(max_size=40) | st.text("aeiouchsxkgzfqnm' é", max_size=30), st.sampled_from(sorted(SCRIPT_OF)))
def test_any_text_goes_through(text: str, language: str) -> None:
    assert not any(letter.isascii() and letter.isalpha() for letter in nativise(text, language))
