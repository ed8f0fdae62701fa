"""Finals are never lost, partials may be: whatever an engine makes of them."""

import asyncio
import logging
from collections.abc import Callable

import numpy as np
import pytest

from dragoman.models.base import Hypothesis
from dragoman.models.errors import EngineFailed, ModelError, OutOfMemory, Overloaded, Superseded
from dragoman.pipeline.by_pause import ByPause
from dragoman.pipeline.latency import Latency
from dragoman.pipeline.partials import Partials
from tests.fakes.engines import silence
from tests.fakes.fickle import FakeFickleness
from tests.fakes.readable import reader, spoken, text
from tests.pipeline.stages.test_recognise import finals, heard, words
from tests.pipeline.test_growing import PIECES, FakeNeural, translated

LOG = "dragoman.pipeline.partials"
FAULTS = pytest.mark.parametrize("fault", [lambda: EngineFailed("x", "broken"), lambda: OutOfMemory("x")])
FAILS = pytest.mark.parametrize(
    "fails", [lambda number: True, *(lambda number, at=at: number == at for at in (1, 2, 3, 7))]
)


async def raising(error: BaseException) -> str:
    raise error


async def test_an_answer_is_given_and_a_failure_is_none(caplog: pytest.LogCaptureFixture) -> None:
    partials = Partials()

    async def answer() -> str:
        return "answer"

    with caplog.at_level(logging.DEBUG, LOG):
        assert await partials.attempt(answer()) == "answer"
        assert await partials.attempt(raising(Superseded("x"))) is None
        assert await partials.attempt(raising(Overloaded("x"))) is None
        assert caplog.records == []  # that is how it should be when there is much to do
        for number in range(3):
            assert await partials.attempt(raising(EngineFailed("x", f"fault {number}"))) is None
    assert [record.getMessage() for record in caplog.records] == [
        "what is not certain yet may come late or not at all: x failed: fault 0"
    ]


async def test_what_is_no_engines_fault_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        await Partials().attempt(raising(ZeroDivisionError()))
    with pytest.raises(asyncio.CancelledError):
        await Partials().attempt(raising(asyncio.CancelledError()))


@FAULTS
@FAILS
@pytest.mark.parametrize("times", [True, False], ids=["with word times", "without word times"])
@pytest.mark.parametrize("latency", ["low", "quality"])
async def test_finals_are_those_of_a_session_without_partials(
    fault: Callable[[], ModelError],
    fails: Callable[[int], bool],
    times: bool,
    latency: Latency,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fickle = FakeFickleness(fault, fails)
    audio = np.concatenate([spoken(40), silence(1.0), spoken(9, first=40), silence(1.0)])
    with caplog.at_level(logging.WARNING, LOG):
        events = await heard(audio, reader(times=times), latency=latency, partials=True, spoil=fickle.spoil)
    assert fickle.failed
    assert [word.strip(".") for word in words(events)] == [word.strip(".") for word in text(49)]
    assert [said.segment_id for _, said in finals(events) if said.closes] == [0, 1]
    assert sum(record.name == LOG for record in caplog.records) == 1


async def test_a_search_for_a_sentence_that_fails_is_made_up_for_at_the_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    searching = False
    consider = ByPause.consider

    async def watched(self: ByPause, hypothesis: Hypothesis, until_s: float) -> None:
        nonlocal searching
        searching = True
        try:
            await consider(self, hypothesis, until_s)
        finally:
            searching = False

    monkeypatch.setattr(ByPause, "consider", watched)
    fickle = FakeFickleness(lambda: OutOfMemory("x"), lambda number: True, counts=lambda priority: searching)
    events = await heard(
        np.concatenate([spoken(40), silence(1.0)]), reader(times=False), latency="quality", spoil=fickle.spoil
    )
    assert fickle.failed
    assert [word.strip(".") for word in words(events)] == [word.strip(".") for word in text(40)]


@FAULTS
@pytest.mark.parametrize("fails", [lambda number: True, lambda number: number == 1, lambda number: number == 2])
async def test_a_clause_that_cannot_be_translated_while_it_grows_is_translated_when_it_is_whole(
    fault: Callable[[], ModelError], fails: Callable[[int], bool]
) -> None:
    fickle = FakeFickleness(fault, fails)
    said = await translated(FakeNeural(), "auto", PIECES, fickle.spoil)
    assert fickle.failed
    assert " ".join(said).split() == [f"W{number}" for number in range(13)] + ["W13."]
