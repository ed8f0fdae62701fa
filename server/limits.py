"""How many sessions run, whether more may start, and the end of the server."""

import asyncio

from dragoman.server.failures import ShuttingDown, TooManySessions


class Admission:
    """Counts running sessions; refuses those over the limit and, while draining, all new ones."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.running = 0
        self.draining = False
        self._changed = asyncio.Event()

    def enter(self) -> None:
        """Take a place for a session. Raises TooManySessions or ShuttingDown at once, never waits."""
        if self.draining:
            raise ShuttingDown
        if self.running >= self.limit:
            raise TooManySessions(self.limit)
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
