"""What the ends of a session's parts say: whether the speaker paused, and where on the input's clock they are."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest

from dragoman.config.settings import load_settings
from dragoman.models.base import Hypothesis, RecognitionRequest
from dragoman.models.errors import NoTranslator
from dragoman.models.plan import TargetWish
from dragoman.models.registry import Engines
from dragoman.models.voices import VoiceCatalogue
from dragoman.pipeline.audio.formats import AudioFormat, Container, media, pcm
from dragoman.pipeline.events import Ended, Event, Flushed, Transcript, Translated, Translation
from dragoman.pipeline.latency import Latency
from dragoman.pipeline.offload import Offload
from dragoman.pipeline.session import Session, SessionRequest
from tests.fakes.engines import FakeDetector, FakeRecognizer, FakeTranslator, s16, silence, tone
from tests.pipeline.audio.files import as_file
from tests.waiting import PATIENCE_S

UTTERANCE = np.concatenate([tone(1.0), silence(1.0)])


def engines(hear: Callable[[RecognitionRequest], str | Hypothesis], languages: tuple[str, ...] = ("en",)) -> Engines:
    return Engines(
        name="fake",
        detector=FakeDetector(),
        recognizers=[FakeRecognizer(hear, languages)],
        translators=[FakeTranslator("en", "es")],
        synthesizers=[],
        catalogue=VoiceCatalogue([]),
    )


@asynccontextmanager
async def running(
    loaded: Engines, wish: TargetWish, latency: Latency, source: AudioFormat | None = None
) -> AsyncIterator[tuple[Session, list[Event]]]:
    events: list[Event] = []
    offload = Offload()
    request = SessionRequest(source or pcm(16_000), None, loaded.plan(targets=[wish]), latency=latency)
    session = Session(request, loaded, load_settings(), offload, session_id="one", emit=events.append)
    task = asyncio.create_task(session.run())
    try:
        yield session, events
        await asyncio.wait_for(task, PATIENCE_S)
    finally:
        task.cancel()
        await asyncio.wait({task})
        loaded.close()
        offload.close()


@pytest.mark.parametrize("latency", ["low", "quality"])
async def test_a_pause_a_flush_and_the_end_are_told_apart(latency: Latency) -> None:
    loaded = engines(lambda request: "hello there")
    async with running(loaded, TargetWish("es", speaks=False), latency) as (session, events):
        await session.feed(s16(UTTERANCE))
        await session.feed(s16(tone(1.5)))
        await session.flush("f")
        await session.feed(s16(tone(1.2)))
        await session.end()
    closing = [event for event in events if isinstance(event, Transcript) and event.closes]
    assert [(said.segment_id, said.paused) for said in closing] == [(0, True), (1, False), (2, False)]
    flushed, ended = (event for event in events if isinstance(event, Flushed | Ended))
    assert (flushed.at_s, ended.at_s) == (pytest.approx(3.5), pytest.approx(4.7))


async def test_a_compressed_file_goes_through_the_session() -> None:
    samples = np.concatenate([UTTERANCE, UTTERANCE])
    loaded = engines(lambda request: "hello there")
    wish = TargetWish("es", speaks=False)
    async with running(loaded, wish, "quality", media(Container.ANY)) as (session, events):
        data = as_file(Container.MP3, samples, 16_000)
        for at in range(0, len(data), 777):
            await session.feed(data[at : at + 777])
        await session.end()
    assert [event.text for event in events if isinstance(event, Translation)] == ["<es> hello there"] * 2
    (ended,) = (event for event in events if isinstance(event, Ended))
    assert ended.at_s == pytest.approx(4.0, abs=0.2)


async def test_what_nothing_translates_is_left_or_ends_the_session() -> None:
    def hear(heard: list[str]) -> Callable[[RecognitionRequest], Hypothesis]:
        return lambda request: Hypothesis("hello", heard[request.ordinal])

    loaded = engines(hear(["en", "th", "en"]), ("en", "th"))
    async with running(loaded, TargetWish("es", speaks=False, lenient=True), "quality") as (session, events):
        for _ in range(3):
            await session.feed(s16(UTTERANCE))
        await session.end()
    assert [event.text for event in events if isinstance(event, Transcript)] == ["hello"] * 3
    assert [event.segment_id for event in events if isinstance(event, Translation)] == [0, 2]
    assert [event.segment_id for event in events if isinstance(event, Translated)] == [0, 1, 2]
    strict = engines(hear(["en", "th", "en"]), ("en", "th"))
    with pytest.raises(NoTranslator, match="th→es"):
        async with running(strict, TargetWish("es", speaks=False), "quality") as (session, events):
            for _ in range(3):
                await session.feed(s16(UTTERANCE))
            await session.end()
