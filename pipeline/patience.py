"""How long somebody waits for what comes next, at the cost of one timer for a whole conversation."""

import asyncio
from collections.abc import Callable


class Patience:
    """Calls `lost(limit_s)` once a wait has lasted for its limit, and again each time that it has lasted as long anew.

    What comes moves no timer: the one that is set looks, when it goes off, whether the deadline is still the same.
    """

    def __init__(self, lost: Callable[[float], None], loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._lost = lost
        self._loop = loop or asyncio.get_running_loop()
        self._limit_s = 0.0
        self._deadline_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def wait(self, limit_s: float) -> None:
        """A wait begins; it may last for `limit_s` seconds."""
        self._limit_s = limit_s
        self._deadline_s = self._loop.time() + limit_s
        if self._timer is None or self._deadline_s < self._timer.when():
            self._set(self._deadline_s)

    def heard(self) -> None:
        """Something came."""
        self._deadline_s = None

    def stop(self) -> None:
        """Nobody waits any more."""
        self._deadline_s = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self, when_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(when_s, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._deadline_s is None:
            return
        if self._loop.time() < self._deadline_s:
            self._set(self._deadline_s)
            return
        self._deadline_s = self._loop.time() + self._limit_s
        self._set(self._deadline_s)
        self._lost(self._limit_s)
