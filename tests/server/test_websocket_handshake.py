"""Handshakes on a fake connection: long ones, wrong ones, and those that are refused. No network here."""

import logging

import pytest

from tests.fakes.transport import turns
from tests.server.wire import UPGRADE, Wire, frame, opened, request


@pytest.mark.parametrize(
    ("path", "extra"),
    [
        ("/socket?" + "terms=" + "%E0%A4%95" * 64 * 50, []),
        ("/socket?" + "a" * 60_000, []),
        ("/socket", [("Cookie", "c" * 60_000)]),
        ("/socket", [(f"X-{number}", "v") for number in range(1000)]),
        ("/socket", [("Content-Length", "0")]),
        ("/socket", [("X-Name", "caf\u00e9")]),
    ],
)
async def test_long_handshakes_are_answered(path: str, extra: list[tuple[str, str]]) -> None:
    wire = Wire()
    await wire.receive(request(path, [*UPGRADE, *extra]).decode().encode("latin-1"))
    await wire.application.receive()
    await wire.application.send({"type": "websocket.accept"})
    assert wire.answer()[0] == 101
    assert wire.application.scope["query_string"].decode() == path.partition("?")[2]
    headers = dict(wire.application.scope["headers"])
    assert all(headers[name.lower().encode()] == value.encode("latin-1") for name, value in extra)


@pytest.mark.parametrize(
    ("path", "extra", "status"),
    [
        ("/socket?" + "a" * 66_000, [], 414),
        ("/socket?" + "a" * 300_000, [], 414),
        ("/socket", [("Cookie", "c" * 66_000)], 431),
        ("/socket?" + "a" * 40_000, [("Cookie", "c" * 40_000)], 431),
        ("/socket", [(f"X-{number}", "v" * 50) for number in range(2000)], 431),
        ("/socket", [("Content-Length", "5")], 400),
        ("/socket", [("Transfer-Encoding", "chunked")], 400),
        ("/socket", [("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")], 400),
        ("/socket", [("Origin", "http://a"), ("Origin", "http://b")], 400),
    ],
)
@pytest.mark.parametrize("step", [1_000_000, 1000])
async def test_other_handshakes_are_answered_too_and_the_connection_ends(
    path: str, extra: list[tuple[str, str]], status: int, step: int
) -> None:
    wire = Wire()
    head = request(path, [*UPGRADE, *extra])
    for start in range(0, len(head), step):
        if wire.transport.reading:
            wire.transport.receive(head[start : start + step])
    await turns()
    assert wire.answer()[0] == status
    assert wire.transport.eof or wire.transport.closed
    wire.clock.advance(2.0)
    await turns()
    assert wire.transport.closed
    assert wire.application.calls == 0
    assert wire.door.connections == 0
    assert wire.clock.pending == 0


async def test_what_comes_before_the_answer_waits() -> None:
    wire = Wire()
    await wire.receive(request("/socket", UPGRADE) + frame(b"early"))
    assert not wire.transport.reading
    await wire.application.receive()
    await wire.application.send({"type": "websocket.accept"})
    assert (await wire.application.receive())["text"] == "early"
    assert wire.transport.reading


async def test_a_refused_socket_is_one_line_for_the_operator(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    wire = await opened(accept=False)
    await wire.application.send({"type": "websocket.http.response.start", "status": 401, "headers": []})
    await wire.application.send({"type": "websocket.http.response.body", "body": b"API key is missing"})
    wire.application.over.set()
    await turns()
    assert wire.answer() == (401, b"API key is missing")
    assert wire.transport.closed
    told = [(record.name, record.levelname, record.getMessage()) for record in caplog.records]
    ours = [line for line in told if line[0].startswith("dragoman")]
    assert ours == [("dragoman.server.websocket", "INFO", "refused a socket at /socket: 401 API key is missing")]
    assert [line for line in told if line[1] not in ("INFO", "DEBUG")] == []


async def test_a_socket_that_nobody_serves_is_one_line_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dragoman")
    wire = Wire()
    await wire.receive(request("/nowhere?token=secret", UPGRADE))
    await wire.application.send({"type": "websocket.close"})
    wire.application.over.set()
    await turns()
    assert wire.answer()[0] == 403
    assert [record.getMessage() for record in caplog.records] == ["refused a socket at /nowhere: 403"]


async def test_an_application_that_forgets_a_socket_is_a_fault_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    wire = await opened(accept=False)
    wire.application.over.set()
    await turns()
    assert wire.answer()[0] == 500
    assert [record.levelname for record in caplog.records] == ["ERROR"]
