"""What several fronts share: secrets that were given out, counters, and who talks. In this process, or in Redis.

One small interface (`State`), two keepers of it: `InProcess`, for a server that is alone, and `redis_state.RedisState`
(`state_url`). Whoever asks does not know which it is. What is kept here are entries by kind and secret: a token that
works once, a vendor's temporary key, a session made by REST. A kind is a name of its owner's choosing.
"""

import heapq
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from dragoman.config.settings import Settings, SettingsError

MAX_KEPT = 10_000
"""Entries of one kind in this process; more push out those that expire first."""
LEASE_S = 30.0
"""A seat that nobody renews is free after so long: its front has died."""


class State(Protocol):
    """Every method may raise StateAway, within a few seconds; none waits longer."""

    shared: bool
    """Whether other processes see the same."""

    async def keep(self, kind: str, secret: str, entry: bytes, lifetime_s: float) -> None:
        """Keep an entry under its secret for `lifetime_s` seconds."""
        ...

    async def look(self, kind: str, secret: str) -> bytes | None:
        """The entry, or None where there is none (any more)."""
        ...

    async def take(self, kind: str, secret: str) -> bytes | None:
        """The entry, which then is no more: of all who ask for it at once, one gets it."""
        ...

    async def entries(self, kind: str) -> list[bytes]:
        """All entries of a kind, those that expire first in front."""
        ...

    async def sit(self, owner: str, seat: str, limit: int) -> bool:
        """Take, or renew, one of an owner's `limit` seats (0: any number) for LEASE_S; whether there was one."""
        ...

    async def rise(self, owner: str, seat: str) -> None:
        """Give a seat back; nothing where nobody sits there."""
        ...

    async def add(self, name: str, amounts: Mapping[str, float]) -> None:
        """Add to the counters called `name`."""
        ...

    async def totals(self, name: str) -> dict[str, float]:
        """The counters called `name`, as far as there are any."""
        ...

    async def close(self) -> None:
        """Let go of what is held open."""
        ...


def open_state(settings: Settings) -> State:
    """The keeper that the settings name. Raises SettingsError where its library is not installed."""
    url = settings.state_url.get_secret_value()
    if not url:
        return InProcess()
    try:
        from dragoman.server.redis_state import RedisState  # noqa: PLC0415  (an extra's)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "redis":
            raise
        raise SettingsError(
            "state_url: the package redis is not installed; install it with: pip install 'dragoman[cluster]'"
        ) from error
    return RedisState(url)


@dataclass(slots=True)
class _Kind:
    """Entries by secret, each with the time at which it expires; `order` may hold times of entries that are gone."""

    kept: dict[str, tuple[float, bytes]] = field(default_factory=dict)
    order: list[tuple[float, str]] = field(default_factory=list)

    def forget(self, now: float) -> None:
        """Throw away what has expired, and one more where there is no room."""
        while self.order:
            expires, secret = self.order[0]
            there = self.kept.get(secret)
            stale = there is None or there[0] != expires
            if not stale and expires > now and len(self.kept) < MAX_KEPT:
                return
            heapq.heappop(self.order)
            if not stale:
                del self.kept[secret]


class InProcess:
    """A State of this process alone; only the event loop touches it. It is never away."""

    shared = False

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._kinds: defaultdict[str, _Kind] = defaultdict(_Kind)
        self._seats: defaultdict[str, set[str]] = defaultdict(set)
        self._counters: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))

    async def keep(self, kind: str, secret: str, entry: bytes, lifetime_s: float) -> None:
        """Keep an entry."""
        now, found = self._now(), self._kinds[kind]
        found.forget(now)
        found.kept[secret] = now + lifetime_s, entry
        heapq.heappush(found.order, (now + lifetime_s, secret))

    async def look(self, kind: str, secret: str) -> bytes | None:
        """The entry."""
        expires, entry = self._kinds[kind].kept.get(secret, (0.0, None))
        return entry if expires > self._now() else None

    async def take(self, kind: str, secret: str) -> bytes | None:
        """The entry, which then is no more."""
        expires, entry = self._kinds[kind].kept.pop(secret, (0.0, None))
        return entry if expires > self._now() else None

    async def entries(self, kind: str) -> list[bytes]:
        """All entries of a kind."""
        now = self._now()
        return [entry for expires, entry in sorted(self._kinds[kind].kept.values()) if expires > now]

    async def sit(self, owner: str, seat: str, limit: int) -> bool:
        """Take a seat, without a lease: it ends with the process."""
        seats = self._seats[owner]
        if limit and len(seats) >= limit and seat not in seats:
            return False
        seats.add(seat)
        return True

    async def rise(self, owner: str, seat: str) -> None:
        """Give a seat back."""
        self._seats[owner].discard(seat)
        if not self._seats[owner]:
            del self._seats[owner]

    async def add(self, name: str, amounts: Mapping[str, float]) -> None:
        """Add to counters."""
        for what, amount in amounts.items():
            self._counters[name][what] += amount

    async def totals(self, name: str) -> dict[str, float]:
        """The counters."""
        return dict(self._counters[name])

    async def close(self) -> None:
        """Nothing is held open."""
