"""A bounded FIFO queue whose items have weights: seconds of audio, bytes, or one each."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")

MOST_ITEMS = 4096
"""More than this do not wait in any queue, however little they weigh: markers weigh nothing."""


class MeteredQueue(Generic[T]):
    """FIFO with one consumer, bounded by the sum of its items' weights and by their number.

    Whoever puts an item appends it at once, so that their order is that of the calls, and then waits until the queue
    holds no more than it may; so at most one item for each who waits lies above the limit. An item that is alone may
    have any weight: nothing can be stuck for being large.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._items: deque[tuple[T, float]] = deque()
        self._weight = 0.0
        self._closed = False
        self._awaited = False
        self._changed = asyncio.Event()
        self._filled = asyncio.Event()

    @property
    def weight(self) -> float:
        """Sum of the weights of what waits here."""
        return self._weight

    @property
    def full(self) -> bool:
        """Whether more waits here than may: who puts something waits."""
        return len(self._items) > 1 and (self._weight > self.limit or len(self._items) > MOST_ITEMS)

    @property
    def starved(self) -> bool:
        """Whether the consumer waits and there is nothing for it."""
        return self._awaited and not self._items

    @property
    def closed(self) -> bool:
        """Whether what is put here is thrown away."""
        return self._closed

    def __len__(self) -> int:
        return len(self._items)

    def push(self, item: T, weight: float = 1.0) -> None:
        """Append `item` without waiting. A closed queue takes it and throws it away."""
        if self._closed:
            return
        self._items.append((item, weight))
        self._weight += weight
        self._filled.set()

    async def room(self) -> None:
        """Wait until the queue holds no more than it may, or is closed."""
        while self.full:
            self._changed.clear()
            await self._changed.wait()

    async def put(self, item: T, weight: float = 1.0) -> None:
        """Append `item` and wait for room. A closed queue takes it and throws it away."""
        self.push(item, weight)
        await self.room()

    async def get(self) -> T:
        """Take the oldest item, waiting for one."""
        while not self._items:
            await self._fill()
        return self._take()

    async def get_before(self, other: asyncio.Future[Any]) -> T | None:
        """Take the oldest item, waiting for one until `other` is done; None if that came first."""
        other.add_done_callback(self._wake)
        try:
            while not self._items and not other.done():
                await self._fill()
        finally:
            other.remove_done_callback(self._wake)
        return self._take() if self._items else None

    def discard(self, unwanted: Callable[[T], bool]) -> None:
        """Forget the waiting items that are `unwanted`; the others keep their order."""
        self._items = deque((item, weight) for item, weight in self._items if not unwanted(item))
        self._weight = sum(weight for _, weight in self._items)
        self._changed.set()

    def close(self) -> None:
        """Nobody will take anything any more: forget what waits and let whoever waits for room go on."""
        self._closed = True
        self._items.clear()
        self._weight = 0.0
        self._changed.set()

    def _take(self) -> T:
        item, weight = self._items.popleft()
        # An empty queue weighs exactly nothing, whatever rounding left behind.
        self._weight = self._weight - weight if self._items else 0.0
        self._changed.set()
        return item

    async def _fill(self) -> None:
        self._filled.clear()
        self._awaited = True
        try:
            await self._filled.wait()
        finally:
            self._awaited = False

    def _wake(self, _: asyncio.Future[Any]) -> None:
        self._filled.set()
