"""The clocks of a session: its input's, with when each second of it arrived, and that of the time in which it works."""

import asyncio
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Protocol

STEP_S = 0.02
"""How finely arrivals are remembered: who sends sample by sample shall not fill the memory with them."""


class WorkClock(Protocol):
    """The time that work takes. No result depends on it: only how often one asks for results that may be missing."""

    def now(self) -> float:
        """Seconds since some moment."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return when so much time has passed."""
        ...


class RealTime:
    """The clock on the wall, which is a session's unless it is given another."""

    def now(self) -> float:
        return monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class InputClock:
    """Counts seconds of decoded audio and remembers, for metrics only, when they came in."""

    def __init__(self, now: Callable[[], float] = monotonic, keep_s: float = 120.0) -> None:
        self.received_s = 0.0
        self._now = now
        self._keep_s = keep_s
        self._positions: deque[float] = deque()
        self._times: deque[float] = deque()

    def advance(self, seconds: float) -> None:
        """Note that `seconds` more of audio have just arrived."""
        self.received_s += seconds
        if len(self._positions) > 1 and self._positions[-1] - self._positions[-2] < STEP_S:
            self._positions[-1], self._times[-1] = self.received_s, self._now()
        else:
            self._positions.append(self.received_s)
            self._times.append(self._now())
        while self._positions[0] < self.received_s - self._keep_s:
            self._positions.popleft()
            self._times.popleft()

    def delay_since(self, position_s: float) -> float | None:
        """Wall-clock seconds since the audio at `position_s` arrived; None if that is not known (any more)."""
        index = bisect_left(self._positions, position_s - 1e-6)
        if index >= len(self._positions) or (index == 0 and position_s < self._positions[0] - 1.0):
            return None
        return self._now() - self._times[index]
