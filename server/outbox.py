"""What waits to be sent on one connection, bounded by the seconds of audio in it."""

import asyncio
from collections import deque

from dragoman.server.commands import Close, Output, Send
from dragoman.server.failures import OutputNotRead

MAX_MESSAGES = 100_000
"""Messages without audio are small; this many of them mean that nobody reads."""


class Outbox:
    """FIFO of outputs from the sessions to the socket's writer. Putting never waits: too much is an error.

    After a Close nothing more is taken.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._items: deque[Output] = deque()
        self._audio_s = 0.0
        self._filled = asyncio.Event()
        self.closing = False

    def __len__(self) -> int:
        return len(self._items)

    def put(self, output: Output) -> None:
        """Append `output`. Raises OutputNotRead when more than the limit would wait."""
        if self.closing:
            return
        if isinstance(output, Close):
            self.closing = True
        elif self._items and (self._audio_s + output.audio_s > self._limit_s or len(self._items) >= MAX_MESSAGES):
            raise OutputNotRead(self._limit_s)
        else:
            self._audio_s += output.audio_s
        self._items.append(output)
        self._filled.set()

    async def get(self) -> Output:
        """Take the oldest output, waiting for one."""
        while not self._items:
            self._filled.clear()
            await self._filled.wait()
        output = self._items.popleft()
        if isinstance(output, Send):
            self._audio_s = self._audio_s - output.audio_s if self._items else 0.0
        return output

    def clear(self) -> None:
        """Forget what waits, so that there is room to say why."""
        self._items.clear()
        self._audio_s = 0.0
