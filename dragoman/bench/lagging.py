"""StreamLAAL: how far a text lags behind a speaker who does not stop.

LAAL (Papi et al., "Over-Generation Cannot Be Rewarded: Length-Adaptive Average Lagging for Simultaneous Speech
Translation", 2022) is for one sentence of length X in seconds, of which the word i of the translation, counted from 0,
is there at d_i after the sentence began: the mean over i of d_i - i X / max(words, words of the reference), up to and
with the first word that is there after the sentence ended. StreamLAAL (Papi et al., "StreamAtt", ACL 2024) cuts the
whole text at the sentences of a reference first (`alignment.py`), and is the mean over those that got any words.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import fmean

from dragoman.bench.alignment import cut
from dragoman.bench.units import units


@dataclass(frozen=True, slots=True)
class Segment:
    """A sentence of the source: when it was said, in seconds of the talk, and what it should become.

    Not `counts`: it is only there to take the words that belong to it.
    """

    start_s: float
    stop_s: float
    text: str
    counts: bool = True

    def moved(self, by_s: float) -> "Segment":
        """The same in a longer talk that begins `by_s` earlier."""
        return replace(self, start_s=self.start_s + by_s, stop_s=self.stop_s + by_s)


@dataclass(frozen=True, slots=True)
class Delayed:
    """A word or character of the translation. `at_s` is when it was there, `covered_s` the end of the source that it
    translates, both in seconds of the talk."""

    text: str
    at_s: float
    covered_s: float


@dataclass(frozen=True, slots=True)
class Lagging:
    """StreamLAAL in seconds. `aware` counts when the words were there; `unaware` counts the source that they translate
    alone, as if nothing took any time. `start_offset_s` is the mean time from the beginning of a sentence to its first
    word. `empty` sentences got no words and are left out.
    """

    aware_s: float
    unaware_s: float
    start_offset_s: float
    sentences: int
    empty: int


def laal(delays_s: Sequence[float], length_s: float, reference_units: int) -> float:
    """LAAL of one sentence that is `length_s` long; delays are from its beginning and ascend."""
    if delays_s[0] > length_s:
        return delays_s[0]
    ideal_s = length_s / max(len(delays_s), reference_units)
    last = next((at for at, delay_s in enumerate(delays_s) if delay_s >= length_s), len(delays_s) - 1)
    return fmean(delay_s - at * ideal_s for at, delay_s in enumerate(delays_s[: last + 1]))


def stream_laal(said: Sequence[Delayed], segments: Sequence[Segment], unit: str) -> Lagging | None:
    """StreamLAAL over a talk; None where no sentence got any words."""
    counted = [
        (piece, one) for piece, one in zip(by_segment(said, segments, unit), segments, strict=True) if one.counts
    ]
    found = [
        (
            laal([word.at_s - segment.start_s for word in piece], segment.stop_s - segment.start_s, wanted),
            laal([word.covered_s - segment.start_s for word in piece], segment.stop_s - segment.start_s, wanted),
            piece[0].at_s - segment.start_s,
        )
        for piece, segment in counted
        if piece and (wanted := len(units(segment.text, unit)))
    ]
    if not found:
        return None
    aware, unaware, offsets = zip(*found, strict=True)
    return Lagging(fmean(aware), fmean(unaware), fmean(offsets), len(found), len(counted) - len(found))


def by_segment(said: Sequence[Delayed], segments: Sequence[Segment], unit: str) -> list[Sequence[Delayed]]:
    """The words that belong to each segment."""
    if not segments:
        return []
    bounds = cut([one.text for one in said], [units(segment.text, unit) for segment in segments]).bounds
    return [said[begin:end] for begin, end in pairwise(bounds)]
