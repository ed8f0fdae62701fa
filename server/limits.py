"""How many sessions run, whether more may start, and the end of the server."""

import asyncio
import contextlib
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

    def along(self, also: Callable[[], None]) -> "Place":
        """This place and something else that is given back with it; this one is then held no more."""
        left, self._left = self._left, None

        def leave() -> None:
            if left is not None:
                left()
            also()

        return Place(leave)


class Loan:
    """A place for work that can wait: it is taken back, without asking, for a session that cannot."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.recalled = False

    def leave(self) -> None:
        """Give the place back, or take it back."""
        self.recalled = True
        self._place.leave()


LOOK_AGAIN_S = 5.0
"""Whoever waits for a loan looks so often whether the machine can serve more than before."""


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
        self._loans: list[Loan] = []

    def enter(self) -> Place:
        """Take a place for a session. Raises TooManySessions or ShuttingDown at once, never waits."""
        limit = self._limit()
        while self.running >= limit and self._loans:
            self._loans.pop().leave()
        return self._take(limit)

    def lend(self) -> Loan:
        """Take a place for work that can wait. Raises TooManySessions or ShuttingDown."""
        loan = Loan(self._take(self._limit()))
        self._loans = [one for one in self._loans if not one.recalled]
        self._loans.append(loan)
        return loan

    async def until_lent(self) -> Loan:
        """Wait for a place that nobody else needs; for ever, where the server is ending."""
        while True:
            with contextlib.suppress(TooManySessions, ShuttingDown):
                return self.lend()
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await self._changed.wait()

    def begin_drain(self) -> None:
        """Let nobody in any more; work that can wait goes on when the server has started again."""
        self.draining = True
        while self._loans:
            self._loans.pop().leave()
        self._changed.set()

    async def until_empty(self) -> None:
        """Wait until no session runs."""
        while self.running:
            self._changed.clear()
            await self._changed.wait()

    def _limit(self) -> int:
        if self.draining:
            raise ShuttingDown
        return int(max(1, min(self.limit, self._capacity())))

    def _take(self, limit: int) -> Place:
        if self.running >= limit:
            raise TooManySessions(limit)
        self.running += 1
        return Place(self._leave)

    def _leave(self) -> None:
        self.running -= 1
        self._changed.set()
