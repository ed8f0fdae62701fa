"""Bodies: refused past the limit, before more is read; whole and small when a route sees them."""

import asyncio
import json
from typing import Any

import pytest
from fastapi.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from dragoman.server.bodies import CHUNK_BYTES, BodyLimit
from dragoman.server.refusals import Refusals
from tests.fakes.transport import turns
from tests.server.wire import Wire, request

LIMIT = 65_536


class Route:
    """Reads the body of its request, as a route would."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.pieces: list[int] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                break
            body += message["body"]
            self.pieces.append(len(message["body"]))
            more = message["more_body"]
        self.bodies.append(body)
        await PlainTextResponse("ok")(scope, receive, send)


def over_the_wire(route: Route, **uploads: int) -> Wire:
    refusals = Refusals({"/v1/": lambda status, message: PlainTextResponse(f"v1: {message}", status)})
    by_path = {f"/{name}": limit for name, limit in uploads.items()}
    return Wire(BodyLimit(route, LIMIT, refusals, uploads=by_path))


def post(path: str = "/", length: int | None = None, *extra: tuple[str, str]) -> bytes:
    framing = ("Transfer-Encoding", "chunked") if length is None else ("Content-Length", str(length))
    return request(path, [("Host", "localhost"), framing, *extra], "POST")


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@pytest.mark.parametrize("length", [LIMIT + 1, 3_000_000_000, 10**18])
async def test_an_announced_body_is_refused_before_any_of_it_is_read(length: int) -> None:
    route = Route()
    wire = over_the_wire(route)
    await wire.receive(post("/", length, ("Expect", "100-continue")))
    assert wire.answer() == (
        413,
        json.dumps({"detail": f"body is larger than {LIMIT} bytes"}, separators=(",", ":")).encode(),
    )
    assert route.bodies == []
    assert wire.transport.eof


async def test_a_body_in_chunks_is_refused_as_soon_as_it_is_too_large() -> None:
    route = Route()
    wire = over_the_wire(route)
    await wire.receive(post())
    sent = 0
    while not wire.transport.sent:
        await wire.receive(chunk(bytes(1000)))
        sent += 1000
    assert LIMIT < sent <= LIMIT + 1000
    assert wire.answer()[0] == 413
    assert route.bodies == []
    # What goes on to come is thrown away, and soon the connection ends.
    while wire.transport.reading:
        await wire.receive(chunk(bytes(65_000)))
        sent += 65_000
    assert sent < 2 << 20
    assert wire.transport.aborted


async def test_nothing_is_held_beyond_the_limit() -> None:
    wire = over_the_wire(Route())
    await wire.receive(post())
    await wire.receive(chunk(bytes(LIMIT - 1)))
    held = wire.http.cycle.body
    assert len(held) == 0
    await wire.receive(chunk(bytes(256_000)))
    assert wire.answer()[0] == 413
    assert len(wire.http.cycle.body) == 0


@pytest.mark.parametrize("size", [0, 1, 1000, LIMIT])
@pytest.mark.parametrize("chunked", [False, True])
async def test_bodies_within_the_limit_arrive_whole(size: int, chunked: bool) -> None:
    route = Route()
    wire = over_the_wire(route)
    body = bytes(range(256)) * (size // 256 + 1)
    sent = post() + chunk(body[:size]) * (size > 0) + b"0\r\n\r\n" if chunked else post("/", size) + body[:size]
    for start in range(0, len(sent), 10_000):
        await wire.receive(sent[start : start + 10_000])
    assert route.bodies == [body[:size]]
    assert wire.answer() == (200, b"ok")
    assert not wire.transport.eof


async def test_a_vendors_path_is_told_in_the_vendors_form() -> None:
    wire = over_the_wire(Route())
    await wire.receive(post("/v1/keys", LIMIT + 1))
    assert wire.answer() == (413, b"v1: body is larger than 65536 bytes")


async def test_a_client_that_leaves_in_the_middle_reaches_no_route(caplog: pytest.LogCaptureFixture) -> None:
    route = Route()
    wire = over_the_wire(route)
    await wire.receive(post("/", 1000) + bytes(10))
    wire.transport.lose()
    await turns()
    assert (route.bodies, caplog.records) == ([], [])


async def test_requests_without_a_body_are_not_touched() -> None:
    route = Route()
    wire = over_the_wire(route)
    await wire.receive(request())
    assert route.bodies == [b""]


async def test_an_upload_has_its_own_limit_and_waits_on_disk() -> None:
    route = Route()
    size = 10 * LIMIT + 1
    wire = over_the_wire(route, upload=size)
    for start in range(0, len(sent := post("/upload/one", size) + bytes(size)), LIMIT):
        await wire.receive(sent[start : start + LIMIT])
    assert route.bodies == [bytes(size)]
    assert max(route.pieces) <= CHUNK_BYTES
    wire = over_the_wire(route, upload=size)
    await wire.receive(post("/upload/one", size + 1))
    assert wire.answer()[0] == 413


async def test_a_route_that_reads_its_body_itself_may_leave_it() -> None:
    asked = 0

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("no")(scope, receive, send)

    async def receive() -> Message:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": bytes(LIMIT), "more_body": True}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    guard = BodyLimit(route, LIMIT, Refusals({}), streamed={"/stream"})
    headers = [(b"content-length", b"9000000")]
    await guard({"type": "http", "path": "/stream", "headers": headers, "method": "POST"}, receive, send)
    assert (sent[0]["status"], asked) == (200, 0)
    sent.clear()
    await guard({"type": "http", "path": "/stream/more", "headers": headers, "method": "POST"}, receive, send)
    assert (sent[0]["status"], asked) == (413, 0)


async def test_a_route_hears_of_what_happens_after_the_body() -> None:
    heard: list[Any] = []

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        heard.extend([await receive(), await receive()])

    gone = asyncio.Event()
    messages: list[Message] = [{"type": "http.request", "body": b"x"}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        raise AssertionError

    scope = {"type": "http", "path": "/", "headers": [(b"content-length", b"1")]}
    serving = asyncio.create_task(BodyLimit(route, LIMIT, Refusals({}))(scope, receive, send))
    await turns()
    assert not serving.done()
    gone.set()
    await serving
    assert heard == [{"type": "http.request", "body": b"x", "more_body": False}, {"type": "http.disconnect"}]
