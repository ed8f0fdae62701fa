"""How many sessions run, whether more may start, and the end of the server."""

import asyncio
from collections.abc import Callable

from dragoman.server.failures import ShuttingDown, TooManySessions


class Admission:
    """Counts running sessions; refuses those over the limit and, while draining, all new ones.

    `capacity` tells how many sessions the machine can serve in time; one is always let in.
    """

    def __init__(self, limit: int, capacity: Callable[[], float] = lambda: float("inf")) -> None:
        self.limit = limit
        self._capacity = capacity
        self.running = 0
        self.draining = False
        self._changed = asyncio.Event()

    def enter(self) -> None:
        """Take a place for a session. Raises TooManySessions or ShuttingDown at once, never waits."""
        if self.draining:
            raise ShuttingDown
        limit = int(max(1, min(self.limit, self._capacity())))
        if self.running >= limit:
            raise TooManySessions(limit)
        self.running += 1

    def leave(self) -> None:
        """Give the place back."""
        self.running -= 1
        self._changed.set()

    def begin_drain(self) -> None:
        """Let nobody in any more."""
        self.draining = True
        self._changed.set()

    async def until_empty(self) -> None:
        """Wait until no session runs."""
        while self.running:
            self._changed.clear()
            await self._changed.wait()
