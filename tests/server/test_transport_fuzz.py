"""Whatever comes, in whatever pieces: no exception leaves the transport, little is held, and nothing is left."""

import asyncio
import logging
import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dragoman.server.bodies import BodyLimit
from dragoman.server.inflow import MOST_BYTES, MOST_MESSAGES
from dragoman.server.refusals import Refusals
from tests.fakes.transport import turns
from tests.server.wire import UPGRADE, Wire, frame, header_only, request

HOST = ("Host", "localhost")
READ = 262_144
"""What asyncio reads from a socket at once."""


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers requests; talks on sockets, whose session opens with the second message."""
    if scope["type"] == "http":
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    number = 0
    while (event := await receive())["type"] == "websocket.receive":
        number += 1
        if number == 2:
            scope["state"]["dragoman.transport"].admit()
        if event.get("text") == "close":
            await send({"type": "websocket.close", "code": 1000})
        else:
            await send({"type": "websocket.send", "text": "heard"})


PIECES = {
    "get": request("/", [HOST]),
    "get once": request("/", [HOST, ("Connection", "close")]),
    "get by another protocol": request("/", [HOST, ("Upgrade", "h2c"), ("Connection", "Upgrade")]),
    "post": request("/", [HOST, ("Content-Length", "5")], "POST") + b"hello",
    "post much": request("/", [HOST, ("Content-Length", "70000")], "POST"),
    "post in chunks": request("/", [HOST, ("Transfer-Encoding", "chunked")], "POST"),
    "get far": request("/" + "a" * 70_000, [HOST]),
    "upgrade": request("/socket", UPGRADE),
    "chunk": b"5\r\nhello\r\n",
    "last chunk": b"0\r\n\r\n",
    "line": b"\r\n",
    "zeros": bytes(70_000),
    "a terabyte": header_only(1 << 40),
    "a long ping": header_only(1000, 9),
    "a long text": frame(b"x" * 70_000),
    "please close": frame(b"close"),
    "not UTF-8": frame(b"\xff"),
    "close": frame(struct.pack("!H", 1000), 8),
    "empty frames": frame(b"", last=False) + frame(b"", 0, last=False) * 200,
    "more of it": frame(b"more", 0, last=False),
    "end of it": frame(b"end", 0),
    "begin": frame(b"begin", last=False),
    "pings": frame(b"ping", 9) * 100,
    "texts": frame(b"x") * 100,
    "bytes": frame(b"x", 2),
    "unmasked": b"\x81\x01x",
    "part of a ping": b"\x09\x80" + bytes(4),
}
PIECE = st.sampled_from(sorted(PIECES)) | st.binary(max_size=50)


@pytest.mark.parametrize("begun", [request("/socket", UPGRADE), b""], ids=["socket", "http"])
@given(pieces=st.lists(PIECE, max_size=12), cuts=st.lists(st.integers(1, 5000), min_size=1, max_size=8))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_nothing_breaks(
    begun: bytes, pieces: list[str | bytes], cuts: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    sent = b"".join(piece if isinstance(piece, bytes) else PIECES[piece] for piece in pieces)
    asyncio.run(talk(begun, sent, cuts))
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.WARNING] == []


async def talk(begun: bytes, sent: bytes, cuts: list[int]) -> None:
    wire = Wire(BodyLimit(echo, 65_536, Refusals({})))
    asyncio.get_running_loop().set_exception_handler(lambda _, context: pytest.fail(str(context)))
    if begun:
        await wire.receive(begun)
    number = 0
    while sent and wire.transport.reading and not wire.transport.closed:
        # Longer and longer ones: half a megabyte byte by byte would take minutes and show nothing new.
        size = cuts[number % len(cuts)] << number // 64
        number += 1
        await wire.receive(sent[:size])
        sent = sent[size:]
        protocol = wire.transport.get_protocol()
        if (inflow := getattr(protocol, "_inflow", None)) is not None:
            assert len(inflow._held) <= READ
            assert len(inflow._sizes) <= MOST_MESSAGES
            assert inflow._waiting_bytes <= MOST_BYTES + 70_000
    wire.clock.advance(60.0)
    await turns()
    if not wire.transport.closed:
        wire.transport.lose()
    await turns()
    assert wire.door.connections == 0
    assert not wire.door._waiting
    wire.clock.advance(60.0)
    assert wire.clock.pending == 0
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        assert task.done() or task.cancelling(), task
