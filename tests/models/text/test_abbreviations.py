"""Abbreviations in full, where they end no sentence."""

import pytest

from dragoman.models.text.abbreviations import abbreviations_written_out


@pytest.mark.parametrize(
    ("language", "text", "full"),
    [
        ("en", "The Dept. of Energy on Fifth Ave. is approx. five miles away.",
         "The Department of Energy on Fifth Avenue is approximately five miles away."),
        ("en", "See ch. 4, pp. 5 and 6, vol. 2.", "See chapter 4, pages 5 and 6, volume 2."),
        ("en", "We met on Sat. and on Sun., Prof. Brown and Gen. Lee.",
         "We met on Saturday and on Sunday, Professor Brown and General Lee."),
        ("en", "Martin King Jr. spoke", "Martin King Junior spoke"),
        ("es", "Como Ud. quiera, en la Avda. Mayor, aprox. cinco.",
         "Como Usted quiera, en la Avenida Mayor, aproximadamente cinco."),
        ("es", "Según el art. 5 y la pág. 3 en EE. UU. desde ayer",
         "Según el artículo 5 y la página 3 en Estados Unidos desde ayer"),
        ("fr", "Selon l'art. 5, vol. 2, à env. cinq mètres", "Selon l'article 5, volume 2, à environ cinq mètres"),
    ],
)  # fmt: skip
def test_what_is_written_out(language: str, text: str, full: str) -> None:
    assert abbreviations_written_out(text, language) == full


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "He sat. Then he left."),
        ("en", "We left on Sun. It was late."),
        ("en", "He works for Acme Corp."),
        ("en", "At 5 p.m. in the U.S. with Mr. Smith, e.g. No. 5."),
        ("en", "the par. of the sec."),
        ("pt", "o art. 5"),
        ("de", "der Abs. 5"),
        ("en", "p. x"),
    ],
)
def test_what_stays(language: str, text: str) -> None:
    assert abbreviations_written_out(text, language) == text
