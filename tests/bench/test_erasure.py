"""What was shown and taken back."""

import pytest

from dragoman.bench.erasure import normalised_erasure


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        ([], 0.0),
        (["a", "a b", "a b c"], 0.0),
        (["a", "b", "b c"], 0.5),
        (["a b c", "a x c", "a x c"], 2 / 3),
        (["a b c", "a"], 2.0),
        (["a", "", "a b"], 0.5),
        (["", ""], 0.0),
    ],
)
def test_erased_words_for_each_final_word(shown: list[str], wanted: float) -> None:
    assert normalised_erasure([text.split() for text in shown]) == pytest.approx(wanted)


def test_nothing_left_to_compare_with() -> None:
    with pytest.raises(ValueError, match="no text is left"):
        normalised_erasure([["a"], []])
