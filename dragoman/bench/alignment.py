"""Which words of a long text belong to which sentence of a reference, by the fewest word errors.

The texts that a server sends do not end where the reference's sentences end. Matusov et al., "Evaluating Machine
Translation Output with Automatic Sentence Segmentation", IWSLT 2005, cut the long text so that the sum of the edit
distances to the reference's sentences is least. Case does not count. Among equally good cuts a word goes to the earlier
sentence.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cut:
    """`bounds[i]` and `bounds[i + 1]` are where the words of sentence i begin and stop. `errors` are all edits."""

    bounds: list[int]
    errors: int


def cut(words: Sequence[str], sentences: Sequence[Sequence[str]]) -> Cut:
    """Cut `words` into as many pieces as there are sentences, some of which may be empty.

    Time is that of one pass over all pairs of words. Raises ValueError where there are words but no sentence.
    """
    if not sentences:
        if words:
            raise ValueError("there is no sentence to give the words to")
        return Cut([0], 0)
    numbers = _numbers([words, *sentences])
    heard, count = numbers[0], len(words)
    places = np.arange(count + 1)
    costs = np.where(places == 0, 0, 2 * (count + sum(map(len, sentences))) + 2)
    begins: list[Numbers] = []
    for sentence in numbers[1:]:
        row, begin = _chain(costs, places, np.full(count + 1, True))
        for word in sentence:
            dropped = row + 1
            matched = np.concatenate([dropped[:1] + 1, row[:-1] + (heard != word)])
            drops = dropped <= matched
            came_from = np.concatenate([begin[:1], begin[:-1]])
            row, begin = _chain(np.where(drops, dropped, matched), np.where(drops, begin, came_from), drops)
        costs = row
        begins.append(begin)
    bounds = [count]
    for begin in reversed(begins):
        bounds.append(int(begin[bounds[-1]]))
    return Cut(bounds[::-1], int(costs[-1]))


def _chain(costs: Numbers, begins: Numbers, first: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    """Let words be inserted behind each place, one error each, where that is better than what the place itself has.

    Where it is as good, the place keeps its own if `first` says so there.
    """
    places = np.arange(len(costs))
    level = costs - places
    best = np.minimum.accumulate(level)
    before = np.concatenate([[np.iinfo(np.int64).max], best[:-1]])
    own = np.where(first, level <= before, level < before)
    source = np.maximum.accumulate(np.where(own, places, 0))
    return best + places, begins[source]


def _numbers(texts: Sequence[Sequence[str]]) -> list[Numbers]:
    """Each word as a number, the same for words that differ in case only."""
    known: dict[str, int] = {}
    return [np.array([known.setdefault(word.lower(), len(known)) for word in text], np.int64) for text in texts]
