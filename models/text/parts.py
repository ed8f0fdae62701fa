"""Texts in pieces that a voice can take at once, and numbers that are too long to be read as one."""

import re
from collections.abc import Iterator

LONGEST_NUMBER = 15
"""Digits that are read as one number at most: past billions it tells nobody anything, and some voices break on it."""

_LONG_NUMBER = re.compile(rf"(?:[0-9][.,]?){{{LONGEST_NUMBER},}}[0-9]")


def parted(text: str, longest: int) -> Iterator[str]:
    """Pieces of `longest` characters at most: parted behind marks, else at blanks, else anywhere."""
    start = 0
    while len(text) - start > longest:
        window = text[start : start + longest]
        marked = max(window.rfind(f"{mark} ") for mark in ",;:—") + 1
        stop = marked if marked > longest // 2 else window.rfind(" ")
        stop = start + (stop if stop > 0 else longest)
        yield text[start:stop].strip()
        start = stop
    yield text[start:].strip()


def digit_by_digit(text: str) -> str:
    """`text` with the digits of numbers longer than LONGEST_NUMBER apart."""
    return _LONG_NUMBER.sub(lambda number: " ".join(re.sub("[.,]", "", number[0])), text)
