"""A fake clock of the time that work takes: it goes on when the test, or a fake engine, says so."""

import asyncio


class FakeWorkClock:
    """A `WorkClock`. One on which no time passes is that of a machine without end."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self._sleepers.append((self.now_s + seconds, woken))
        await woken.wait()

    def take(self, seconds: float) -> None:
        """Some work took so long. May be called in any thread; who sleeps is woken by the next `advance`."""
        self.now_s += seconds

    def advance(self, seconds: float = 0.0) -> None:
        """Let time pass, on the event loop."""
        self.take(seconds)
        for until_s, woken in self._sleepers:
            if until_s <= self.now_s + 1e-9:
                woken.set()
        self._sleepers = [(until_s, woken) for until_s, woken in self._sleepers if not woken.is_set()]
