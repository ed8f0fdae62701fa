"""The transport's protocols on a fake connection: what a client sends goes in, what it would see comes out."""

import asyncio
from collections.abc import Iterable
from typing import Any

from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode

from dragoman.config.settings import load_settings
from dragoman.server.door import Door, Entry
from dragoman.server.http import HttpProtocol
from dragoman.server.runner import uvicorn_config
from dragoman.server.websocket import LiveWebSocketProtocol, Transport, transport_of
from tests.fakes.transport import FakeTransport, HandClock, turns

UPGRADE = (
    ("Host", "localhost"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
    ("Sec-WebSocket-Version", "13"),
)


def request(
    path: str = "/", headers: Iterable[tuple[str, str]] = (("Host", "localhost"),), method: str = "GET"
) -> bytes:
    """The head of a request."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode()


def frame(payload: bytes = b"", opcode: int = 1, *, last: bool = True) -> bytes:
    """A frame of a client."""
    return bytes(Frame(Opcode(opcode), payload, last).serialize(mask=True))


def header_only(length: int, opcode: int = 1) -> bytes:
    """The beginning of a frame that claims to be so long."""
    return bytes([0x80 | opcode, 0x80 | 127]) + length.to_bytes(8, "big") + bytes(4)


def frames_in(data: bytes) -> list[tuple[int, bytes]]:
    """Opcodes and payloads of the frames of a server."""
    found = []
    while data:
        length, start = data[1] & 0x7F, 2
        if length >= 126:
            start = 4 if length == 126 else 10
            length = int.from_bytes(data[2:start], "big")
        found.append((data[0] & 0x0F, bytes(data[start : start + length])))
        data = data[start + length :]
    return found


class Application:
    """An ASGI application that a test plays: it has the last request or socket, and does what the test says."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.calls += 1
        self.scope, self.receive, self.send = scope, receive, send
        self.over = over = asyncio.Event()
        await over.wait()

    @property
    def transport(self) -> Transport:
        return transport_of(self.scope)


class Wire:
    """One connection to `application`, on a clock that is moved by hand."""

    def __init__(
        self, application: Any = None, *, door: Door | None = None, peer: str = "192.0.2.1", **limits: float
    ) -> None:
        self.application: Any = application or Application()
        self.clock = HandClock()
        self.door = door or Door(100, 10, lambda _: None)
        entry = self.door.enter(peer)
        assert entry is not None
        self.entry: Entry = entry
        settings = load_settings(overrides={"limits": limits})
        config = uvicorn_config(self.application, settings)
        config.load()
        self.state = ServerState()
        loop: Any = self.clock
        self.transport = FakeTransport(asyncio.get_running_loop(), (peer, 50_000))
        self.told: list[str] = []
        """What the operator reads of requests that were refused."""
        self.http = HttpProtocol(
            config, self.state, {}, loop, entry=entry, limits=settings.limits, say=self.told.append
        )
        self.transport.set_protocol(self.http)
        self.http.connection_made(self.transport)

    @property
    def socket(self) -> LiveWebSocketProtocol:
        found = self.transport.get_protocol()
        assert isinstance(found, LiveWebSocketProtocol)
        return found

    async def receive(self, data: bytes) -> None:
        """The client sends this."""
        self.transport.receive(data)
        await turns()

    def answer(self) -> tuple[int, bytes]:
        """Status and body of the answer that is out; it is taken."""
        head, _, body = bytes(self.transport.sent).partition(b"\r\n\r\n")
        self.transport.sent.clear()
        return int(head.split()[1]) if head else 0, body

    def frames(self) -> list[tuple[int, bytes]]:
        """Frames that are out; they are taken."""
        found = frames_in(bytes(self.transport.sent))
        self.transport.sent.clear()
        return found


async def opened(*, accept: bool = True, admitted: bool = False, **limits: float) -> Wire:
    """A connection whose client has asked for a socket; accepted, and its session open, as is said."""
    wire = Wire(**limits)
    await wire.receive(request("/socket", UPGRADE))
    assert (await wire.application.receive())["type"] == "websocket.connect"
    if accept:
        await wire.application.send({"type": "websocket.accept"})
        assert wire.answer()[0] == 101
    if admitted:
        wire.application.transport.admit()
    return wire
