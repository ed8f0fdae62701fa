"""A fake client's socket, as `server/connection.py` sees one: no network, no clock."""

import asyncio
from collections.abc import Iterable
from typing import Any

from starlette.websockets import WebSocket

GONE: dict[str, Any] = {"type": "websocket.disconnect", "code": 1006}


class FakeSocket:
    """Receives what the test says, keeps what it is sent.

    `writable` is set while messages may leave; clear it for a client that does not read. `after_close`: the client
    answers a Close frame, as a polite one does.
    """

    def __init__(self, messages: Iterable[str | bytes] = (), *, stays: bool = True) -> None:
        self.scope: dict[str, Any] = {"type": "websocket", "path": "/", "headers": [], "extensions": {}}
        self.accepted = False
        self.sent: list[str | bytes] = []
        self.closes: list[tuple[int, str]] = []
        self.writable = asyncio.Event()
        self.writable.set()
        self.waiting = asyncio.Event()
        """Set while the server waits for a message and there is none."""
        self.hurried = False
        """Whether messages that have come already are handed over without a turn of the loop, as a real socket does."""
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for message in messages:
            self.say(message)
        if not stays:
            self.go()

    def say(self, message: str | bytes) -> None:
        """The client sends a message."""
        self.waiting.clear()
        field = "text" if isinstance(message, str) else "bytes"
        self._incoming.put_nowait({"type": "websocket.receive", field: message})

    def go(self) -> None:
        """The client vanishes."""
        self._incoming.put_nowait(GONE)

    async def accept(self, subprotocol: str | None = None) -> None:
        """Let the client in."""
        del subprotocol
        await asyncio.sleep(0)
        self.accepted = True

    async def receive(self) -> dict[str, Any]:
        """The client's next message."""
        if not self.hurried:
            await asyncio.sleep(0)
        if self._incoming.empty():
            self.waiting.set()
        event = await self._incoming.get()
        self.waiting.clear()
        return event

    async def send_text(self, data: str) -> None:
        """Keep it, once the client reads."""
        await self._send(data)

    async def send_bytes(self, data: bytes) -> None:
        """Keep it, once the client reads."""
        await self._send(data)

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        """The server's Close frame, which the client answers."""
        await self.writable.wait()
        self.closes.append((code, reason or ""))
        self.go()

    def as_websocket(self) -> WebSocket:
        """The same, for the type checker."""
        return self  # type: ignore[return-value]

    async def _send(self, data: str | bytes) -> None:
        assert not self.closes, "a message behind the Close frame"
        await asyncio.sleep(0)
        await self.writable.wait()
        self.sent.append(data)
