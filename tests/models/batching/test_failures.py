"""A failure reaches the session that caused it and no other."""

import asyncio
from collections.abc import Callable

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
