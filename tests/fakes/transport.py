"""A connection without a network: a transport that is written to and looked at, and a clock that is moved by hand."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class FakeTransport(asyncio.Transport):
    """Takes what is written, or, once `stuck`, keeps it as asyncio does for a client that does not read."""

    def __init__(self, loop: asyncio.AbstractEventLoop, peer: tuple[str, int] = ("192.0.2.1", 50_000)) -> None:
        super().__init__({"peername": peer, "sockname": ("127.0.0.1", 8000)})
        self._loop = loop
        self._protocol: Any = None
        self.sent = bytearray()
        """What has reached the client."""
        self.buffer = bytearray()
        """What the client has not taken yet."""
        self.stuck = False
        self.reading = True
        self.pauses = 0
        self.eof = False
        self.closed = False
        self.aborted = False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> Any:
        return self._protocol

    def receive(self, data: bytes) -> None:
        """The client has sent this, and it is read."""
        assert self.reading, "the protocol does not read"
        self._protocol.data_received(data)

    def lose(self, error: Exception | None = None) -> None:
        """The client is gone."""
        self.closed = True
        self._loop.call_soon(self._protocol.connection_lost, error)

    def release(self) -> None:
        """The client reads again."""
        self.stuck = False
        self.sent += self.buffer
        self.buffer.clear()
        self._protocol.resume_writing()

    def write(self, data: Any) -> None:
        assert not self.eof, "written behind the end"
        if not self.stuck:
            self.sent += data
            return
        self.buffer += data
        if len(self.buffer) > 65_536:
            self._protocol.pause_writing()

    def write_eof(self) -> None:
        self.eof = True

    def can_write_eof(self) -> bool:
        return True

    def get_write_buffer_size(self) -> int:
        return len(self.buffer)

    def pause_reading(self) -> None:
        self.pauses += self.reading
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        if not self.closed:
            self.reading = False
            self.lose()

    def abort(self) -> None:
        self.aborted = True
        self.close()


class HandClock:
    """The running loop, but its timers go off when the clock is moved."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._now = 0.0
        self._timers: list[asyncio.TimerHandle] = []

    def time(self) -> float:
        return self._now

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(self._now + delay, callback, args, self._loop)
        # Its loop is not asked to forget it.
        timer._scheduled = False
        self._timers.append(timer)
        return timer

    def call_soon(self, callback: Callable[..., object], *args: Any) -> asyncio.Handle:
        return self._loop.call_soon(callback, *args)

    def create_task(self, coroutine: Coroutine[Any, Any, Any], **options: Any) -> asyncio.Task[Any]:
        return self._loop.create_task(coroutine, **options)

    def advance(self, seconds: float) -> None:
        """Let so much time pass."""
        until = self._now + seconds
        while due := [timer for timer in self._timers if timer.when() <= until]:
            timer = min(due, key=asyncio.TimerHandle.when)
            self._timers.remove(timer)
            self._now = max(self._now, timer.when())
            if not timer.cancelled():
                timer._run()
        self._now = until

    @property
    def pending(self) -> int:
        """Timers that still go off."""
        return sum(not timer.cancelled() for timer in self._timers)


async def turns(count: int = 10) -> None:
    """Let whatever is ready run."""
    for _ in range(count):
        await asyncio.sleep(0)
