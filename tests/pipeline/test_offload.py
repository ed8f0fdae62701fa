import asyncio
import threading

import pytest

from dragoman.pipeline.offload import Offload, OwnThread
from tests.waiting import PATIENCE_S

NAME = "dragoman-test"


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == NAME]


async def test_the_pool_gives_results_and_raises_what_was_raised() -> None:
    offload = Offload()
    try:
        assert await offload.run(divmod, 7, 2) == (3, 1)
        with pytest.raises(ZeroDivisionError):
            await offload.run(divmod, 7, 0)
    finally:
        offload.close()


async def test_an_own_thread_does_one_thing_after_the_other() -> None:
    own, order = OwnThread(NAME), list[int]()
    assert threads() == []
    calls = [own.run(order.append, number) for number in range(5)]
    await asyncio.gather(*calls)
    assert order == list(range(5))
    (thread,) = threads()
    assert thread.daemon
    with pytest.raises(ZeroDivisionError):
        await own.run(divmod, 7, 0)
    assert await own.run(divmod, 7, 2) == (3, 1)
    own.close()
    own.close()
    await asyncio.to_thread(thread.join, PATIENCE_S)
    assert threads() == []


async def test_what_nobody_waits_for_any_more_is_not_begun() -> None:
    own, entered, released = OwnThread(NAME), threading.Event(), threading.Event()
    done: list[str] = []

    def hold() -> None:
        entered.set()
        assert released.wait(PATIENCE_S)

    running, waiting = asyncio.create_task(own.run(hold)), asyncio.create_task(own.run(done.append, "never"))
    await asyncio.to_thread(entered.wait, PATIENCE_S)
    for task in (running, waiting):
        task.cancel()
    await asyncio.wait({running, waiting})
    (thread,) = threads()
    own.close()  # while it is busy: it ends when that is over
    released.set()
    await asyncio.to_thread(thread.join, PATIENCE_S)
    assert not thread.is_alive()
    assert done == []
