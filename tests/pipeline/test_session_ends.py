"""However a session ends, nobody is left waiting for it and nothing of it goes on."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

from dragoman.config.settings import load_settings
from dragoman.models.base import RecognitionRequest
from dragoman.models.errors import EngineFailed, Overloaded
from dragoman.pipeline.audio.errors import AudioError
from dragoman.pipeline.audio.formats import wav
from dragoman.pipeline.events import Transcript
from dragoman.pipeline.items import GivenText
from dragoman.pipeline.session import Session
from tests.fakes.engines import fake_engines, s16
from tests.fakes.interrupted import run_interrupted
from tests.pipeline.test_session import UTTERANCE, of, opened
from tests.waiting import PATIENCE_S, until_async

TIGHT = load_settings(overrides={"limits": {"inbox_bytes": 1024, "texts_bytes": 1024}, "queues": {"speech_s": 0.2}})


async def waiting_in(call: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    task = asyncio.create_task(call)
    await asyncio.sleep(0)
    assert not task.done()
    return task


async def until_tasks_are(these: set["asyncio.Task[Any]"]) -> None:
    """A request that was cancelled is a task until it has seen that."""
    await until_async(lambda: asyncio.all_tasks() == these, "no other task is left")


async def test_whoever_waits_when_the_session_breaks_goes_on_and_is_not_heard_any_more() -> None:
    entered, released = threading.Event(), threading.Event()

    def broken(_: RecognitionRequest) -> str:
        entered.set()
        assert released.wait(PATIENCE_S)
        raise ZeroDivisionError("inside")

    async with opened(fake_engines(broken), settings=TIGHT) as (session, events):
        running = asyncio.create_task(session.run())
        await session.feed(s16(UTTERANCE))
        await asyncio.to_thread(entered.wait, PATIENCE_S)
        await session.feed(s16(UTTERANCE))
        await until_async(lambda: session._speech.full)
        await session.feed(s16(UTTERANCE))
        calls = [session.feed(b"xx"), session.flush("f"), session.expect(("a",)), session.feed(b"yy")]
        waiting = [await waiting_in(call) for call in calls]
        await session.end()  # does not wait
        for number in range(4):
            session.say(GivenText(number, "a", "en", translate=True))
        with pytest.raises(Overloaded):
            session.say(GivenText(4, "a", "en", translate=True))
        released.set()
        with pytest.raises(EngineFailed):
            await running
        await asyncio.gather(*waiting)
        count = len(events)
        for _ in range(5000):
            await session.feed(s16(UTTERANCE))
            await session.flush("f")
            await session.expect(())
            await session.end()
            session.say(GivenText(5, "a" * 900, "en", translate=True))
        session.interrupt()
        session.close()
        assert len(events) == count
        assert not any(session.depths.values())


async def test_a_session_that_never_runs_can_be_closed() -> None:
    async with opened(fake_engines(), settings=TIGHT) as (session, _):
        await session.feed(bytes(2000))
        waiting = await waiting_in(session.feed(b"xx"))
        session.close()
        await waiting


@pytest.mark.parametrize("fault", [asyncio.CancelledError, RuntimeError])
async def test_wherever_a_session_is_interrupted_nobody_is_left_waiting(fault: type[BaseException]) -> None:
    reached, at = True, 0
    while reached:
        at += 1
        async with opened(fake_engines(), settings=TIGHT, latency="low") as (session, _):
            before = asyncio.all_tasks()

            async def feed(session: Session = session) -> None:
                for _ in range(4):
                    await session.feed(s16(UTTERANCE))
                    await session.flush("f")
                await session.end()

            feeding = asyncio.create_task(feed())
            reached = await run_interrupted(session.run, at, fault(), tasks=True)
            await asyncio.wait_for(feeding, PATIENCE_S)
            await until_tasks_are(before)
    assert at > 20


async def test_feeding_a_session_that_is_over_does_not_hang() -> None:
    async with opened(fake_engines(), source_format=wav()) as (session, _):
        await session.feed(b"x" * 100)
        with pytest.raises(AudioError):
            await session.run()
        for _ in range(5):
            await asyncio.wait_for(session.feed(b"x" * 16_000_000), PATIENCE_S)


async def test_cancelling_leaves_no_task() -> None:
    entered, release = threading.Event(), threading.Event()

    def slow(_: RecognitionRequest) -> str:
        entered.set()
        release.wait(PATIENCE_S)
        return "late"

    async with opened(fake_engines(slow)) as (session, events):
        before = asyncio.all_tasks()
        running = asyncio.create_task(session.run())
        await session.feed(s16(UTTERANCE))
        assert await asyncio.to_thread(entered.wait, PATIENCE_S)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await until_tasks_are(before)
        release.set()
        assert not of(Transcript, events)
