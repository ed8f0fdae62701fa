"""What a voice is given."""

import pytest
from piper.phonemize_espeak import EspeakPhonemizer

from dragoman.models.text.spoken import spoken


@pytest.mark.parametrize(
    ("language", "text", "given"),
    [
        ("fr", "35\u202f400 et 1\u202f250\u202f000,50\u00a0€", "35400 et 1250000,50\u00a0€"),
        ("ru", "35\u00a0400", "35400"),
        ("en", "It costs $5.99.", "It costs 5.99 $."),
        ("en", "$1.5 million or $3.5bn", "1.5 million $ or 3.5bn $"),
        ("pt", "R$\u00a01,5 milhões", "1,5 milhões de R$"),
        ("en", "$5–10, $5-$10", "$5–10, $5-10 $"),
        ("en", "5 $, 5%", "5 $, 5%"),
        ("es", "cafe\u0301 𝟙", "café 1"),
        ("es", "", ""),
    ],
)
def test_numbers_and_signs(language: str, text: str, given: str) -> None:
    assert spoken(text, language) == given


@pytest.mark.parametrize(
    ("language", "text", "plain"),
    [
        ("en", "35,400", "35400"),
        ("es", "35.400", "35400"),
        ("pt-br", "35.400", "35400"),
        ("de", "35.400", "35400"),
        ("fr", "35\u202f400", "35400"),
        ("ru", "35\u202f400", "35400"),
        ("fr", "1\u202f250\u202f000", "1250000"),
    ],
)
def test_the_phonemizer_reads_thousands_right(language: str, text: str, plain: str) -> None:
    def phonemes(said: str) -> str:
        found = EspeakPhonemizer().phonemize(language, spoken(said, language))
        return "".join(letter for sentence in found for letter in sentence if letter.isalpha())

    assert phonemes(text) == phonemes(plain)


@pytest.mark.parametrize(
    ("language", "text", "sound"),
    [
        ("es", "3,5", "koma"),
        ("fr", "3,5", "viʁɡyl"),
        ("de", "3,5", "kɔmɑː"),
        ("pt-br", "3,5", "vˈiɾɡulɐ"),
        ("en", "3.5", "pɔɪnt"),
    ],
)
def test_and_decimals(language: str, text: str, sound: str) -> None:
    found = EspeakPhonemizer().phonemize(language, spoken(text, language))
    assert sound in "".join(letter for sentence in found for letter in sentence)
