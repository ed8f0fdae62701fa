import asyncio

from dragoman.pipeline.queues import MeteredQueue


async def test_fifo_and_weight() -> None:
    queue: MeteredQueue[str] = MeteredQueue(10)
    await queue.put("a", 4)
    await queue.put("b", 6)
    assert (queue.weight, len(queue)) == (10, 2)
    assert [await queue.get(), await queue.get()] == ["a", "b"]
    assert queue.weight == 0


async def test_put_waits_for_room_and_markers_do_not() -> None:
    queue: MeteredQueue[str] = MeteredQueue(10)
    await queue.put("a", 10)
    await queue.put("marker", 0)
    waiting = asyncio.create_task(queue.put("b", 1))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert await queue.get() == "a"
    await waiting
    assert [await queue.get(), await queue.get()] == ["marker", "b"]


async def test_an_item_over_the_limit_is_let_into_an_empty_queue() -> None:
    queue: MeteredQueue[str] = MeteredQueue(1)
    await queue.put("huge", 100)
    assert await queue.get() == "huge"


async def test_get_waits() -> None:
    queue: MeteredQueue[str] = MeteredQueue(1)
    getting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    assert not getting.done()
    await queue.put("a")
    assert await getting == "a"


async def test_closing_releases_whoever_waits_for_room() -> None:
    queue: MeteredQueue[str] = MeteredQueue(1)
    await queue.put("a")
    waiting = asyncio.create_task(queue.put("b"))
    await asyncio.sleep(0)
    queue.close()
    await waiting
    await queue.put("c")
    assert len(queue) == 0
