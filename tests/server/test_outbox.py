import asyncio

import pytest

from dragoman.server.commands import Close, Send
from dragoman.server.failures import OutputNotRead
from dragoman.server.outbox import MAX_MESSAGES, Outbox


async def test_fifo_up_to_the_close() -> None:
    outbox = Outbox(10)
    for output in (Send("a"), Send("b", 3.0), Close(1000), Send("late"), Close(1001)):
        outbox.put(output)
    assert [await outbox.get() for _ in range(3)] == [Send("a"), Send("b", 3.0), Close(1000)]
    assert outbox.closing
    waiting = asyncio.create_task(outbox.get())
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()


async def test_audio_is_bounded_and_room_comes_back() -> None:
    outbox = Outbox(10)
    outbox.put(Send("a", 6.0))
    with pytest.raises(OutputNotRead, match="10 s"):
        outbox.put(Send("b", 6.0))
    assert await outbox.get() == Send("a", 6.0)
    outbox.put(Send("b", 60.0))
    with pytest.raises(OutputNotRead):
        outbox.put(Send("c", 0.1))
    outbox.put(Close(1011))
    outbox.clear()
    assert outbox.closing


async def test_messages_without_audio_are_bounded_too() -> None:
    outbox = Outbox(10)
    for _ in range(MAX_MESSAGES):
        outbox.put(Send(""))
    with pytest.raises(OutputNotRead):
        outbox.put(Send(""))
