"""The order in which the requests of many sessions are served by one engine. No threads and no clocks here.

Every final goes before every partial. Within each of the two, sessions take turns, one item a turn; within a
session, first come, first served. A session has at most one waiting partial.
"""

import queue
from collections import OrderedDict, deque
from enum import IntEnum
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")


class Priority(IntEnum):
    """What a request is for; the lower number is served first."""

    FINAL = 0
    PARTIAL = 1


class FairQueue(Generic[ItemT]):
    """At most `max_size` waiting items; see the module for their order."""

    def __init__(self, max_size: int) -> None:
        if max_size < 1:
            raise ValueError(f"max_size must be at least 1, not {max_size}")
        self._max_size = max_size
        self._size = 0
        # Per priority: the sessions in the order of their turns, each with its waiting items. None is empty.
        self._turns: dict[Priority, OrderedDict[str, deque[ItemT]]] = {p: OrderedDict() for p in Priority}

    def __len__(self) -> int:
        return self._size

    def put(self, item: ItemT, *, session_id: str, priority: Priority) -> ItemT | None:
        """Add `item`; give the partial that lost its place to it, if one did.

        A partial takes the place of its session's waiting partial, and its turn. A final that finds the queue full
        takes the room of the partial that would have waited longest. Raises queue.Full where there is no room.
        """
        turns = self._turns[priority]
        if priority is Priority.PARTIAL and session_id in turns:
            replaced = turns[session_id].popleft()
            turns[session_id].append(item)
            return replaced
        displaced = None
        if self._size >= self._max_size:
            partials = self._turns[Priority.PARTIAL]
            if priority is Priority.PARTIAL or not partials:
                raise queue.Full
            _, waiting = partials.popitem(last=True)
            displaced = waiting.popleft()
            self._size -= 1
        turns.setdefault(session_id, deque()).append(item)
        self._size += 1
        return displaced

    def peek(self) -> ItemT:
        """The item that `take` would give. Raises IndexError when empty."""
        for turns in self._turns.values():
            for waiting in turns.values():
                return waiting[0]
        raise IndexError("the queue is empty")

    def take(self) -> ItemT:
        """Remove and give the next item; its session goes to the end of the turns. Raises IndexError when empty."""
        for turns in self._turns.values():
            if turns:
                session_id, waiting = turns.popitem(last=False)
                item = waiting.popleft()
                if waiting:
                    turns[session_id] = waiting
                self._size -= 1
                return item
        raise IndexError("the queue is empty")

    def remove(self, item: ItemT, *, session_id: str, priority: Priority) -> bool:
        """Take `item` out wherever it waits; whether it was there. The session keeps its turn for the others."""
        turns = self._turns[priority]
        waiting = turns.get(session_id)
        if waiting is None or item not in waiting:
            return False
        waiting.remove(item)
        if not waiting:
            del turns[session_id]
        self._size -= 1
        return True

    def drain(self) -> list[ItemT]:
        """Remove everything; the items in the order in which they would have been served."""
        return [self.take() for _ in range(self._size)]
