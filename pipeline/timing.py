"""Words and their times: estimated ones, for recognisers that give none, and how words make text."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import repeat

from dragoman.models.base import Word

UNSPACED = frozenset({"zh", "yue", "ja", "th", "lo", "my", "km"})
"""Languages that are written without blanks between words."""

_BLANKS = re.compile(r"[^\S\u00a0\u2007\u2009\u202f]+")


def split_words(text: str) -> list[str]:
    """The words of `text`. Blanks at which no line breaks, as inside of a number or before its unit, part none."""
    return [word for word in _BLANKS.split(text) if word.strip()]


def join_words(words: Sequence[Word], language: str) -> str:
    """The text that the words make."""
    return ("" if language in UNSPACED else " ").join(word.text.strip() for word in words)


def count_words(text: str, language: str) -> int:
    """How many words `text` has; in a language without blanks each character is one."""
    return len("".join(text.split())) if language in UNSPACED else len(split_words(text))


def estimate_words(
    text: str, start_s: float, stop_s: float, language: str = "", confidences: Sequence[float] = ()
) -> tuple[Word, ...]:
    """Spread the words of `text` over a span in proportion to their letters (a blank counts as one letter).

    In a language without blanks each character is a word. `confidences` are those of the words, or none at all.
    """
    tokens = list("".join(text.split())) if language in UNSPACED else split_words(text)
    total = sum(len(token) + 1 for token in tokens)
    words, position = [], 0
    for token, confidence in zip(tokens, confidences or repeat(None), strict=False):
        begin = start_s + (stop_s - start_s) * position / total
        position += len(token) + 1
        words.append(Word(token, begin, start_s + (stop_s - start_s) * position / total, confidence))
    return tuple(words)


def shift_words(words: tuple[Word, ...], by_s: float) -> tuple[Word, ...]:
    """The same words, moved on the clock."""
    return tuple(Word(word.text, word.start_s + by_s, word.stop_s + by_s, word.confidence) for word in words)


def begin_at(words: tuple[Word, ...], start_s: float) -> tuple[Word, ...]:
    """The words, where the first one reaches over `start_s` without what lies before that."""
    if not words or not words[0].start_s < start_s < words[0].stop_s:
        return words
    return (replace(words[0], start_s=start_s), *words[1:])


def spans(sentences: list[str], words: tuple[Word, ...], start_s: float, stop_s: float) -> list[tuple[float, float]]:
    """Start and stop of each sentence on the clock of `words`, by counting blank-separated tokens.

    Where the words do not match the sentences (languages written without blanks), the span is shared out by length.
    """
    counts = [len(split_words(sentence)) for sentence in sentences]
    if sum(counts) != len(words):
        words = estimate_words(" ".join(sentences), start_s, stop_s)
    found, first = [], 0
    for count in counts:
        found.append((words[first].start_s, words[first + count - 1].stop_s))
        first += count
    return found
