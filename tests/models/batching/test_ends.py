"""Event loops come and go, threads end, owners are closed."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from dragoman.models.batching import EngineOwner
from dragoman.models.errors import EngineFailed
from tests.models.batching.engine import Engine, Owner, hold, queued, submit


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_end_of_the_thread_leaves_nobody_waiting(
    engine: Engine, make: Callable[..., Owner], monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = make()
    held = await hold(engine, owner)
    tasks = [submit(owner, text) for text in ("one", "two")]
    await queued(owner, 2)

    def fail(_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(EngineOwner, "_gather", fail)
    engine.released.set()
    assert await held == "HELD"
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(outcome, EngineFailed)
    with pytest.raises(EngineFailed, match="closed"):
        await owner.submit("late", session_id="a")


def test_several_loops(make: Callable[..., Owner]) -> None:
    owner = make()
    for text in "one", "two":
        assert asyncio.run(owner.submit(text, session_id="a")) == text.upper()


def test_loop_that_is_gone(engine: Engine, make: Callable[..., Owner]) -> None:
    owner = make()

    async def leave() -> None:
        await hold(engine, owner)

    asyncio.run(leave())  # cancels the task, while the engine goes on
    engine.released.set()
    assert asyncio.run(owner.submit("next", session_id="a")) == "NEXT"
    assert engine.order == ["held", "next"]


async def test_close(engine: Engine, make: Callable[..., Owner]) -> None:
    owner = make()
    held, waiting = await hold(engine, owner), submit(owner, "waiting")
    await queued(owner, 1)
    with pytest.raises(TimeoutError, match="fake is still busy"):
        owner.close(0.001)
    with pytest.raises(EngineFailed, match="closed"):
        await waiting
    engine.released.set()
    await owner.aclose()
    await owner.aclose()
    assert await held == "HELD"
    assert "engine-fake" not in [thread.name for thread in threading.enumerate()]
    with pytest.raises(EngineFailed, match="closed"):
        await owner.submit("late", session_id="a")
    assert engine.order == ["held"]


def test_close_without_a_start(make: Callable[..., Owner]) -> None:
    make().close()


async def test_close_from_the_observer(make: Callable[..., Owner]) -> None:
    owner: Owner = make(observer=lambda _: owner.close())
    assert await owner.submit("one", session_id="a") == "ONE"
    with pytest.raises(EngineFailed, match="closed"):
        await owner.submit("two", session_id="a")


async def test_close_while_the_batch_gathers(engine: Engine, make: Callable[..., Owner]) -> None:
    owner = make(max_batch=2, max_wait_s=60)
    waiting = submit(owner, "waiting")
    await queued(owner, 1)
    await owner.aclose()
    with pytest.raises(EngineFailed, match="closed"):
        await waiting
    assert engine.calls == []
