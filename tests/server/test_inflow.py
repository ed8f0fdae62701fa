"""What may pass, and when; no sockets here."""

import pytest

from dragoman.server.inflow import FRAME_BYTES, MOST_BYTES, MOST_MESSAGES, Inflow, TooLarge
from tests.server.wire import frame, header_only

SMALL, LARGE = 1000, 100_000


def inflow(*, admitted: bool = False, wanted: bool = False) -> Inflow:
    made = Inflow(SMALL, LARGE)
    made.wanted = wanted
    if admitted:
        made.admit()
    return made


def taken(flow: Inflow) -> bytes:
    return b"".join(bytes(piece) for piece in iter(flow.take, None))


def test_before_admission_a_message_passes_when_it_is_asked_for() -> None:
    flow = inflow()
    first, second = frame(b"setup"), frame(b"another")
    flow.put(first + second)
    assert (flow.take(), flow.blocked) == (None, True)
    flow.wanted = True
    assert flow.take() == first
    flow.delivered(5)
    assert (flow.take(), flow.blocked) == (None, True)
    flow.consumed()
    assert flow.take() == second


def test_a_large_message_behind_the_first_waits_for_the_admission() -> None:
    flow = inflow(wanted=True)
    first, large = frame(b"setup"), frame(bytes(SMALL + 1))
    flow.put(first + large)
    assert flow.take() == first
    flow.delivered(5)
    flow.wanted = False
    flow.consumed()
    assert (flow.take(), flow.blocked) == (None, True)
    flow.admit()
    assert taken(flow) == large


@pytest.mark.parametrize("length", [SMALL + 1, 65_536, 1 << 40, (1 << 63) - 1])
def test_a_large_message_that_is_asked_for_is_known_by_its_header(length: int) -> None:
    flow = inflow(wanted=True)
    flow.put(header_only(length))
    with pytest.raises(TooLarge) as caught:
        flow.take()
    assert caught.value.limit_bytes == SMALL
    with pytest.raises(TooLarge):
        flow.take()


def test_messages_as_large_as_the_limits_pass() -> None:
    for flow, size in ((inflow(wanted=True), SMALL), (inflow(admitted=True), LARGE)):
        whole = frame(bytes(size))
        flow.put(whole)
        assert taken(flow) == whole
    flow.put(frame(bytes(LARGE + 1)))
    with pytest.raises(TooLarge):
        flow.take()


@pytest.mark.parametrize("payload", [b"", b"x", bytes(FRAME_BYTES)])
def test_no_frame_of_a_message_counts_less_than_its_cost(payload: bytes) -> None:
    flow = inflow(admitted=True)
    flow.put(frame(payload, last=False))
    passed = 1
    with pytest.raises(TooLarge):
        for _ in range(LARGE):
            flow.put(frame(payload, 0, last=False))
            passed += taken(flow) != b""
    assert passed == LARGE // FRAME_BYTES


def test_fragments_are_one_message() -> None:
    flow = inflow(wanted=True)
    half = bytes(SMALL // 2)
    flow.put(frame(half, last=False) + frame(b"ping", 9) + frame(half, 0))
    assert taken(flow) != b""
    flow.delivered(SMALL)
    flow.consumed()
    flow.put(frame(half, last=False) + frame(half + b"x", 0))
    with pytest.raises(TooLarge):
        taken(flow)


@pytest.mark.parametrize("opcode", [8, 9, 10, 15])
@pytest.mark.parametrize("length", [126, 1 << 25])
def test_a_ping_is_short(opcode: int, length: int) -> None:
    flow = inflow(admitted=True)
    flow.put(header_only(length, opcode))
    with pytest.raises(TooLarge):
        flow.take()
    flow.end()
    with pytest.raises(TooLarge):
        flow.take()


def test_marks_by_count() -> None:
    flow = inflow(admitted=True)
    for _ in range(MOST_MESSAGES - 1):
        flow.delivered(1)
    flow.put(frame(b"x") * 3)
    assert flow.take() is not None
    flow.delivered(1)
    for left in range(MOST_MESSAGES - 1, MOST_MESSAGES // 2, -1):
        assert (flow.take(), flow.blocked) == (None, True), left
        flow.consumed()
    flow.consumed()
    assert flow.take() is not None


def test_marks_by_size() -> None:
    flow = inflow(admitted=True)
    flow.put(frame(b"x"))
    for _ in range(3):
        flow.delivered(MOST_BYTES // 2)
    assert (flow.take(), flow.blocked) == (None, True)
    flow.consumed()
    assert flow.take() is None
    flow.consumed()
    assert flow.take() is not None


def test_at_the_end_messages_are_thrown_away_and_the_rest_passes() -> None:
    flow = inflow()
    close = frame(b"\x03\xe8", 8)
    flow.put(frame(bytes(SMALL)) + frame(b"half", last=False))
    assert flow.take() is None
    flow.end()
    flow.put(header_only(1 << 40)[:3])
    assert taken(flow) == b""
    flow = inflow(admitted=True)
    begun = frame(bytes(100))
    flow.put(begun[:50])
    assert taken(flow) == begun[:50]
    flow.end()
    flow.put(begun[50:] + frame(bytes(LARGE * 2)) + frame(b"x", 2) + close)
    assert taken(flow) == begun[50:] + close


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64, 1000])
def test_wherever_the_bytes_are_cut(step: int) -> None:
    flow = inflow(admitted=True)
    sizes = [(size, opcode) for size in (0, 1, 125) for opcode in (1, 2, 9)] + [(126, 1), (700, 2), (70_000, 2)]
    sent = b"".join(frame(bytes(size), opcode) for size, opcode in sizes)
    passed = bytearray()
    for start in range(0, len(sent), step):
        flow.put(sent[start : start + step])
        passed += taken(flow)
    assert passed == sent
