import asyncio
import threading
from collections.abc import Sequence

import pytest

from dragoman.models.batching import EngineOwner
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
