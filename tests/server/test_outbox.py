import asyncio

from dragoman.server.commands import Close, Send
from dragoman.server.outbox import OVERHEAD_BYTES, Outbox

MANY = 2**30


async def test_first_in_first_out() -> None:
    outbox = Outbox(10, MANY)
    outputs = [Send("a"), Send(b"b", 3.0), Close(1000)]
    assert [outbox.put(output) for output in outputs] == [None] * 3
    assert [await outbox.get() for _ in range(3)] == outputs
    waiting = asyncio.create_task(outbox.get())
    await asyncio.sleep(0)
    assert not waiting.done()
    outbox.put(Send("c"))
    assert await waiting == Send("c")


async def test_audio_is_bounded_and_room_comes_back() -> None:
    outbox = Outbox(10, MANY)
    assert outbox.put(Send("a", 6.0)) is None
    assert outbox.put(Send("b", 6.0)) == "more than 10 s of audio"
    assert await outbox.get() == Send("a", 6.0)
    assert outbox.put(Send("b", 60.0)) is None  # however long it is, for nothing else waits
    assert outbox.put(Send("c", 0.1)) is not None
    outbox.clear()
    assert outbox.put(Send("c", 0.1)) is None


async def test_bytes_are_bounded_whatever_the_messages_are() -> None:
    limit = 1_000_000
    for message in (Send(""), Send("x" * 10_000), Send("ж" * 10_000), Send(b"x" * 10_000)):
        outbox, taken = Outbox(10, limit), 0
        while outbox.put(message) is None:
            taken += 1
        assert limit / 2 < taken * (len(message.data) + OVERHEAD_BYTES) <= limit
        assert outbox.put(message) == "more than 1000000 bytes of messages"
        assert 0 < outbox.size_bytes <= limit
        for _ in range(taken):
            await outbox.get()
        assert outbox.size_bytes == 0


async def test_last_words_always_have_room() -> None:
    outbox = Outbox(1, 65_536)
    outbox.put(Send("a" * 65_000, 1.0))
    assert outbox.put(Send("b", 1.0)) is not None
    outbox.force(Send("why", 0.0))
    outbox.force(Close(1011))
    assert len(outbox) == 3
