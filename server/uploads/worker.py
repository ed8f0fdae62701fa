"""What all workers on a store have in common: they sleep until something comes, and the keys take turns."""

import asyncio
from abc import ABC, abstractmethod
from itertools import count

from dragoman.server.uploads.shelf import StoreBroken
from dragoman.server.uploads.store import Transcription

AGAIN_S = 10.0
"""Where something has no room, or the store is broken, it is tried again after so long."""
MAX_OWNERS = 10_000
"""Of which it is remembered when they were served."""


class Turns:
    """When each owner was served last, as the store wants to know it."""

    def __init__(self) -> None:
        self.served: dict[str, int] = {}
        self._numbers = count(1)

    def take(self, owner: str) -> None:
        """It is this one's turn."""
        if len(self.served) >= MAX_OWNERS:
            self.served.clear()
        self.served[owner] = next(self._numbers)


class Worker(ABC):
    """Takes one after the other of what waits in a store; several tasks may `work` at once."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.came = asyncio.Event()

    def wake(self) -> None:
        """Something waits."""
        self.came.set()

    async def work(self) -> None:
        """Work for ever."""
        while True:
            self.came.clear()
            try:
                job = await self.next()
                if job is None:
                    await self.idle()
                    continue
                self.wake()  # others may take the one behind it
                await self.take(job)
            except StoreBroken:
                await asyncio.sleep(AGAIN_S)

    async def idle(self) -> None:
        """Until there may be something."""
        await self.came.wait()

    @abstractmethod
    async def next(self) -> Transcription | None:
        """What is to be done now, whose turn has then come. Raises StoreBroken."""

    @abstractmethod
    async def take(self, job: Transcription) -> None:
        """Do it. Raises StoreBroken."""
