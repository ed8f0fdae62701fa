"""The audio of a segment that is still open, and where it may be cut."""

import numpy as np

from dragoman.models.base import SAMPLE_RATE_HZ, Samples

_HOP = SAMPLE_RATE_HZ // 100
"""Loudness is looked at every 10 ms …"""
_WINDOW = 12
"""… over 120 ms: longer than the closure of a stop consonant, shorter than a breath."""


class OpenSegment:
    """Speech that was heard and not yet committed; grows at its end, is cut from its start.

    `start_s` is the place of its first sample on the input clock.
    """

    def __init__(self, start_s: float) -> None:
        self.start_s = start_s
        self.draft: tuple[int, ...] = ()
        """The tokens of the newest hypothesis of it, as long as its beginning is the same."""
        self._chunks: list[Samples] = []
        self._length = 0

    @property
    def duration_s(self) -> float:
        return self._length / SAMPLE_RATE_HZ

    @property
    def stop_s(self) -> float:
        """Place of its end on the input clock."""
        return self.start_s + self.duration_s

    @property
    def samples(self) -> Samples:
        """All of it, shape (n,), 16 kHz mono."""
        if len(self._chunks) != 1:
            self._chunks = [np.concatenate(self._chunks) if self._chunks else np.zeros(0, np.float32)]
        return self._chunks[0]

    def append(self, samples: Samples) -> None:
        self._chunks.append(samples)
        self._length += len(samples)

    def cut(self, at_s: float) -> Samples:
        """Take away and return what lies before `at_s` (seconds from the segment's start)."""
        samples = self.samples
        index = min(max(0, round(at_s * SAMPLE_RATE_HZ)), len(samples))
        self._chunks, self.draft = [samples[index:]], ()
        self._length = len(samples) - index
        self.start_s += index / SAMPLE_RATE_HZ
        return samples[:index]

    def quietest(self, from_s: float, to_s: float) -> float:
        """The quietest point between two places (seconds from the segment's start), in the same measure."""
        first = max(0, int(from_s * SAMPLE_RATE_HZ))
        piece = self.samples[first : max(first, int(to_s * SAMPLE_RATE_HZ))]
        hops = len(piece) // _HOP
        if hops <= _WINDOW:
            return (from_s + to_s) / 2
        energy = np.square(piece[: hops * _HOP]).reshape(hops, _HOP).mean(axis=1)
        smooth = np.convolve(energy, np.ones(_WINDOW), mode="valid")
        middle = int(np.argmin(smooth)) + _WINDOW / 2
        return (first + middle * _HOP) / SAMPLE_RATE_HZ
