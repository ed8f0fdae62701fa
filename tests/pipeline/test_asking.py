"""How often a recogniser is asked about a segment that is still open, by the time that it takes."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from dragoman.config.settings import load_settings
from dragoman.models.base import SAMPLE_RATE_HZ, Hypothesis, RecognitionRequest, Samples
from dragoman.pipeline.audio.formats import pcm
from dragoman.pipeline.clock import RealTime
from dragoman.pipeline.latency import POLICIES, Latency
from dragoman.pipeline.session import Session, SessionRequest
from tests.fakes.engines import fake_engines, s16, silence
from tests.fakes.readable import reader, spoken
from tests.fakes.work_clock import FakeWorkClock
from tests.pipeline.stillness import Stillness
from tests.waiting import until_async

STEP_S = 0.125


class Takes:
    """A recogniser that takes `takes_s` for each answer; notes when it was asked, and about how much."""

    def __init__(self, takes_s: float) -> None:
        self.takes_s = takes_s
        self.clock = FakeWorkClock()
        self.asked_s: list[float] = []
        self.lengths_s: list[float] = []
        self.free = threading.Event()
        """Answers wait for it."""
        self.free.set()
        self._reading = reader(times=True, sentence=1000)

    def __call__(self, request: RecognitionRequest) -> Hypothesis:
        self.asked_s.append(self.clock.now())
        self.lengths_s.append(len(request.samples) / SAMPLE_RATE_HZ)
        self.free.wait()
        self.clock.take(self.takes_s)
        return self._reading(request)


class Speaker:
    """Speaks to a session, in pieces; between them everything comes to rest."""

    def __init__(self, session: Session, still: Stillness, recognizer: Takes) -> None:
        self.session, self.still, self.recognizer = session, still, recognizer

    async def say(self, audio: Samples, *, in_real_time: bool) -> None:
        """`in_real_time`: so much time passes between the pieces; otherwise none does."""
        step = round(STEP_S * SAMPLE_RATE_HZ)
        for start in range(0, len(audio), step):
            await self.session.feed(s16(audio[start : start + step]))
            await self.still.settled(self.session)
            if in_real_time:
                await self.wait(STEP_S)

    async def wait(self, seconds: float) -> None:
        self.recognizer.clock.advance(seconds)
        await self.still.settled(self.session)


@asynccontextmanager
async def speaking_to(recognizer: Takes, latency: Latency, *, partials: bool = False) -> AsyncIterator[Speaker]:
    engines = fake_engines(recognizer)
    request = SessionRequest(pcm(SAMPLE_RATE_HZ), None, engines.plan(targets=[]), latency=latency, partials=partials)
    with Stillness(engines) as still:
        session = Session(
            request,
            engines,
            load_settings(),
            still.offload,
            session_id="s",
            emit=lambda event: None,
            work_clock=recognizer.clock,
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(session.run())
            yield Speaker(session, still, recognizer)
            recognizer.free.set()
            await session.end()
    engines.close()


@pytest.mark.parametrize("takes_s", [0.3, 0.8, 2.0])
@pytest.mark.parametrize("latency", ["low", "balanced", "quality"])
async def test_a_slow_recogniser_is_asked_for_its_share_of_the_time(latency: Latency, takes_s: float) -> None:
    recognizer = Takes(takes_s)
    async with speaking_to(recognizer, latency, partials=True) as speaker:
        await speaker.say(spoken(40), in_real_time=True)
        between_s = np.diff(recognizer.asked_s)
        asked = len(recognizer.asked_s)
    policy = POLICIES[latency]
    assert asked > 3
    assert min(between_s) >= takes_s / policy.engine_share - 1e-6
    assert max(between_s) <= max(policy.cadence_s, takes_s / policy.engine_share) + takes_s + 2 * STEP_S


@pytest.mark.parametrize("latency", ["low", "balanced"])
async def test_who_speaks_faster_than_in_real_time_is_no_slow_recogniser(latency: Latency) -> None:
    """Five seconds are said while a quick recogniser answers, as a client does that sends a file; half a second later
    it wants to know what became of it."""
    recognizer = Takes(0.01)
    async with speaking_to(recognizer, latency) as speaker:
        recognizer.free.clear()
        for start in range(15):
            await speaker.session.feed(s16(spoken(1, first=start)))
        await until_async(lambda: bool(recognizer.asked_s))
        for start in range(15, 25):
            await speaker.session.feed(s16(spoken(1, first=start)))
        recognizer.free.set()
        await speaker.still.settled(speaker.session)
        before = len(recognizer.asked_s)
        for start in range(25, 27):  # as much as two hypotheses are apart
            await speaker.say(spoken(1, first=start), in_real_time=False)
        assert len(recognizer.asked_s) > before


async def test_a_question_that_had_to_wait_is_asked_without_any_more_speech() -> None:
    recognizer = Takes(1.0)
    async with speaking_to(recognizer, "low") as speaker:
        await speaker.say(spoken(10), in_real_time=False)
        assert recognizer.lengths_s == [pytest.approx(1.2, abs=0.3)]
        await speaker.wait(0.9)
        assert len(recognizer.lengths_s) == 1
        await speaker.wait(0.2)
        assert recognizer.lengths_s[1:] == [pytest.approx(4.0, abs=0.3)]


async def test_what_ends_is_asked_about_at_once() -> None:
    recognizer = Takes(3.0)
    async with speaking_to(recognizer, "low") as speaker:
        await speaker.say(np.concatenate([spoken(10), silence(1.0)]), in_real_time=False)
        assert recognizer.lengths_s[-1] == pytest.approx(4.0, abs=0.5)
        asked = len(recognizer.asked_s)
        await speaker.wait(60.0)  # a rest that goes on behind the end finds nothing to ask
        assert len(recognizer.asked_s) == asked


async def test_the_time_of_a_question_that_was_withdrawn_counts() -> None:
    recognizer = Takes(2.0)
    async with speaking_to(recognizer, "low") as speaker:
        recognizer.free.clear()
        await speaker.session.feed(s16(np.concatenate([spoken(10)])))
        await until_async(lambda: bool(recognizer.asked_s))
        recognizer.clock.take(4.0)
        await speaker.session.feed(s16(silence(1.0)))
        await until_async(lambda: not any(speaker.session.depths.values()))
        recognizer.free.set()
        await speaker.say(spoken(10, first=10), in_real_time=False)
        assert len(recognizer.asked_s) == 2, "about the first segment, and of its end"
        await speaker.wait(8.0)
        assert len(recognizer.asked_s) == 3


async def test_a_session_ends_in_the_middle_of_a_rest() -> None:
    recognizer = Takes(1000.0)
    async with speaking_to(recognizer, "low") as speaker:
        await speaker.say(spoken(10), in_real_time=False)
    assert len(recognizer.asked_s) == 2  # the second one is of the end


async def test_real_time_goes_on_by_itself() -> None:
    clock = RealTime()
    before_s = clock.now()
    await clock.sleep(0.001)
    assert clock.now() > before_s
