"""Audio whose words can be read out of its samples, and a fake recogniser that reads them.

Each word takes 0.4 s: 0.3 s at a level of its own and 0.1 s that is much quieter. The level is that of a tone of 8 kHz,
which every sample shows. A word of which less than half was heard is not read, and one that breaks off is read wrongly,
as real recognisers do.
"""

import itertools
from collections.abc import Callable

import numpy as np

from dragoman.models.base import SAMPLE_RATE_HZ, Hypothesis, RecognitionRequest, Samples, Word

WORD_S = 0.4
_LOUD = round(0.3 * SAMPLE_RATE_HZ)
_QUIET = round(0.1 * SAMPLE_RATE_HZ)
_STEP = 0.008
_FLOOR = 0.012


def spoken(count: int, first: int = 0) -> Samples:
    """`count` words, from number `first` on; numbers up to 120."""
    pieces = []
    for number in range(first, first + count):
        pieces += [np.full(_LOUD, _FLOOR + _STEP * (number + 1), np.float32), np.full(_QUIET, _FLOOR, np.float32)]
    levels = np.concatenate(pieces)
    levels[1::2] *= -1
    return levels


def text(count: int, first: int = 0, sentence: int = 8) -> list[str]:
    """The words; every one whose number ends a sentence has a full stop."""
    return [
        f"w{number}." if number % sentence == sentence - 1 else f"w{number}" for number in range(first, first + count)
    ]


def read(samples: Samples, sentence: int = 8, *, times: bool = False) -> Hypothesis:
    """What is said in the samples; a full stop also behind the last word, as recognisers do."""
    levels = np.abs(samples)
    numbers = np.where(levels > _FLOOR + _STEP / 2, np.rint((levels - _FLOOR) / _STEP) - 1, -1).astype(int)
    edges = np.flatnonzero(np.diff(numbers, prepend=-2, append=-2))
    words = []
    for start, stop in itertools.pairwise(edges):
        number, length = int(numbers[start]), stop - start
        if number >= 0 and length >= _LOUD // 2:
            broken = stop == len(numbers) and length < _LOUD - 800
            (name,) = text(1, number, sentence)
            words.append(Word(f"x{number}" if broken else name, start / SAMPLE_RATE_HZ, stop / SAMPLE_RATE_HZ))
    said = " ".join(word.text for word in words)
    if said and not said.endswith("."):
        said += "."
        words[-1] = Word(said.split()[-1], words[-1].start_s, words[-1].stop_s)
    return Hypothesis(said, "en", tuple(words) if times else ())


def reader(*, times: bool, sentence: int = 8, slip: int = 0) -> "ReadingRecognizer":
    """A recogniser for `fake_engines`-like sets; `slip` misreads every so many calls' first word."""
    return ReadingRecognizer(times=times, sentence=sentence, slip=slip)


class ReadingRecognizer:
    """Reads the words; keeps the length of each request, in seconds."""

    def __init__(self, *, times: bool, sentence: int, slip: int) -> None:
        self.lengths_s: list[float] = []
        self._times, self._sentence, self._slip = times, sentence, slip

    def __call__(self, request: RecognitionRequest) -> Hypothesis:
        self.lengths_s.append(len(request.samples) / SAMPLE_RATE_HZ)
        hypothesis = read(request.samples, self._sentence, times=self._times)
        if self._slip and len(self.lengths_s) % self._slip == 0 and hypothesis.text:
            return Hypothesis(f"oops {hypothesis.text.partition(' ')[2]}".strip(), "en")
        return hypothesis


def continuing(reading: Callable[[RecognitionRequest], Hypothesis]) -> Callable[[RecognitionRequest], Hypothesis]:
    """A recogniser that takes its context for done, as Whisper does: where the last word of it is to be heard in the
    samples, it goes on behind that word."""

    def hear(request: RecognitionRequest) -> Hypothesis:
        hypothesis, said = reading(request), request.context.split()
        names = [word.strip("x.") for word in hypothesis.text.split()]
        if not said or said[-1].strip("x.") not in names:
            return hypothesis
        behind = names.index(said[-1].strip("x.")) + 1
        left = " ".join(hypothesis.text.split()[behind:])
        return Hypothesis(left, hypothesis.language, hypothesis.words[behind:])

    return hear
