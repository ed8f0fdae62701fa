"""One session for one request: what it tells, and that nothing of it is left, however it ends."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing

import numpy as np
import pytest

from dragoman.models.base import Samples, SynthesisRequest
from dragoman.models.errors import EngineFailed, NoTranslator, Overloaded
from dragoman.models.plan import TargetWish
from dragoman.pipeline.audio.errors import AudioTooLong
from dragoman.pipeline.audio.formats import AudioFormat, pcm
from dragoman.pipeline.events import Ended, Event, Speech, Transcript, Translation
from dragoman.pipeline.items import GivenText
from dragoman.server.commands import Command, Feed, Open, Say
from dragoman.server.failures import InternalError, OutputNotRead, ShuttingDown, TooManySessions
from dragoman.server.oneshot import KEY, OneShot, heard
from dragoman.server.services import Services
from tests.fakes.engines import FakeSynthesizer, fake_engines, s16, silence, tone
from tests.server.served import in_process
from tests.waiting import PATIENCE_S, until_async

UTTERANCE = s16(np.concatenate([tone(1.0), silence(1.0)]))
LIMITED = Open(KEY, pcm(16_000), None, targets=(), input_limit_s=1.5)
HEARING = Open(KEY, pcm(16_000), None, target="es", latency="quality")


def speaking(sound: AudioFormat | None = None) -> Open:
    return Open(KEY, pcm(16_000), sound or pcm(24_000), targets=(TargetWish("es"),), hears=False)


async def fed(*commands: Command) -> AsyncIterator[Command]:
    for command in commands:
        yield command


def text(words: str) -> Say:
    return Say(KEY, GivenText(0, words, "es", translate=False))


def nothing_is_left(services: Services) -> bool:
    return services.admission.running == 0 and not services.connections


async def test_what_was_heard_and_translated_is_told() -> None:
    async with in_process() as services:
        shot = OneShot(services, "test")
        events = await heard(shot, HEARING, fed(Feed(KEY, UTTERANCE[:10_000]), Feed(KEY, UTTERANCE[10_000:])))
        assert [event.text for event in events if isinstance(event, Transcript)] == ["hello there"]
        assert [event.text for event in events if isinstance(event, Translation)] == ["<es> hello there"]
        assert not any(isinstance(event, Ended) for event in events)
        assert shot.session_id
        assert services.usage.text_out == len("<es> hello there")
        assert nothing_is_left(services)
        assert not shot.busy


async def test_what_is_spoken_is_counted() -> None:
    async with in_process() as services:
        events = await heard(OneShot(services, "test"), speaking(), fed(text("Hola.")))
        audio = b"".join(event.audio for event in events if isinstance(event, Speech))
        assert services.usage.audio_out_s == pytest.approx(len(audio) / 48_000)
        assert nothing_is_left(services)


@pytest.mark.parametrize(
    ("opening", "commands", "error"),
    [
        (Open(KEY, pcm(16_000), None, target="xx"), (), NoTranslator),
        (LIMITED, (Feed(KEY, UTTERANCE),), AudioTooLong),
        (LIMITED, [Feed(KEY, UTTERANCE[at : at + 3_200]) for at in range(0, len(UTTERANCE), 3_200)], AudioTooLong),
    ],
)
async def test_what_cannot_be_is_raised(opening: Open, commands: Sequence[Command], error: type[Exception]) -> None:
    async with in_process() as services:
        with pytest.raises(error):
            await heard(OneShot(services, "test"), opening, fed(*commands))
        assert nothing_is_left(services)


async def test_a_full_server_refuses() -> None:
    async with in_process(sessions=1) as services:
        place = services.admission.enter()
        with pytest.raises(TooManySessions):
            await heard(OneShot(services, "test"), HEARING, fed())
        place.leave()
        await heard(OneShot(services, "test"), HEARING, fed())
        assert nothing_is_left(services)


async def test_a_text_that_is_too_much_ends_it() -> None:
    async with in_process(texts_bytes=1_024) as services:
        with pytest.raises(Overloaded):
            await heard(OneShot(services, "test"), speaking(), fed(text("x" * 900), text("y" * 900), text("z" * 900)))
        assert nothing_is_left(services)


async def test_what_feeds_it_may_break() -> None:
    async def broken() -> AsyncIterator[Command]:
        yield Feed(KEY, UTTERANCE)
        raise ZeroDivisionError

    async with in_process() as services:
        with pytest.raises(InternalError):
            await heard(OneShot(services, "test"), HEARING, broken())
        assert nothing_is_left(services)


async def test_an_engine_may_break() -> None:
    def broken(*_: object) -> str:
        raise RuntimeError

    async with in_process(hear=broken) as services:
        with pytest.raises(EngineFailed):
            await heard(OneShot(services, "test"), HEARING, fed(Feed(KEY, UTTERANCE)))
        assert nothing_is_left(services)


class FakeHalting(FakeSynthesizer):
    """Speaks two blocks, then waits until the test lets it go on."""

    def __init__(self) -> None:
        self.released = threading.Event()

    def synthesize(self, request: SynthesisRequest) -> Iterator[Samples]:
        yield np.full(11_025, 0.25, np.float32)
        yield np.full(11_025, 0.25, np.float32)
        assert self.released.wait(PATIENCE_S)


@pytest.mark.parametrize("end", ["closed", "cancelled", "shut down"])
async def test_whoever_leaves_in_the_middle_leaves_nothing(end: str) -> None:
    voice = FakeHalting()
    async with in_process(lambda: fake_engines(synthesizer=voice)) as services:
        shot = OneShot(services, "test")
        told: list[Event] = []

        async def listen() -> None:
            async with aclosing(shot.events(speaking(), fed(text("Hola.")))) as events:
                async for event in events:
                    told.append(event)
                    if end == "closed" and isinstance(event, Speech):
                        return

        listening = asyncio.create_task(listen())
        try:
            await until_async(lambda: any(isinstance(event, Speech) for event in told))
            if end == "cancelled":
                listening.cancel()
            elif end == "shut down":
                assert shot.busy
                shot.shut_down()
            await asyncio.wait({listening})
            if end == "shut down":
                assert isinstance(listening.exception(), ShuttingDown)
            assert nothing_is_left(services)
        finally:
            voice.released.set()


async def test_speech_that_nobody_takes_is_bounded() -> None:
    async with in_process(output_wait_bytes=65_536) as services:
        shot = OneShot(services, "test")
        async with aclosing(shot.events(speaking(), fed(text("Una frase larga. " * 10)))) as events:
            await anext(events)
            await until_async(lambda: not shot._host.busy)
            with pytest.raises(OutputNotRead):
                async for _ in events:
                    pass
        assert nothing_is_left(services)
