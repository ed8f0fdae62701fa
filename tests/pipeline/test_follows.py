"""A session whose input's clock is followed: how much audio has come in, in order with what was heard in it."""

import asyncio

import pytest

from dragoman.config.settings import load_settings
from dragoman.pipeline.audio.formats import AudioFormat, Container, media, pcm, wav
from dragoman.pipeline.events import Ended, Event, Flushed, Listened, Recognised, SpeechEnded, SpeechStarted, Transcript
from dragoman.pipeline.offload import Offload
from dragoman.pipeline.session import Session, SessionRequest
from tests.fakes.engines import fake_engines, s16, silence, tone
from tests.pipeline.audio.files import as_file
from tests.pipeline.audio.signals import tone as sine

SPOKEN = s16(silence(0.5)) + s16(tone(1.0)) + s16(silence(1.5))


async def heard(fmt: AudioFormat, data: bytes, size: int, *, follows: bool = True) -> list[Event]:
    """What a session says that only writes down what it hears."""
    engines, offload, events = fake_engines(lambda _: "hello there"), Offload(), list[Event]()
    request = SessionRequest(fmt, None, engines.plan(targets=()), follows=follows)
    session = Session(request, engines, load_settings(), offload, session_id="s", emit=events.append)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(session.run())
            for start in range(0, len(data), size):
                await session.feed(data[start : start + size])
            await session.flush("f")
            await session.end()
    finally:
        await asyncio.to_thread(engines.close)
        offload.close()
    return events


@pytest.mark.parametrize("size", [640, 2_560, 1 << 20])
async def test_the_clock_is_told_and_ends_where_the_input_does(size: int) -> None:
    events = await heard(pcm(16_000), SPOKEN, size)
    places = [event.at_s for event in events if isinstance(event, Listened)]
    assert places == sorted(set(places))
    assert places[-1] == pytest.approx(3.0)
    assert events[-1] == Ended(places[-1])


async def test_what_was_heard_comes_in_its_order() -> None:
    events = await heard(pcm(16_000), SPOKEN, 2_560)
    kinds = [type(event) for event in events if not isinstance(event, Listened)]
    assert kinds[0] is SpeechStarted
    assert {SpeechEnded, Transcript} <= {*kinds[1:-4]}
    assert kinds[-4:] == [Recognised, Recognised, Flushed, Ended]
    (start,) = (event.at_s for event in events if isinstance(event, SpeechStarted))
    before = [event.at_s for event in events[: events.index(SpeechStarted(start))] if isinstance(event, Listened)]
    assert max(before) - start < 0.4, "the beginning of speech is known soon"


@pytest.mark.parametrize(
    ("fmt", "data"),
    [(wav(), as_file(Container.WAV, sine(16_000, 16_000), 16_000)),
     (media(Container.MP3), as_file(Container.MP3, sine(16_000, 16_000), 16_000))],
)  # fmt: skip
async def test_files_have_the_clock_of_their_samples(fmt: AudioFormat, data: bytes) -> None:
    events = await heard(fmt, data, 1_000)
    last = [event.at_s for event in events if isinstance(event, Listened)][-1]
    assert last == pytest.approx(1.0, abs=0.15)
    assert events[-1] == Ended(last)


async def test_who_does_not_follow_is_told_nothing_of_it() -> None:
    assert not any(isinstance(event, Listened) for event in await heard(pcm(16_000), SPOKEN, 2_560, follows=False))
