"""What waits to be sent on one connection, bounded by the seconds of audio and by the bytes in it."""

import asyncio
import sys
from collections import deque

from dragoman.server.commands import Output, Send

OVERHEAD_BYTES = 256
"""What a waiting message costs beside its data."""


class Outbox:
    """FIFO of outputs from the sessions to the socket's writer. Putting never waits and never raises.

    `limit_s` bounds the seconds of audio that wait, `limit_bytes` the memory of all that waits. One message is always
    taken when nothing waits, however large it is.
    """

    def __init__(self, limit_s: float, limit_bytes: int) -> None:
        self._limit_s = limit_s
        self._limit_bytes = limit_bytes
        self._items: deque[Output] = deque()
        self._audio_s = 0.0
        self._bytes = 0
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._items)

    @property
    def size_bytes(self) -> int:
        """Memory of what waits."""
        return self._bytes

    def put(self, output: Output) -> str | None:
        """Append `output`; where there is no room it is not taken, and the answer says what waits already."""
        audio_s, size = _measure(output)
        if self._items and self._audio_s + audio_s > self._limit_s:
            return f"more than {self._limit_s:g} s of audio"
        if self._items and self._bytes + size > self._limit_bytes:
            return f"more than {self._limit_bytes} bytes of messages"
        self.force(output)
        return None

    def force(self, output: Output) -> None:
        """Append `output` whether there is room or not: the last words of a connection."""
        audio_s, size = _measure(output)
        self._audio_s += audio_s
        self._bytes += size
        self._items.append(output)
        self._filled.set()

    async def get(self) -> Output:
        """Take the oldest output, waiting for one."""
        while not self._items:
            self._filled.clear()
            await self._filled.wait()
        output = self._items.popleft()
        audio_s, size = _measure(output)
        self._bytes -= size
        # Nothing weighs exactly nothing, whatever rounding left behind.
        self._audio_s = self._audio_s - audio_s if self._items else 0.0
        return output

    def clear(self) -> None:
        """Forget what waits, so that there is room to say why."""
        self._items.clear()
        self._audio_s = 0.0
        self._bytes = 0


def _measure(output: Output) -> tuple[float, int]:
    """Seconds of audio and bytes of memory of a message."""
    if isinstance(output, Send):
        return output.audio_s, sys.getsizeof(output.data) + OVERHEAD_BYTES
    return 0.0, OVERHEAD_BYTES
