"""What one session says: recordings in an order, with pauses between them as long as a speaker makes them."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dragoman.bench.recordings import Recording
from dragoman.bench.talk import RATE_HZ, Talk

PAUSES_S = (0.6, 1.4)
"""Between two recordings, at random; the recordings have some silence of their own at both ends."""
SEED = 20


@dataclass(frozen=True, slots=True)
class Programme:
    """A talk and the recordings that it is made of: `places` has the number of each and where in the talk it begins."""

    talk: Talk
    places: Sequence[tuple[int, float]]


def programme(recordings: Sequence[Recording], *, first: int = 0, minutes: float = 0.0, seed: int = SEED) -> Programme:
    """All recordings, from the one with the number `first` on and round again, with a pause behind each.

    They are repeated whole until the talk has `minutes`. The same seed gives the same pauses.
    """
    generator = random.Random(seed)  # noqa: S311
    places: list[tuple[int, float]] = []
    pieces = []
    length = 0
    for number in _order(len(recordings), first):
        if len(places) >= len(recordings) and length >= minutes * 60 * RATE_HZ:
            break
        pause = np.zeros(round(generator.uniform(*PAUSES_S) * RATE_HZ), np.int16)
        places.append((number, length / RATE_HZ))
        pieces += [recordings[number].talk.samples, pause]
        length += len(pieces[-2]) + len(pause)
    name = " + ".join(recordings[number].talk.name for number, _ in places[: len(recordings)])
    repeated = len(places) / len(recordings)
    return Programme(Talk(name if repeated == 1 else f"{name}, {repeated:.1f} times", np.concatenate(pieces)), places)


def _order(count: int, first: int) -> Iterator[int]:
    number = first % count
    while True:
        yield number
        number = (number + 1) % count
