"""A failure reaches the session that caused it and no other."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dragoman.models.batching import BatchRecord
from dragoman.models.errors import EngineFailed
from tests.models.batching.engine import Engine, Owner, submit
from tests.waiting import PATIENCE_S


async def test_failure_reaches_its_session_only(engine: Engine, make: Callable[..., Owner]) -> None:
    owner = make(max_batch=3, max_wait_s=60)
    tasks = [submit(owner, text, text) for text in ("one", "bad", "three")]
    one, bad, three = await asyncio.gather(*tasks, return_exceptions=True)
    assert (one, three) == ("ONE", "THREE")
    assert isinstance(bad, EngineFailed)
    assert isinstance(bad.__cause__, ValueError)
    assert str(bad) == "fake failed: ValueError"
    assert engine.calls == [["one", "bad", "three"], ["one"], ["bad"], ["three"]]


async def test_cancelled_request_is_not_tried_again(engine: Engine, make: Callable[..., Owner]) -> None:
    owner = make(max_batch=2, max_wait_s=60)
    engine.released.clear()
    bad, cancelled = submit(owner, "bad", "a"), submit(owner, "cancelled", "b")
    assert await asyncio.to_thread(engine.entered.wait, PATIENCE_S)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    engine.released.set()
    with pytest.raises(EngineFailed):
        await bad
    assert engine.calls == [["bad", "cancelled"], ["bad"]]


class Panic(BaseException):
    """As compiled engines raise it: no Exception."""


@pytest.mark.parametrize(
    "error", [Panic("at line 7"), SystemExit(1), KeyboardInterrupt(), GeneratorExit(), asyncio.CancelledError()]
)
@pytest.mark.parametrize("size", [1, 3])
async def test_whatever_an_engine_raises_the_door_holds(
    engine: Engine, make: Callable[..., Owner], error: BaseException, size: int
) -> None:
    engine.errors["bad"] = error
    owner = make(max_batch=size, max_wait_s=60 if size > 1 else 0)
    one, bad, three = await asyncio.gather(
        *(submit(owner, text, text) for text in ("one", "bad", "three")), return_exceptions=True
    )
    assert (one, three) == ("ONE", "THREE")
    assert isinstance(bad, EngineFailed)
    assert bad.__cause__ is error
    assert str(bad) == f"fake failed: {type(error).__name__}"
    tasks = [submit(owner, str(number), str(number)) for number in range(size)]
    assert await asyncio.gather(*tasks) == [str(number) for number in range(size)]


class Lazy:
    """Results that break when they are looked at."""

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        raise ValueError


async def test_results_that_break_later(engine: Engine, make: Callable[..., Owner]) -> None:
    results: list[Any] = [Lazy(), ["TWO"]]
    owner = make(lambda _: results.pop(0))
    with pytest.raises(EngineFailed, match="ValueError"):
        await owner.submit("one", session_id="a")
    assert await owner.submit("two", session_id="a") == "TWO"


async def test_what_failed_is_told_to_the_observer(engine: Engine, make: Callable[..., Owner]) -> None:
    records: list[BatchRecord] = []
    owner = make(observer=records.append)
    tasks = [submit(owner, text) for text in ("one", "bad", "three")]
    await asyncio.gather(*tasks, return_exceptions=True)
    assert [record.failed for record in records] == [False, True, False]


async def test_errors_of_engines_stay_as_they_are(engine: Engine, make: Callable[..., Owner]) -> None:
    engine.errors["bad"] = EngineFailed("inner", "no reason")
    with pytest.raises(EngineFailed) as caught:
        await make().submit("bad", session_id="a")
    assert caught.value is engine.errors["bad"]


@pytest.mark.parametrize("results", [[], ["one", "two"]])
async def test_wrong_number_of_results(make: Callable[..., Owner], results: list[str]) -> None:
    with pytest.raises(EngineFailed, match=f"gave {len(results)} results for 1 requests"):
        await make(lambda _: results).submit("one", session_id="a")


async def test_no_results_at_all(make: Callable[..., Owner]) -> None:
    with pytest.raises(EngineFailed, match="TypeError"):
        await make(lambda _: None).submit("one", session_id="a")


async def test_failing_observer_harms_nobody(make: Callable[..., Owner], caplog: pytest.LogCaptureFixture) -> None:
    def observe(record: BatchRecord) -> None:
        raise RuntimeError(record.name)

    assert await make(observer=observe).submit("one", session_id="a") == "ONE"
    assert "observer of fake failed" in caplog.text
