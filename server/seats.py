"""How many sessions each API key has, over all fronts (`limits.sessions_per_key`)."""

import asyncio
import logging
import uuid
from collections import Counter
from collections.abc import Callable

from dragoman.server.failures import StateAway, TooManySessions
from dragoman.server.state import LEASE_S, State

log = logging.getLogger("dragoman.server.seats")

RENEW_S = LEASE_S / 3
"""How often the seats of this front are renewed."""
HURRY_S = 1.0
"""How often it is tried while what the fronts share is away, and how soon a seat that was left is free."""


class Seats:
    """The seats of this front's sessions. `limit` for each key, 0: as many as are wanted.

    While the shared state is away, each front counts for itself; what it has counted is made known when it is back.
    """

    def __init__(self, state: State, limit: int) -> None:
        self._state = state
        self._limit = limit
        self._held: dict[str, str] = {}
        """Whose each seat is."""
        self._counts: Counter[str] = Counter()
        self._left: list[tuple[str, str]] = []
        """Seats that were left, and whose they were; not made known yet."""
        self._someone_left = asyncio.Event()

    @property
    def counts(self) -> bool:
        """Whether there is anything to count."""
        return self._limit > 0

    async def take(self, owner: str) -> Callable[[], None] | None:
        """A seat of this owner; how to leave it. None where nobody counts. Raises TooManySessions."""
        if not self.counts or not owner:
            return None
        seat = uuid.uuid4().hex
        try:
            free = await self._state.sit(owner, seat, self._limit)
        except StateAway:
            free = self._counts[owner] < self._limit
        except BaseException:
            self._leave(owner, seat)  # nobody knows whether it was taken
            raise
        if not free:
            raise TooManySessions(self._limit, of_key=True)
        self._held[seat] = owner
        self._counts[owner] += 1
        return lambda: self._leave(owner, seat)

    async def mind(self) -> None:
        """Renew the seats, and make known which were left; for ever."""
        loop = asyncio.get_running_loop()
        renewed_s = loop.time()
        while True:
            try:
                await self.settle()
                if loop.time() - renewed_s >= RENEW_S:
                    await self.renew()
                    renewed_s = loop.time()
            except StateAway:
                await asyncio.sleep(HURRY_S)
                continue
            self._someone_left.clear()
            if not self._left:
                try:
                    async with asyncio.timeout(max(HURRY_S, renewed_s + RENEW_S - loop.time())):
                        await self._someone_left.wait()
                except TimeoutError:
                    pass

    async def renew(self) -> None:
        """Say again who sits here. Raises StateAway."""
        for seat, owner in tuple(self._held.items()):
            if seat in self._held:
                await self._state.sit(owner, seat, 0)

    async def settle(self) -> None:
        """Give back the seats that were left. Raises StateAway."""
        while self._left:
            await self._state.rise(*self._left[-1])
            self._left.pop()

    def _leave(self, owner: str, seat: str) -> None:
        if self._held.pop(seat, None) is not None:
            self._counts[owner] -= 1
            if not self._counts[owner]:
                del self._counts[owner]
        self._left.append((owner, seat))
        self._someone_left.set()
