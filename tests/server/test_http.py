"""The HTTP protocol on a fake connection: heads, bodies and clocks. No network here."""

import asyncio
import json
from typing import Any

import pytest

from dragoman.server.door import RESERVE, Door
from dragoman.server.farewell import FAREWELL_BYTES, FAREWELL_S
from dragoman.server.http import HEAD_BYTES, PROGRESS_BYTES
from tests.fakes.transport import turns
from tests.server.wire import UPGRADE, Wire, request

HEAD_S = 10.0
HOST = ("Host", "localhost")


def refused(wire: Wire) -> tuple[int, str]:
    status, body = wire.answer()
    return status, json.loads(body)["detail"]


async def answer(wire: Wire, status: int = 200) -> None:
    """What the application says to the request that it has."""
    send, over = wire.application.send, wire.application.over
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
    over.set()
    await turns()


async def gone(wire: Wire) -> bool:
    """Whether nothing is left of the connection, within the time of a farewell."""
    wire.clock.advance(FAREWELL_S + 0.1)
    await turns()
    return wire.transport.closed and wire.door.connections == 0 and wire.clock.pending == 0


# --- heads


@pytest.mark.parametrize("step", [1_000_000, 4096])
@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/" + "a" * 60_000, [HOST], 200),
        ("/", [HOST, ("Cookie", "c" * 60_000)], 200),
        ("/", [HOST, *((f"X-{number}", "v") for number in range(2000))], 200),
        ("/" + "a" * HEAD_BYTES, [HOST], 414),
        ("/" + "a" * 400_000, [HOST], 414),
        ("/", [HOST, ("Cookie", "c" * HEAD_BYTES)], 431),
        ("/", [HOST, *((f"X-{number}", "v" * 50) for number in range(2000))], 431),
        ("/" + "a" * 40_000, [HOST, ("Cookie", "c" * 40_000)], 431),
    ],
)
async def test_heads_up_to_64_kib(path: str, headers: list[tuple[str, str]], status: int, step: int) -> None:
    wire = Wire()
    head = request(path, headers)
    for start in range(0, len(head), step):
        wire.transport.receive(head[start : start + step])
    await turns()
    if status == 200:
        await answer(wire)
        assert wire.answer() == (200, b"ok")
        assert not wire.transport.eof
    else:
        assert refused(wire)[0] == status
        assert wire.application.calls == 0
        assert await gone(wire)


@pytest.mark.parametrize(
    "wrong",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_no_fault_of_ours(wrong: bytes) -> None:
    wire = Wire()
    await wire.receive(wrong)
    assert refused(wire)[0] == 400
    assert wire.told == ["refused a request: 400 this is not HTTP"]
    assert await gone(wire)


async def test_a_body_that_breaks_off_while_the_application_reads() -> None:
    wire = Wire()
    await wire.receive(request("/", [HOST, ("Transfer-Encoding", "chunked")], "POST") + b"5\r\nhello\r\n")
    assert (await wire.application.receive())["body"] == b"hello"
    asked = asyncio.create_task(wire.application.receive())
    await wire.receive(b"nonsense\r\n")
    assert refused(wire)[0] == 400
    assert (await asked)["type"] == "http.disconnect"
    await answer(wire)  # it is too late, and no fault
    assert wire.transport.sent == b""
    assert await gone(wire)


async def test_nonsense_behind_an_answer_that_is_half_out_just_ends_it() -> None:
    wire = Wire()
    await wire.receive(request("/", [HOST, ("Transfer-Encoding", "chunked")], "POST"))
    await wire.application.send({"type": "http.response.start", "status": 200, "headers": []})
    await wire.application.send({"type": "http.response.body", "body": b"half", "more_body": True})
    out = bytes(wire.transport.sent)
    await wire.receive(b"nonsense\r\n")
    assert wire.transport.sent == out
    assert await gone(wire)


async def test_other_upgrades_are_answered_as_if_they_were_not_offered(caplog: pytest.LogCaptureFixture) -> None:
    wire = Wire()
    await wire.receive(request("/", [HOST, ("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c")]))
    await answer(wire)
    assert wire.answer() == (200, b"ok")
    assert caplog.records == []


# --- clocks


async def test_who_connects_and_says_nothing_is_let_go() -> None:
    wire = Wire()
    wire.clock.advance(HEAD_S - 0.1)
    assert not wire.transport.closed
    wire.clock.advance(0.2)
    assert wire.transport.closed
    assert wire.transport.sent == b""
    assert await gone(wire)


async def test_a_head_must_be_complete_in_time() -> None:
    wire = Wire()
    for byte in request("/", [HOST])[:9]:
        await wire.receive(bytes([byte]))
        wire.clock.advance(1.0)
    assert wire.transport.sent == b""
    wire.clock.advance(1.1)
    assert refused(wire) == (408, "the head of the request did not come within 10 s")
    assert wire.transport.eof
    assert await gone(wire)


async def test_between_requests_a_client_may_rest_and_then_take_its_time() -> None:
    wire = Wire()
    for _ in range(3):
        await wire.receive(request("/", [HOST])[:10])
        wire.clock.advance(HEAD_S - 1)
        await wire.receive(request("/", [HOST])[10:])
        wire.clock.advance(10 * HEAD_S)  # the application takes its time too
        await answer(wire)
        assert wire.answer()[0] == 200
        wire.clock.advance(HEAD_S - 1)
    assert not wire.transport.closed
    wire.clock.advance(1.1)
    assert wire.transport.closed
    assert wire.transport.sent == b""


async def test_a_body_must_come_in_time() -> None:
    wire = Wire()
    await wire.receive(request("/", [HOST, ("Content-Length", "1000")], "POST"))
    asked = asyncio.create_task(wire.application.receive())
    for _ in range(9):
        wire.clock.advance(1.0)
        await wire.receive(b"x")
    wire.clock.advance(1.1)
    assert refused(wire) == (408, "the body of the request did not come within 10 s")
    event = await asked
    while event["type"] == "http.request":
        event = await wire.application.receive()
    assert event["type"] == "http.disconnect"
    assert await gone(wire)


async def test_a_large_body_may_come_as_it_can() -> None:
    wire = Wire()
    await wire.receive(request("/", [HOST, ("Content-Length", str(10 * PROGRESS_BYTES))], "POST"))
    for _ in range(10):
        wire.clock.advance(HEAD_S - 1)
        wire.transport.receive(bytes(PROGRESS_BYTES))
        while not wire.transport.reading:
            # The application does not read; that is not the client's fault.
            wire.clock.advance(3 * HEAD_S)
            assert wire.transport.sent == b""
            await wire.application.receive()
    await answer(wire)
    assert wire.answer()[0] == 200


async def test_an_answer_before_the_body_ends_the_connection_but_can_be_read() -> None:
    wire = Wire()
    await wire.receive(request("/", [HOST, ("Content-Length", "3000000000")], "POST") + bytes(1000))
    await answer(wire, 413)
    assert wire.answer()[0] == 413
    assert wire.transport.eof
    assert not wire.transport.closed
    for _ in range(FAREWELL_BYTES // 65_536):
        wire.transport.receive(bytes(65_536))
    assert not wire.transport.closed
    wire.transport.receive(bytes(65_536))
    assert wire.transport.aborted
    assert await gone(wire)


async def test_a_client_that_does_not_take_its_refusal_is_cut() -> None:
    wire = Wire()
    wire.transport.stuck = True
    await wire.receive(b"nonsense\r\n\r\n")
    wire.clock.advance(FAREWELL_S)
    assert await gone(wire)


# --- the door


async def test_a_connection_gives_its_place_back_once() -> None:
    wire = Wire()
    assert wire.door.connections == 1
    wire.transport.lose()
    await turns()
    wire.entry.leave()
    assert wire.door.connections == 0


def crowded() -> Door:
    door = Door(1, 10, lambda _: None)
    door.enter("198.51.100.1")
    return door


async def test_a_visitor_may_ask_one_thing() -> None:
    wire = Wire(door=crowded())
    assert wire.entry.visitor
    await wire.receive(request("/health", [HOST]))
    await answer(wire)
    assert wire.answer() == (200, b"ok")
    assert wire.transport.closed


async def test_a_visitor_opens_no_socket() -> None:
    wire = Wire(door=crowded())
    await wire.receive(request("/socket", UPGRADE))
    assert refused(wire)[0] == 503
    wire.clock.advance(FAREWELL_S + 0.1)
    await turns()
    assert wire.transport.closed
    assert wire.door.connections == 1


async def test_the_newest_visitor_takes_the_place_of_the_oldest_that_asks_nothing() -> None:
    door = crowded()
    busy = Wire(door=door)
    await busy.receive(request("/health", [HOST]))
    idle = [Wire(door=door) for _ in range(RESERVE - 1)]
    newest = Wire(door=door)
    assert [wire.transport.closed for wire in (busy, *idle, newest)] == [False, True] + [False] * (RESERVE - 1)
    assert door.connections == 1 + RESERVE
    await answer(busy)
    assert busy.answer()[0] == 200
    await newest.receive(request("/health", [HOST]))
    await answer(newest)
    assert newest.answer()[0] == 200
    await turns()
    assert door.connections == 1 + RESERVE - 2


async def test_where_all_visitors_are_being_answered_nobody_else_comes_in() -> None:
    door = crowded()
    visitors = [Wire(door=door) for _ in range(RESERVE)]
    for wire in visitors:
        await wire.receive(request("/slow", [HOST]))
    assert door.enter("198.51.100.2") is None
    for wire in visitors:
        wire.transport.lose()
    await turns()
    assert door.enter("198.51.100.2") is not None


async def test_pipelined_requests_are_answered_in_turn() -> None:
    wire = Wire()
    await wire.receive(request("/one", [HOST]) + request("/two", [HOST]))
    paths: list[Any] = []
    for _ in range(2):
        paths.append(wire.application.scope["path"])
        await answer(wire)
    assert paths == ["/one", "/two"]
    assert bytes(wire.transport.sent).count(b"200 OK") == 2
    wire.clock.advance(HEAD_S + 0.1)
    assert wire.transport.closed


async def test_a_visitor_gives_way_even_before_its_connection_has_begun() -> None:
    door = crowded()
    (first, *_) = [door.enter("198.51.100.3") for _ in range(RESERVE)]
    assert first is not None
    newest = Wire(door=door)
    assert first.withdrawn
    assert not newest.transport.closed
    late = Wire(door=door)
    late.entry.withdrawn = True
    late.http.connection_made(late.transport)
    assert late.transport.aborted
