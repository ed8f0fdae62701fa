"""A bounded FIFO queue whose items have weights: seconds of audio, bytes, or one each."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class MeteredQueue(Generic[T]):
    """FIFO between one producer and one consumer, bounded by the sum of its items' weights.

    `put` waits while the queue holds as much as it may; an item heavier than the whole limit is let in when the
    queue is empty, so that nothing can be stuck for being large. Items of weight 0 (markers) never wait.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._items: deque[tuple[T, float]] = deque()
        self._weight = 0.0
        self._closed = False
        self._changed = asyncio.Event()
        self._filled = asyncio.Event()

    @property
    def weight(self) -> float:
        """Sum of the weights of what waits here."""
        return self._weight

    def __len__(self) -> int:
        return len(self._items)

    async def put(self, item: T, weight: float = 1.0) -> None:
        """Append `item`, waiting for room. A closed queue takes it and throws it away."""
        while not self._closed and self._items and weight > 0 and self._weight + weight > self.limit:
            self._changed.clear()
            await self._changed.wait()
        if self._closed:
            return
        self._items.append((item, weight))
        self._weight += weight
        self._filled.set()

    async def get(self) -> T:
        """Take the oldest item, waiting for one."""
        await self.wait()
        item, weight = self._items.popleft()
        # An empty queue weighs exactly nothing, whatever rounding left behind.
        self._weight = self._weight - weight if self._items else 0.0
        self._changed.set()
        return item

    async def wait(self) -> None:
        """Until there is something to take."""
        while not self._items:
            self._filled.clear()
            await self._filled.wait()

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
