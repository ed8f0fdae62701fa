"""Cutting a text at the sentences of a reference."""

from itertools import combinations_with_replacement, pairwise

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.bench.alignment import cut

LETTERS = st.lists(st.sampled_from("abcd"), max_size=6)
WORDS = st.lists(st.sampled_from("abcd"), min_size=1, max_size=8)


def pieces(words: str, *sentences: str) -> list[str]:
    bounds = cut(words.split(), [sentence.split() for sentence in sentences]).bounds
    return [" ".join(words.split()[begin:end]) for begin, end in pairwise(bounds)]


@pytest.mark.parametrize(
    ("words", "sentences", "wanted"),
    [
        ("a b c d e f", ("a b c", "d e f"), ["a b c", "d e f"]),
        ("a b x y e f", ("a b c", "d e f"), ["a b x", "y e f"]),
        ("A b C D e f", ("a b c", "d e f"), ["A b C", "D e f"]),
        ("a b c g h i", ("a b c", "d e f", "g h i"), ["a b c", "", "g h i"]),
        ("d e f", ("a b c", "d e f"), ["", "d e f"]),
        ("a b c", ("a b c", "d e f"), ["a b c", ""]),
        ("", ("a", "b"), ["", ""]),
        ("a b", ("a", "", "b"), ["a", "", "b"]),
    ],
)
def test_words_go_to_the_sentence_that_they_resemble(words: str, sentences: tuple[str, ...], wanted: list[str]) -> None:
    assert pieces(words, *sentences) == wanted


def test_what_fits_nowhere_goes_to_the_earlier_sentence() -> None:
    assert pieces("a b c x d e f", "a b c", "d e f") == ["a b c x", "d e f"]


def test_words_need_a_sentence() -> None:
    assert cut([], []).bounds == [0]
    with pytest.raises(ValueError, match="no sentence"):
        cut(["a"], [])


@given(WORDS, WORDS)
def test_errors_are_the_edit_distance(words: list[str], sentence: list[str]) -> None:
    counted = jiwer.process_words(" ".join(sentence), " ".join(words))
    assert cut(words, [sentence]).errors == counted.substitutions + counted.deletions + counted.insertions


@given(LETTERS, st.lists(LETTERS, min_size=1, max_size=3))
def test_no_other_cut_has_fewer_errors(words: list[str], sentences: list[list[str]]) -> None:
    found = cut(words, sentences)
    assert [found.bounds[0], found.bounds[-1]] == [0, len(words)]
    assert found.bounds == sorted(found.bounds)

    def errors(bounds: tuple[int, ...]) -> int:
        spans = pairwise((0, *bounds, len(words)))
        return sum(cut(words[a:b], [one]).errors for (a, b), one in zip(spans, sentences, strict=True))

    possible = combinations_with_replacement(range(len(words) + 1), len(sentences) - 1)
    assert found.errors == errors(tuple(found.bounds[1:-1])) == min(map(errors, possible))
