"""What engines leave in their translations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models.text.tidy import tidy


@pytest.mark.parametrize(
    ("language", "text", "left"),
    [
        ("es", "Es un anuncio .", "Es un anuncio."),
        ("en", "It reads , and writes .", "It reads, and writes."),
        ("es", 'Dijo "hola ."', 'Dijo "hola."'),
        ("es", "¿Qué es esto ? ¡Hola !", "¿Qué es esto? ¡Hola!"),
        ("en", "a : b ; c", "a: b; c"),
        ("fr", "Ça va ? Oui .", "Ça va ? Oui."),
        ("pt", "um banco# de dados", "um banco de dados"),
        ("es", "el *foo @bar ~la", "el foo bar la"),
        ("es", "hola <unk> qué \u2047 tal", "hola qué tal"),
        ("es", "\u2581hola\u2581qué", "hola qué"),
        ("es", "el/la profesor/a", "el profesor"),
        ("en", "I can't/cannot go", "I can't go"),
        ("de", "der/die Lehrer/in", "der Lehrer"),
        ("en", "he/she left", "he left"),
    ],
)
def test_what_nobody_wrote_goes(language: str, text: str, left: str) -> None:
    assert tidy("the source", text, language) == left


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("use C# and F# now", "usa C# y F# ahora"),
        ("*x* #1 @bob ~5", "*x* #1 @bob ~5"),
        ("and/or", "el/la"),
        ("120 kilometres an hour", "120 km/h"),
        ("TCP IP and one or both", "TCP/IP y/o"),
        ("a <unk> b \u2047", "un <unk> b \u2047"),
        ("dot net costs .5", "El .NET cuesta .5 :) y ..."),
        ("1/2", "1/2"),
    ],
)
def test_what_the_source_has_or_means_stays(source: str, text: str) -> None:
    assert tidy(source, text, "es") == text


@given(st.text(st.sampled_from("aé .,?!#*@~/\u2581\u2047<unk>\n") | st.characters(), max_size=60))
def test_again_changes_nothing(text: str) -> None:
    once = tidy("source", text, "es")
    assert tidy("source", once, "es") == once
