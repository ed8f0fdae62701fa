"""How many sessions run, whether more may start, and the end of the server."""

import asyncio
from collections.abc import Callable

from dragoman.server.failures import ShuttingDown, TooManySessions


class Place:
    """Room for one session. Whoever holds it gives it back; doing so again changes nothing."""

    def __init__(self, left: Callable[[], None]) -> None:
        self._left: Callable[[], None] | None = left

    def leave(self) -> None:
        """Give the place back."""
        left, self._left = self._left, None
        if left is not None:
            left()


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

    def enter(self) -> Place:
        """Take a place for a session. Raises TooManySessions or ShuttingDown at once, never waits."""
        if self.draining:
            raise ShuttingDown
        limit = int(max(1, min(self.limit, self._capacity())))
        if self.running >= limit:
            raise TooManySessions(limit)
        self.running += 1
        return Place(self._leave)

    def begin_drain(self) -> None:
        """Let nobody in any more."""
        self.draining = True
        self._changed.set()

    async def until_empty(self) -> None:
        """Wait until no session runs."""
        while self.running:
            self._changed.clear()
            await self._changed.wait()

    def _leave(self) -> None:
        self.running -= 1
        self._changed.set()
