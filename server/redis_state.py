"""What several fronts share, in Redis (`state_url`). Installed with the extra `cluster`.

Secrets never leave this process: an entry stands under the SHA-256 of its kind and secret. What must be one step is a
script, so that it is one for all fronts, and Redis's clock is the only one. The keys of one kind or owner have one hash
tag, so a Redis Cluster will do as well.

Redis may be away, or fall silent in the middle: every call has OPERATION_S, then it raises StateAway. A connection that
was lost is made again by the next call.
"""

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from typing import Any, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from dragoman.server.failures import StateAway
from dragoman.server.logs import OnceAMinute
from dragoman.server.state import LEASE_S

log = logging.getLogger("dragoman.server.state")

OPERATION_S = 2.0
"""How long one call may take, a new connection and one more try included."""
CONNECTIONS = 16
"""Connections of one front. Calls take a fraction of a millisecond; more of them wait for one another."""
MAX_SHARED = 200_000
"""Entries of one kind of all fronts together; more push out those that expire first."""

_NOW = "local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000) "
_KEEP = (
    _NOW
    + """
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('ZADD', KEYS[2], now + ARGV[2], KEYS[1])
if redis.call('ZCARD', KEYS[2]) > tonumber(ARGV[3]) then
    redis.call('DEL', redis.call('ZPOPMIN', KEYS[2])[1])
end
redis.call('PEXPIREAT', KEYS[2], math.floor(redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2]))
"""
)
_TAKE = """
local found = redis.call('GET', KEYS[1])
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], KEYS[1])
return found
"""
_SIT = (
    _NOW
    + """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local limit = tonumber(ARGV[2])
if limit > 0 and redis.call('ZCARD', KEYS[1]) >= limit and not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
    return 0
end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""
)


class RedisState:
    """A State in the Redis at `url` (redis://, rediss:// or unix://). Nothing is connected before it is needed."""

    shared = True

    def __init__(self, url: str, operation_s: float = OPERATION_S) -> None:
        self._operation_s = operation_s
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=operation_s,
            socket_timeout=operation_s,
            socket_connect_timeout=operation_s,
            retry=Retry(NoBackoff(), 1),  # a connection that Redis has closed meanwhile is no fault
        )
        self._redis: Redis = Redis.from_pool(pool)  # which it then closes
        self._keep = self._redis.register_script(_KEEP)
        self._take = self._redis.register_script(_TAKE)
        self._sit = self._redis.register_script(_SIT)
        self._say = OnceAMinute(log, logging.WARNING)

    async def keep(self, kind: str, secret: str, entry: bytes, lifetime_s: float) -> None:
        """Keep an entry."""
        keys = [_name(kind, secret), _index(kind)]
        await self._ask(self._keep(keys=keys, args=[entry, _ms(lifetime_s), MAX_SHARED]))

    async def look(self, kind: str, secret: str) -> bytes | None:
        """The entry."""
        return cast("bytes | None", await self._ask(self._redis.get(_name(kind, secret))))

    async def take(self, kind: str, secret: str) -> bytes | None:
        """The entry, which then is no more."""
        found = await self._ask(self._take(keys=[_name(kind, secret), _index(kind)], args=[]))
        return cast("bytes | None", found)

    async def entries(self, kind: str) -> list[bytes]:
        """All entries of a kind."""
        names = cast("list[bytes]", await self._ask(self._redis.zrange(_index(kind), 0, -1)))
        if not names:
            return []
        found = cast("list[bytes | None]", await self._ask(self._redis.mget(names)))
        return [entry for entry in found if entry is not None]

    async def sit(self, owner: str, seat: str, limit: int) -> bool:
        """Take or renew a seat."""
        return bool(await self._ask(self._sit(keys=[_seats(owner)], args=[seat, limit, _ms(LEASE_S)])))

    async def rise(self, owner: str, seat: str) -> None:
        """Give a seat back."""
        await self._ask(self._redis.zrem(_seats(owner), seat))

    async def add(self, name: str, amounts: Mapping[str, float]) -> None:
        """Add to counters, all of them or none."""
        if not amounts:
            return
        async with self._redis.pipeline(transaction=True) as batch:
            for what, amount in amounts.items():
                batch.hincrbyfloat(_counters(name), what, amount)
            await self._ask(batch.execute())

    async def totals(self, name: str) -> dict[str, float]:
        """The counters."""
        found = cast("dict[bytes, bytes]", await self._ask(self._redis.hgetall(_counters(name))))
        return {what.decode(): float(amount) for what, amount in found.items()}

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def _ask(self, call: Any) -> Any:
        # The library's annotations give awaitables or values, for it has clients of both kinds.
        try:
            async with asyncio.timeout(self._operation_s):
                return await call
        except (RedisError, OSError, TimeoutError) as error:
            self._say(f"the shared state cannot be reached: {type(error).__name__}")
            raise StateAway from error


def _name(kind: str, secret: str) -> str:
    # The length keeps two pairs apart that would read the same.
    told = f"{len(kind)}:{kind}:{secret}".encode("utf-8", "surrogatepass")
    return f"dragoman:{{{kind}}}:{hashlib.sha256(told).hexdigest()}"


def _index(kind: str) -> str:
    return f"dragoman:{{{kind}}}:index"


def _seats(owner: str) -> str:
    return f"dragoman:seats:{{{owner}}}"


def _counters(name: str) -> str:
    return f"dragoman:counters:{name}"


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1_000))
