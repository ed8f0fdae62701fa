"""A fake event loop's clock: time passes when the test says so, and timers go off in order."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(eq=False)
class FakeTimer:
    """What `call_at` gives."""

    when_s: float
    callback: Callable[..., object]
    cancelled: bool = False

    def when(self) -> float:
        return self.when_s

    def cancel(self) -> None:
        self.cancelled = True


class FakeLoop:
    """`time`, `call_at` and `call_later` of an event loop. `set_timers` counts how many timers were ever set."""

    def __init__(self, start_s: float = 0.0) -> None:
        self.set_timers = 0
        self._now_s = start_s
        self._timers: list[FakeTimer] = []

    def time(self) -> float:
        return self._now_s

    def call_at(self, when_s: float, callback: Callable[..., object], *arguments: Any) -> FakeTimer:
        timer = FakeTimer(when_s, lambda: callback(*arguments))
        self._timers.append(timer)
        self.set_timers += 1
        return timer

    def call_later(self, delay_s: float, callback: Callable[..., object], *arguments: Any) -> FakeTimer:
        return self.call_at(self._now_s + delay_s, callback, *arguments)

    @property
    def timers(self) -> int:
        """How many are waiting."""
        return sum(not timer.cancelled for timer in self._timers)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        until_s = self._now_s + seconds
        while due := [timer for timer in self._timers if not timer.cancelled and timer.when_s <= until_s]:
            first = min(due, key=FakeTimer.when)
            self._timers.remove(first)
            self._now_s = max(self._now_s, first.when_s)
            first.callback()
        self._now_s = until_s

    def as_loop(self) -> asyncio.AbstractEventLoop:
        """The same, for the type checker."""
        return self  # type: ignore[return-value]
