"""chrF, BLEU and word errors."""

import pytest

from dragoman.bench.quality import quality, word_errors
from dragoman.bench.units import CHARACTER, WORD, joined, plain, unit_of, units


def test_the_same_text_is_perfect() -> None:
    same = quality([("El gato come pescado hoy.", "El gato come pescado hoy.")] * 2, WORD)
    assert same is not None
    assert (same.chrf, round(same.bleu, 6)) == (100.0, 100.0)


def test_another_text_is_not() -> None:
    found = quality([("El perro come carne hoy.", "El gato come pescado hoy."), ("", "Nada.")], WORD)
    assert found is not None
    assert 10 < found.chrf < 70
    assert found.bleu < found.chrf
    assert quality([], WORD) is None


def test_characters_are_compared_where_there_are_no_blanks() -> None:
    found = quality([("今天天气很好", "今天天气不好")], CHARACTER)
    assert found is not None
    assert found.bleu > 20


@pytest.mark.parametrize(
    ("said", "wanted", "errors"),
    [
        ("And so, my fellow Americans", "and so my fellow americans", (0, 5)),
        ("don’t go", "don't go", (0, 2)),
        ("a b d", "a b c d", (1, 4)),
        ("a x b c", "a b c", (1, 3)),
        ("", "a b", (2, 2)),
    ],
)
def test_word_errors(said: str, wanted: str, errors: tuple[int, int]) -> None:
    assert word_errors(said, wanted, WORD) == errors


def test_units_of_languages() -> None:
    assert (unit_of("es"), unit_of("ja")) == (WORD, CHARACTER)
    assert units(" a  b c", WORD) == ["a", "b", "c"]
    assert units("你 好", CHARACTER) == ["你", "好"]
    assert joined(["a", "b"], WORD) == "a b"
    assert joined(["你", "好"], CHARACTER) == "你好"
    assert plain("¿Qué? ¡No-no!") == ["qué", "no", "no"]
