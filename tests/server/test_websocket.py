"""The socket's protocol on a fake connection: handshakes, how much is read, pings, and how it ends. No network here."""

import asyncio
import logging
import struct
from typing import Any

import pytest
from uvicorn.protocols.utils import ClientDisconnected

from dragoman.server.inflow import FRAME_BYTES, MOST_BYTES, MOST_MESSAGES
from dragoman.server.keepalive import GONE_S, LOOK_EVERY_S
from dragoman.server.websocket import FRAMES_A_TURN, TOO_LARGE_S, transport_of
from tests.fakes.transport import turns
from tests.server.wire import Wire, frame, header_only, opened

CONTROL = 65_536


async def received(wire: Wire, count: int) -> list[Any]:
    """The next messages that the application gets."""
    events = [await wire.application.receive() for _ in range(count)]
    return [event.get("text", event.get("bytes")) for event in events]


def close(code: int, reason: str = "") -> tuple[int, bytes]:
    return 8, struct.pack("!H", code) + reason.encode()


# --- before a session is open


async def test_a_large_message_that_is_asked_for_ends_the_connection() -> None:
    wire = await opened()
    asked = asyncio.create_task(wire.application.receive())
    await wire.receive(frame(bytes(CONTROL + 1), 2)[: CONTROL // 2])
    assert not wire.transport.reading
    assert not asked.done()
    wire.clock.advance(TOO_LARGE_S)
    assert wire.frames() == [close(1009, f"message is larger than {CONTROL} bytes")]
    event = await asked
    assert (event["type"], event["code"]) == ("websocket.disconnect", 1009)
    # It is read no more, but thrown away, so that the client can read why.
    assert wire.transport.eof
    wire.application.over.set()
    await turns()
    assert not wire.transport.closed
    wire.transport.receive(bytes(CONTROL))
    wire.clock.advance(1.0)
    await turns()
    assert wire.transport.closed
    assert wire.door.connections == 0
    with pytest.raises(ClientDisconnected):
        await wire.application.send({"type": "websocket.send", "text": "too late"})


async def test_what_is_kept_of_a_message_that_is_too_large() -> None:
    wire = await opened()
    asked = asyncio.create_task(wire.application.receive())
    await wire.receive(header_only(31 << 20))
    # A client would go on, and nobody reads it.
    assert not wire.transport.reading
    assert len(wire.socket._inflow._held) < 64
    asked.cancel()


async def test_fragments_are_added_up() -> None:
    wire = await opened()
    asked = asyncio.create_task(wire.application.receive())
    await wire.receive(frame(bytes(CONTROL), 2, last=False) + frame(b"x", 0, last=False))
    wire.clock.advance(TOO_LARGE_S)
    assert wire.frames() == [close(1009, f"message is larger than {CONTROL} bytes")]
    assert (await asked)["type"] == "websocket.disconnect"


async def test_a_message_of_empty_frames_ends() -> None:
    wire = await opened()
    asked = asyncio.create_task(wire.application.receive())
    await turns()
    await wire.receive(frame(b"", last=False))
    sent = 0
    while wire.transport.reading:
        await wire.receive(frame(b"", 0, last=False) * FRAMES_A_TURN)
        sent += FRAMES_A_TURN
    assert sent <= CONTROL // FRAME_BYTES + 2 * FRAMES_A_TURN
    wire.clock.advance(TOO_LARGE_S)
    assert wire.frames()[0][0] == 8
    await asked


async def test_a_small_first_message_and_a_large_one_in_one_segment() -> None:
    wire = await opened()
    large = bytes(200_000)
    await wire.receive(frame(b"setup") + frame(large, 2))
    assert await received(wire, 1) == ["setup"]
    await turns()
    wire.clock.advance(10.0)
    assert wire.frames() == []
    assert not wire.transport.reading
    assert not wire.application.transport.admitted
    wire.application.transport.admit()
    assert wire.application.transport.admitted
    assert await received(wire, 1) == [large]
    assert wire.transport.reading


async def test_who_refuses_the_first_message_says_why_before_the_second_counts() -> None:
    wire = await opened()
    await wire.receive(frame(b"setup") + frame(bytes(200_000), 2))
    assert await received(wire, 1) == ["setup"]
    asked = asyncio.create_task(wire.application.receive())
    await turns()
    await wire.application.send({"type": "websocket.send", "text": "no room"})
    await wire.application.send({"type": "websocket.close", "code": 1013})
    await wire.receive(frame(struct.pack("!H", 1013), 8))
    assert wire.frames() == [(1, b"no room"), close(1013)]
    assert wire.transport.closed
    assert (await asked)["type"] == "websocket.disconnect"


async def test_admission_in_time_saves_a_large_message_that_was_asked_for() -> None:
    wire = await opened()
    asked = asyncio.create_task(wire.application.receive())
    large = frame(bytes(200_000), 2)
    await wire.receive(large[:100_000])
    wire.application.transport.admit()
    await wire.receive(large[100_000:])
    wire.clock.advance(TOO_LARGE_S)
    assert len((await asked)["bytes"]) == 200_000


async def test_admission_counts_at_the_door() -> None:
    wire = await opened()
    assert wire.door._waiting
    wire.application.transport.admit()
    wire.application.transport.admit()
    assert not wire.door._waiting
    assert wire.door.connections == 1
    wire.transport.lose()
    await turns()
    assert wire.door.connections == 0
    assert wire.clock.pending == 0


def test_where_there_is_no_transport_of_ours_nothing_is_limited() -> None:
    for scope in ({}, {"state": {}}):
        transport = transport_of(scope)
        transport.admit()
        assert transport.admitted


# --- reading


async def test_reading_goes_on_until_enough_waits_and_again_at_half_of_it() -> None:
    wire = await opened(admitted=True)
    many = b"".join(frame(str(number).encode()) for number in range(3 * MOST_MESSAGES))
    await wire.receive(many)
    assert wire.transport.pauses == 1
    assert wire.socket.queue.qsize() == MOST_MESSAGES
    got = await received(wire, MOST_MESSAGES // 2 - 1)
    assert wire.socket.queue.qsize() == MOST_MESSAGES // 2 + 1
    got += await received(wire, 3 * MOST_MESSAGES - len(got))
    assert got == [str(number) for number in range(3 * MOST_MESSAGES)]
    assert wire.transport.reading
    assert wire.transport.pauses <= 4


async def test_a_client_in_real_time_is_never_paused() -> None:
    wire = await opened(admitted=True)
    for number in range(100):
        await wire.receive(frame(b"%d" % number))
        assert await received(wire, 1) == [str(number)]
    assert wire.transport.pauses == 0


async def test_large_messages_wait_by_their_size() -> None:
    wire = await opened(admitted=True)
    large = frame(bytes(MOST_BYTES // 2), 2)
    for _ in range(3):
        await wire.receive(large)
    assert wire.socket.queue.qsize() == 2
    assert not wire.transport.reading
    assert len(wire.socket._inflow._held) == len(large)
    await received(wire, 1)
    assert wire.socket.queue.qsize() == 2
    await received(wire, 2)
    assert wire.transport.reading


async def test_what_was_sent_before_the_close_is_heard_before_it() -> None:
    wire = await opened(admitted=True)
    await wire.receive(frame(b"x") * 40 + frame(struct.pack("!H", 1000), 8))
    assert await received(wire, 40) == ["x"] * 40
    event = await wire.application.receive()
    assert (event["type"], event["code"]) == ("websocket.disconnect", 1000)
    assert wire.frames() == [close(1000)]


async def test_tiny_frames_leave_room_for_others() -> None:
    """A socket read of 256 KiB holds 37 000 of them; no turn of the loop handles more than a few."""
    wire = await opened(admitted=True)
    seen = 0
    receive_data = wire.socket.conn.receive_data

    def counted(data: bytes) -> None:
        nonlocal seen
        seen += 1
        receive_data(data)

    wire.socket.conn.receive_data = counted  # type: ignore[method-assign]
    wire.transport.receive(frame(b"x", last=False) + frame(b"x", 0, last=False) * 10_000 + frame(b"x", 0))
    a_turn = []
    while seen < 10_002:
        a_turn.append(seen)
        assert not wire.transport.reading
        seen_before = seen
        await asyncio.sleep(0)
        assert seen - seen_before <= FRAMES_A_TURN
    assert len(a_turn) >= 10_002 // FRAMES_A_TURN
    assert await received(wire, 1) == ["x" * 10_002]
    assert wire.transport.reading


async def test_a_message_of_fragments_takes_its_own_size() -> None:
    wire = await opened(admitted=True)
    await wire.receive(frame(b"x", last=False))
    for _ in range(100):
        await wire.receive(frame(b"x", 0, last=False) * FRAMES_A_TURN)
        await turns(3)
    assert (wire.socket.frames, wire.socket.conn.events) == ([], [])
    assert wire.socket._message == bytearray(b"x" * (100 * FRAMES_A_TURN + 1))


async def test_kinds_of_messages() -> None:
    wire = await opened(admitted=True)
    await wire.receive(frame("é".encode()) + frame(b"\xe9", 2) + frame(b"", 2) + frame(b""))
    await wire.receive(frame("é".encode()[:1], last=False) + frame(b"!", 9) + frame("é".encode()[1:], 0))
    await wire.receive(frame(b"", 2, last=False) + frame(b"ab", 0, last=False) + frame(b"", 0))
    assert await received(wire, 6) == ["é", b"\xe9", b"", "", "é", b"ab"]


async def test_a_text_that_is_not_utf8(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    wire = await opened(admitted=True)
    await wire.receive(frame(b"\xff\xfe") + frame(b"more"))
    assert wire.frames() == [close(1007, "a text message is not UTF-8")]
    assert (await wire.application.receive())["code"] == 1007
    ours = [
        (record.levelname, record.exc_info, record.getMessage()) for record in caplog.records if "closed" in record.msg
    ]
    assert ours == [("INFO", None, "closed a socket: 1007 a text message is not UTF-8")]
    assert {record.levelname for record in caplog.records} == {"INFO"}


@pytest.mark.parametrize(
    "wrong", [b"\x81\x01x", b"\x83\x80" + bytes(4), b"\xc1\x80" + bytes(4), b"\x80\x80" + bytes(4)]
)
async def test_what_is_no_frame(wrong: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    wire = await opened(admitted=True)
    await wire.receive(wrong)
    ((opcode, payload),) = wire.frames()
    assert (opcode, payload[:2]) == (8, struct.pack("!H", 1002))
    assert wire.transport.eof
    assert {record.levelname for record in caplog.records} == {"INFO"}


# --- pings


async def test_pings_are_answered() -> None:
    wire = await opened()
    asked = asyncio.create_task(wire.application.receive())
    await turns()
    await wire.receive(frame(b"1", 9) + frame(b"2", 9))
    assert wire.frames() == [(10, b"1"), (10, b"2")]
    asked.cancel()


async def test_answers_that_nobody_reads_do_not_pile_up() -> None:
    wire = await opened(admitted=True)
    wire.transport.stuck = True
    for number in range(1000):
        await wire.receive(b"".join(frame(b"%125d" % (100 * number + one), 9) for one in range(FRAMES_A_TURN)))
        await turns(2)
    assert len(wire.transport.buffer) < 65_536 + 2 * 127
    wire.transport.release()
    answers = wire.frames()
    assert answers[-1] == (10, b"%125d" % (99_900 + FRAMES_A_TURN - 1))
    await wire.receive(frame(b"again", 9))
    assert wire.frames() == [(10, b"again")]


# --- writing and the end


async def test_nothing_is_written_to_a_connection_that_is_lost() -> None:
    wire = await opened(admitted=True)
    # As asyncio does when a write fails: it is known at once, and told a turn later.
    wire.transport.closed = True
    for _ in range(10):
        with pytest.raises(ClientDisconnected):
            await wire.application.send({"type": "websocket.send", "text": "x"})
    assert wire.frames() == []


async def test_after_our_close_messages_are_thrown_away() -> None:
    wire = await opened(admitted=True)
    await wire.receive(frame(b"x") * (MOST_MESSAGES + 5))
    assert not wire.transport.reading
    await wire.application.send({"type": "websocket.close", "code": 1000})
    assert wire.transport.reading
    waiting = wire.socket.queue.qsize()
    for _ in range(100):
        await wire.receive(frame(bytes(50_000), 2))
    assert wire.socket.queue.qsize() == waiting
    assert len(wire.socket._inflow._held) + len(wire.socket.conn.reader.buffer) < 64
    assert wire.frames() == [close(1000)]
    await wire.receive(frame(struct.pack("!H", 1000), 8))
    assert wire.transport.closed


async def test_a_second_signal_closes_with_1012() -> None:
    wire = await opened(admitted=True)
    wire.socket.shutdown()
    assert wire.frames() == [close(1012)]
    assert (await wire.application.receive())["code"] == 1012


class VanishedSocket:
    """Its peer acknowledged nothing since the beginning of the clock."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        return bytes(24) + struct.pack("=I28xI", 3, int(self._wire.clock.time() * 1000))


async def test_a_client_that_acknowledges_nothing_is_gone() -> None:
    wire = await opened(admitted=True)
    wire.transport._extra["socket"] = VanishedSocket(wire)  # type: ignore[attr-defined]
    wire.clock.advance(GONE_S - 1)
    assert not wire.transport.aborted
    wire.clock.advance(2 * LOOK_EVERY_S)
    assert wire.transport.aborted
    await turns()
    assert (await wire.application.receive())["type"] == "websocket.disconnect"
    assert wire.door.connections == 0
