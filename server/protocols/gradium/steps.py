"""The clock of `speech/asr`: a step for each 80 ms of audio, and how likely it is that nobody goes on speaking.

Clients decide from the probability that a turn is over, and from nothing else. So it stays low while anything of what
was said is still owed, and steps wait where words are late: those that end `delay_s` or more before a step's end come
in front of it, and those of a segment before the silence behind it. For where a turn ends is seen in that silence only.
"""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

STEP_S = 0.08
HORIZONS_S = (0.5, 1.0, 2.0, 3.0)
SPEAKING = 0.1
"""The probability while somebody speaks, or is owed text: clients take under 0.4 for speech …"""
_FLOOR, _RISES_S = 0.4, (0.08, 0.1, 0.12, 0.14)
"""… and from 0.5, 0.8 or 0.9 on for silence. It rises from there, for each horizon so fast: all pass 0.9 within four
steps."""
_SETTLED = 1_000
_NEAR_S = 1e-6


@dataclass(frozen=True, slots=True)
class Step:
    """A step: its number from 0, the audio up to its end, and the probabilities for each of `HORIZONS_S`."""

    number: int
    total_s: float
    inactive: tuple[float, ...]


@dataclass(slots=True)
class _Segment:
    """Speech whose words, or whose translation, are not all out. `stop_s` is infinite while it goes on."""

    start_s: float
    stop_s: float = math.inf
    heard: bool = False
    owes: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Steps:
    """The steps of one request. `delay_s` None: a translation is awaited, which is late by nature, and steps of speech
    wait for nothing."""

    delay_s: float | None
    _come_s: float = 0.0
    _taken: int = 0
    _open: deque[_Segment] = field(default_factory=deque)
    _told_s: float = 0.0
    """Up to here all words are out."""
    _words_s: float = 0.0
    """Where the last word ended."""
    _calm: int = _SETTLED
    """Steps since the last one that was speech, or owed."""

    def come(self, at_s: float) -> None:
        """So much audio has come in."""
        self._come_s = at_s

    def started(self, at_s: float) -> None:
        """Somebody began to speak …"""
        self._open.append(_Segment(at_s))

    def stopped(self, at_s: float) -> None:
        """… and fell silent."""
        if (segment := next((one for one in self._open if one.stop_s == math.inf), None)) is not None:
            segment.stop_s = at_s

    def heard(self) -> None:
        """All words of the oldest segment are known."""
        if (segment := self._unheard) is not None:
            segment.heard = True
        self._forget()

    def said(self, stop_s: float) -> None:
        """Words up to here are out, and more may follow."""
        self._told_s = max(self._told_s, stop_s)
        self._words_s = max(self._words_s, stop_s)

    def owe(self, segment_id: int) -> None:
        """The translation of a segment will come …"""
        if (segment := self._unheard) is not None:
            segment.owes.add(segment_id)

    def settle(self, segment_id: int | None) -> None:
        """… and has come."""
        for segment in self._open:
            segment.owes.discard(-1 if segment_id is None else segment_id)
        self._forget()

    def end(self, at_s: float) -> None:
        """Nothing is owed any more."""
        self._come_s = at_s
        self._open.clear()

    def take(self) -> Iterator[Step]:
        """The steps that may be told now."""
        while (total_s := (self._taken + 1) * STEP_S) <= min(self._come_s, self._limit_s) + _NEAR_S:
            # Where audio comes faster than it is spoken, the next segment may have begun long before its time.
            owed = bool(self._open) and total_s > self._open[0].start_s
            speech = owed or total_s - STEP_S < self._words_s
            self._calm = 0 if speech else self._calm + 1
            yield Step(self._taken, round(total_s, 6), _inactive(self._calm))
            self._taken += 1

    @property
    def _unheard(self) -> _Segment | None:
        return next((segment for segment in self._open if not segment.heard), None)

    @property
    def _limit_s(self) -> float:
        """No step beyond this while something is owed."""
        if not self._open:
            return math.inf
        oldest = self._open[0]
        if self.delay_s is None:
            return oldest.stop_s
        return min(oldest.stop_s, max(self._told_s, oldest.start_s) + self.delay_s)

    def _forget(self) -> None:
        while self._open and self._open[0].heard and not self._open[0].owes:
            self._open.popleft()


def _inactive(calm: int) -> tuple[float, ...]:
    if not calm:
        return (SPEAKING,) * len(HORIZONS_S)
    return tuple(round(1 - (1 - _FLOOR) * math.exp(-calm * STEP_S / rise_s), 4) for rise_s in _RISES_S)
