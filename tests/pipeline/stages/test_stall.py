"""Audio that stops behind the last word: the open segment ends without more of it."""

from dataclasses import astuple

import pytest

from dragoman.pipeline.events import SpeechEnded, SpeechStarted
from dragoman.pipeline.items import End, SegmentEnd
from tests.fakes.clock import FakeLoop
from tests.fakes.engines import s16, silence, tone
from tests.pipeline.stages.test_hear import SETTINGS, Heard, running

FRAME_S = 512 / 16_000
STALL_S = SETTINGS.listen.stall_s


async def speak(heard: Heard, clock: FakeLoop, seconds: float, *, in_real_time: bool = True) -> None:
    """Say something, in messages of an eighth of a second."""
    for _ in range(round(seconds * 8)):
        if in_real_time:
            clock.advance(0.125)
        await heard.stage.feed(s16(tone(0.125)))
        await heard.rest()


def ends(heard: Heard) -> list[tuple[float, float, bool]]:
    return [astuple(item) for item in heard.waiting if isinstance(item, SegmentEnd)]


async def test_the_open_segment_ends_as_if_silence_had_come() -> None:
    clock = FakeLoop(1000.0)
    async with running(loop=clock.as_loop()) as (heard, _):
        await speak(heard, clock, 1.5)
        clock.advance(STALL_S - 0.125)
        await heard.rest()
        assert [type(event) for event in heard.events] == [SpeechStarted]
        clock.advance(0.125)
        await heard.rest()
        assert [type(event) for event in heard.events] == [SpeechStarted, SpeechEnded]
        assert ends(heard) == [(pytest.approx(1.5, abs=FRAME_S), pytest.approx(1.5, abs=FRAME_S), True)]


async def test_the_clock_stays_and_what_comes_later_is_a_segment_of_its_own() -> None:
    clock = FakeLoop(1000.0)
    async with running(loop=clock.as_loop()) as (heard, _):
        await speak(heard, clock, 1.5)
        clock.advance(60)
        await heard.rest()
        assert heard.context.clock.received_s == pytest.approx(1.5)
        await speak(heard, clock, 1.5)
        clock.advance(60)
        await heard.rest()
        assert [stop_s for stop_s, _, _ in ends(heard)] == pytest.approx([1.5, 3.0], abs=FRAME_S)


async def test_nobody_speaks_so_nothing_stalls() -> None:
    clock = FakeLoop(1000.0)
    async with running(loop=clock.as_loop()) as (heard, _):
        await heard.stage.feed(s16(silence(1.0)))
        await heard.rest()
        clock.advance(600)
        await heard.rest()
        assert heard.events == []
        assert clock.timers == 0


async def test_what_was_sent_faster_than_it_was_spoken_gets_its_time() -> None:
    """A file of 8 s in one moment is not a microphone that was muted: it stalls when it would if it had been spoken."""
    clock = FakeLoop(1000.0)
    async with running(loop=clock.as_loop()) as (heard, _):
        await speak(heard, clock, 8.0, in_real_time=False)
        clock.advance(8.0 - 0.125 + STALL_S - 0.125)
        await heard.rest()
        assert ends(heard) == []
        clock.advance(0.125)
        await heard.rest()
        assert len(ends(heard)) == 1


async def test_a_message_that_comes_late_but_comes_is_heard_in_the_same_segment() -> None:
    clock = FakeLoop(1000.0)
    async with running(loop=clock.as_loop()) as (heard, _):
        for _ in range(20):
            await speak(heard, clock, 1.0, in_real_time=False)
            clock.advance(1.0 + STALL_S - 0.25)
            await heard.rest()
        assert ends(heard) == []


async def test_audio_that_comes_with_the_stall_goes_on_with_the_segment() -> None:
    clock = FakeLoop(1000.0)
    async with running(loop=clock.as_loop()) as (heard, _):
        await speak(heard, clock, 1.5)
        clock.advance(STALL_S)
        await heard.stage.feed(s16(tone(1.0)))
        await heard.rest()
        assert ends(heard) == []


async def test_the_end_leaves_no_timer() -> None:
    clock = FakeLoop(1000.0)
    async with running(loop=clock.as_loop()) as (heard, task):
        await speak(heard, clock, 1.5)
        assert clock.timers == 1
        heard.stage.end()
        await task
        assert clock.timers == 0
        assert isinstance(heard.waiting[-1], End)
