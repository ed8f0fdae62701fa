"""Texts in pieces, and numbers too long for one."""

import pytest

from dragoman.models.text.parts import digit_by_digit, parted


@pytest.mark.parametrize("text", ["a" * 1000, "word " * 300, "some words, " * 120, "x", "", "a," * 600, " " * 900])
def test_pieces_are_short_and_nothing_is_lost(text: str) -> None:
    pieces = list(parted(text, 400))
    assert max(map(len, pieces)) <= 400
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_pieces_end_at_marks_where_they_can() -> None:
    pieces = list(parted("some words, " * 120, 400))
    assert all(piece.endswith(",") for piece in pieces)
    assert len(pieces) < 5


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a 4111111111111111 b", "a 4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 b"),
        ("123.456.789.012.345.678", "1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8"),
        ("123,456,789,012,345", "123,456,789,012,345"),
        ("1, 2, 3 and 1999.", "1, 2, 3 and 1999."),
    ],
)
def test_long_numbers_digit_by_digit(text: str, read: str) -> None:
    assert digit_by_digit(text) == read
