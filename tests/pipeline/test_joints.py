import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.pipeline.joints import within_sentence, without_full_stop


@pytest.mark.parametrize(
    ("text", "source", "language", "wanted"),
    [
        ("Tan lejos como hoy", "so far like today", "es", "tan lejos como hoy"),
        ("¿Por qué no?", "why not?", "es", "¿por qué no?"),
        ("Lord Byron lo dijo", "Lord Byron said so", "es", "Lord Byron lo dijo"),
        ("NATO kam", "nato came", "fr", "NATO kam"),
        ("I know", "yo lo sé", "en", "I know"),
        ("I'm here", "estoy aquí", "en", "I'm here"),
        ("Monday morning", "lunes por la mañana", "en", "Monday morning"),
        ("French, you say?", "¿francés, dices?", "en", "French, you say?"),
        ("It rains", "llueve", "en", "it rains"),
        ("Häuser sind teuer", "houses are dear", "de", "Häuser sind teuer"),
        ("25 años", "25 years", "es", "25 años"),
        ("", "and", "es", ""),
        ("…", "and", "es", "…"),
        ("Y", "", "es", "Y"),
    ],
)
def test_a_translation_inside_a_sentence(text: str, source: str, language: str, wanted: str) -> None:
    assert within_sentence(text, source, language) == wanted


@given(st.text(), st.text(), st.sampled_from(["es", "en", "de", "tr"]))
def test_nothing_but_one_letter_changes(text: str, source: str, language: str) -> None:
    found = within_sentence(text, source, language)
    assert found.casefold() == text.casefold() or found.lower() == text.lower()


@pytest.mark.parametrize(
    ("text", "source", "wanted"),
    [
        ("Fuimos al mar.", "we went to the sea", "Fuimos al mar"),
        ("Fuimos al mar.", "we went to the sea.", "Fuimos al mar."),
        ("¿Por qué?", "why", "¿Por qué?"),
        ("Y así...", "and so", "Y así..."),
        ("en EE.UU.", "in the U.S", "en EE.UU."),
        ("我们去了海边。", "we went to the sea", "我们去了海边"),
        ("mar.", "sea", "mar"),
        (".", "sea", "."),
        ("", "sea", ""),
    ],
)
def test_a_full_stop_that_the_translator_added(text: str, source: str, wanted: str) -> None:
    assert without_full_stop(text, source) == wanted
