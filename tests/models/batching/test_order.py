"""Who is served when, how batches are made, and what the observer sees."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import pytest

from dragoman.models import batching
from dragoman.models.batching import BatchRecord, EngineOwner, Priority
from dragoman.models.errors import Overloaded, Superseded
from tests.models.batching.engine import Engine, Owner, hold, queued, submit


async def test_result(make: Callable[..., Owner]) -> None:
    assert await make().submit("one", session_id="a") == "ONE"


async def test_runs_in_one_thread_off_the_loop(make: Callable[..., Owner]) -> None:
    threads: list[threading.Thread] = []

    def run(texts: Sequence[str]) -> Sequence[str]:
        threads.append(threading.current_thread())
        return texts

    owner = make(run)
    for text in "one", "two":
        await owner.submit(text, session_id="a")
    assert len(set(threads)) == 1
    assert threads[0] is not threading.current_thread()
    assert threads[0].daemon


async def test_sessions_take_turns(engine: Engine, make: Callable[..., Owner]) -> None:
    owner = make()
    tasks = [await hold(engine, owner)]
    tasks += [submit(owner, f"a{n}", "a") for n in range(50)]
    await queued(owner, 50)
    tasks += [submit(owner, "b0", "b")]
    await queued(owner, 51)
    engine.released.set()
    await asyncio.gather(*tasks)
    assert engine.order == ["held", "a0", "b0", *(f"a{n}" for n in range(1, 50))]


async def test_finals_go_first(engine: Engine, make: Callable[..., Owner]) -> None:
    owner = make()
    tasks = [await hold(engine, owner), submit(owner, "partial", "a", Priority.PARTIAL), submit(owner, "final", "b")]
    await queued(owner, 2)
    engine.released.set()
    await asyncio.gather(*tasks)
    assert engine.order == ["held", "final", "partial"]


async def test_newer_partial_replaces_the_waiting_one(engine: Engine, make: Callable[..., Owner]) -> None:
    owner = make()
    held = await hold(engine, owner)
    older, newer, other = (submit(owner, f"p{n}", session_id, Priority.PARTIAL) for n, session_id in enumerate("aab"))
    with pytest.raises(Superseded) as caught:
        await older
    assert caught.value.engine == "fake"
    engine.released.set()
    assert await asyncio.gather(held, newer, other) == ["HELD", "P1", "P2"]
    assert engine.order == ["held", "p1", "p2"]


async def test_full_queue(engine: Engine, make: Callable[..., Owner]) -> None:
    owner = make(max_queue=2)
    held = await hold(engine, owner)
    partial, first = submit(owner, "partial", "a", Priority.PARTIAL), submit(owner, "first")
    await queued(owner, 2)
    second = submit(owner, "second")
    with pytest.raises(Superseded):  # a final is worth more than a partial
        await partial
    with pytest.raises(Overloaded) as caught:
        await owner.submit("third", session_id="b")
    assert caught.value.engine == "fake"
    engine.released.set()
    assert await asyncio.gather(held, first, second) == ["HELD", "FIRST", "SECOND"]


async def test_cancelled_request_is_not_run(engine: Engine, make: Callable[..., Owner]) -> None:
    owner = make()
    held, cancelled, kept = await hold(engine, owner), submit(owner, "cancelled"), submit(owner, "kept")
    await queued(owner, 2)
    cancelled.cancel()
    await queued(owner, 1)
    engine.released.set()
    assert await asyncio.gather(held, kept) == ["HELD", "KEPT"]
    assert engine.order == ["held", "kept"]


async def test_cancelled_while_running(engine: Engine, make: Callable[..., Owner]) -> None:
    owner = make()
    held = await hold(engine, owner)
    held.cancel()
    with pytest.raises(asyncio.CancelledError):
        await held
    engine.released.set()
    assert await owner.submit("next", session_id="a") == "NEXT"


async def test_batch_is_run_when_full(engine: Engine, make: Callable[..., Owner]) -> None:
    owner = make(max_batch=3, max_wait_s=60)
    tasks = [submit(owner, text, text) for text in ("one", "two", "three")]
    assert await asyncio.gather(*tasks) == ["ONE", "TWO", "THREE"]
    assert engine.calls == [["one", "two", "three"]]


async def test_batch_is_run_after_the_wait(engine: Engine, make: Callable[..., Owner]) -> None:
    owner = make(max_batch=3, max_wait_s=0.005)
    assert await asyncio.gather(submit(owner, "one"), submit(owner, "two")) == ["ONE", "TWO"]
    assert sorted(engine.order) == ["one", "two"]


async def test_batch_is_bounded(engine: Engine, make: Callable[..., Owner]) -> None:
    owner = make(max_batch=2)
    tasks = [await hold(engine, owner)] + [submit(owner, f"{n}") for n in range(5)]
    await queued(owner, 5)
    engine.released.set()
    await asyncio.gather(*tasks)
    assert engine.calls == [["held"], ["0", "1"], ["2", "3"], ["4"]]


async def test_everything_is_cancelled_while_the_batch_gathers(engine: Engine, make: Callable[..., Owner]) -> None:
    owner = make(max_batch=2, max_wait_s=0.005)
    task = submit(owner, "cancelled")
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0.01)  # the wait ends and finds nothing
    assert await owner.submit("one", session_id="a") == "ONE"


async def test_observer(engine: Engine, make: Callable[..., Owner], monkeypatch: pytest.MonkeyPatch) -> None:
    records: list[BatchRecord] = []
    owner = make(observer=records.append, max_batch=2)
    monkeypatch.setattr(batching, "time", SimpleNamespace(monotonic=lambda: now_s))
    now_s = 100.0
    tasks = [await hold(engine, owner)] + [submit(owner, text) for text in ("one", "bad", "three")]
    await queued(owner, 3)
    now_s = 102.0
    engine.released.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert [(r.name, r.size, r.depth) for r in records] == [
        ("fake", 1, 0),
        ("fake", 2, 1),
        ("fake", 1, 1),
        ("fake", 1, 1),
        ("fake", 1, 0),
    ]
    assert [(r.wait_s, r.run_s) for r in records] == [(0, 2), *[(2, 0)] * 4]


def test_batch_must_hold_something() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        EngineOwner("fake", lambda texts: texts, max_batch=0)
