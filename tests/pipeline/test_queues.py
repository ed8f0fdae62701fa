import asyncio
from collections.abc import Callable

import pytest

from dragoman.pipeline.queues import MOST_ITEMS, MeteredQueue


async def waits(queue: MeteredQueue[str], item: str, weight: float = 1.0) -> asyncio.Task[None]:
    """A task that has put the item and waits for room."""
    waiting = asyncio.create_task(queue.put(item, weight))
    await asyncio.sleep(0)
    assert not waiting.done()
    return waiting


async def test_fifo_and_weight() -> None:
    queue: MeteredQueue[str] = MeteredQueue(10)
    await queue.put("a", 4)
    await queue.put("b", 6)
    assert (queue.weight, len(queue)) == (10, 2)
    assert [await queue.get(), await queue.get()] == ["a", "b"]
    assert queue.weight == 0


async def test_whoever_puts_more_than_the_limit_waits_for_room() -> None:
    queue: MeteredQueue[str] = MeteredQueue(10)
    await queue.put("a", 10)
    waiting = await waits(queue, "b", 1)
    assert queue.full
    assert await queue.get() == "a"
    await waiting
    assert await queue.get() == "b"


async def test_markers_weigh_nothing_and_yet_there_are_not_many_of_them() -> None:
    queue: MeteredQueue[str] = MeteredQueue(10)
    for _ in range(MOST_ITEMS):
        await queue.put("marker", 0)
    waiting = await waits(queue, "marker", 0)
    assert queue.weight == 0
    await queue.get()
    await waiting


async def test_what_is_pushed_keeps_its_place_behind_who_waits() -> None:
    queue: MeteredQueue[str] = MeteredQueue(1)
    queue.push("a")
    waiting = await waits(queue, "b")
    queue.push("c")
    assert [await queue.get(), await queue.get(), await queue.get()] == ["a", "b", "c"]
    await waiting


async def test_an_item_over_the_limit_does_not_wait_when_it_is_alone() -> None:
    queue: MeteredQueue[str] = MeteredQueue(1)
    await queue.put("huge", 100)
    assert not queue.full
    waiting = await waits(queue, "b")
    assert await queue.get() == "huge"
    await waiting


async def test_get_waits() -> None:
    queue: MeteredQueue[str] = MeteredQueue(1)
    assert not queue.starved
    getting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    assert not getting.done()
    assert queue.starved
    await queue.put("a")
    assert not queue.starved
    assert await getting == "a"


async def test_a_consumer_that_is_gone_is_not_starved() -> None:
    queue: MeteredQueue[str] = MeteredQueue(1)
    getting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    getting.cancel()
    await asyncio.wait({getting})
    assert not queue.starved


async def test_get_before_gives_what_comes_first_and_items_before_the_other() -> None:
    queue: MeteredQueue[str] = MeteredQueue(1)
    other: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    getting = asyncio.create_task(queue.get_before(other))
    await asyncio.sleep(0)
    queue.push("a")
    assert await getting == "a"
    getting = asyncio.create_task(queue.get_before(other))
    await asyncio.sleep(0)
    other.set_result(None)
    assert await getting is None
    assert await queue.get_before(other) is None
    queue.push("b")
    assert await queue.get_before(other) == "b"


async def test_discarding_makes_room() -> None:
    queue: MeteredQueue[str] = MeteredQueue(1)
    queue.push("a")
    waiting = await waits(queue, "b")
    queue.discard(lambda item: item == "a")
    await waiting
    assert await queue.get() == "b"


@pytest.mark.parametrize("close", [MeteredQueue.close, lambda queue: (queue.close(), queue.close())])
async def test_closing_releases_whoever_waits_for_room(close: Callable[[MeteredQueue[str]], object]) -> None:
    queue: MeteredQueue[str] = MeteredQueue(1)
    await queue.put("a")
    waiting = [await waits(queue, "b"), await waits(queue, "c")]
    close(queue)
    await asyncio.gather(*waiting)
    await queue.put("d", 100)
    queue.push("e")
    await queue.put("f")
    assert (len(queue), queue.weight) == (0, 0)
