"""Several workers of one engine: how many there are, whom a request wakes, and that none is ever forgotten."""

import asyncio
import random
import threading
from collections.abc import Callable, Sequence

import pytest

from dragoman.models.batching import EngineOwner, Priority
from dragoman.models.errors import EngineFailed, Overloaded, Superseded
from tests.models.batching.engine import Engine, Owner, hold, queued, submit
from tests.waiting import PATIENCE_S, until_async


async def test_workers_run_side_by_side_and_no_more_than_were_asked_for() -> None:
    together = threading.Barrier(2)
    lock = threading.Lock()
    now = most = 0

    def run(requests: Sequence[int]) -> list[int]:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        together.wait(PATIENCE_S)
        with lock:
            now -= 1
        return [request * 2 for request in requests]

    owner: EngineOwner[int, int] = EngineOwner("side-by-side", run, workers=2)
    try:
        found = await asyncio.gather(*(owner.submit(number, session_id=str(number)) for number in range(8)))
    finally:
        await owner.aclose()
    assert found == [number * 2 for number in range(8)]
    assert most == 2


async def test_one_request_at_a_time_needs_one_thread() -> None:
    before = threading.active_count()
    owner: EngineOwner[int, int] = EngineOwner("alone", list, workers=4)
    try:
        for number in range(5):
            assert await owner.submit(number, session_id="s") == number
            # The thread gives the result a moment before it is free for the next request.
            await until_async(lambda: not any(owner._running.values()), "the thread is free")
        assert threading.active_count() == before + 1
    finally:
        owner.close()
    assert threading.active_count() == before


def test_no_workers() -> None:
    with pytest.raises(ValueError, match="workers"):
        EngineOwner("none", list, workers=0)


async def test_a_request_wakes_one_idle_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[str] = []
    wait = threading.Condition.wait

    def counting(condition: threading.Condition, timeout: float | None = None) -> bool:
        notified = wait(condition, timeout)
        if threading.current_thread().name == "engine-many":
            woken.append(threading.current_thread().name)
        return notified

    monkeypatch.setattr(threading.Condition, "wait", counting)
    together = threading.Barrier(8)

    def run(requests: Sequence[int]) -> Sequence[int]:
        if requests == [-1]:
            together.wait(PATIENCE_S)
        return requests

    owner: EngineOwner[int, int] = EngineOwner("many", run, workers=8)
    try:
        await asyncio.gather(*(owner.submit(-1, session_id=str(number)) for number in range(8)))
        woken.clear()
        for number in range(200):
            assert await owner.submit(number, session_id="s") == number
    finally:
        await owner.aclose()
    assert len(woken) <= 200 + 8  # closing wakes all


async def test_no_thread_can_be_started(
    engine: Engine, make: Callable[..., Owner], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    owner = make(workers=2)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", fails)
        with pytest.raises(EngineFailed, match="no thread can be started"):
            await owner.submit("one", session_id="a")
        assert owner.depth == 0
    held = await hold(engine, owner)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", fails)
        waiting = submit(owner, "two")  # the one that there is does it later
        await queued(owner, 1)
    engine.released.set()
    assert await asyncio.gather(held, waiting) == ["HELD", "TWO"]


@pytest.mark.parametrize(
    ("workers", "max_batch", "max_wait_s"), [(1, 1, 0.0), (4, 1, 0.0), (4, 3, 0.0), (2, 4, 0.001), (4, 2, 0.0005)]
)
def test_no_request_is_ever_forgotten(workers: int, max_batch: int, max_wait_s: float) -> None:
    """Many loops in many threads ask, take back and come again; whoever waits gets an answer."""
    owner: EngineOwner[int, int] = EngineOwner(
        "busy", lambda requests: [-request for request in requests], workers=workers, max_batch=max_batch,
        max_wait_s=max_wait_s, max_queue=40,
    )  # fmt: skip
    answered: list[int] = []

    async def session(name: str, chance: random.Random) -> None:
        for number in range(1, 60):
            priority = chance.choice([Priority.FINAL, Priority.FINAL, Priority.PARTIAL])
            task = asyncio.ensure_future(owner.submit(number, session_id=name, priority=priority))
            if chance.random() < 0.3:
                await asyncio.sleep(0)
                task.cancel()
            try:
                assert await task == -number
                answered.append(number)
            except (asyncio.CancelledError, Superseded, Overloaded):
                await asyncio.sleep(0)

    async def several(place: int) -> None:
        chance = random.Random(place)
        await asyncio.gather(*(session(f"{place}-{number}", chance) for number in range(6)))

    threads = [threading.Thread(target=asyncio.run, args=(several(place),)) for place in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    owner.close()
    assert len(answered) > 300
    assert owner.depth == 0
