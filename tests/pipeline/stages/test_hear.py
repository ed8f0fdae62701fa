"""The first stage: what is heard where it arrives, what elsewhere, and that it makes no difference."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dragoman.config.settings import load_settings
from dragoman.models.base import Samples
from dragoman.models.errors import EngineFailed
from dragoman.pipeline.audio.decode import Decoder, make_decoder
from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.audio.formats import AudioFormat, Container, media, pcm, sniffed, wav
from dragoman.pipeline.audio.samples import EMPTY
from dragoman.pipeline.audio.wav import streaming_header
from dragoman.pipeline.clock import InputClock
from dragoman.pipeline.context import SessionContext
from dragoman.pipeline.ear import Ear
from dragoman.pipeline.events import Event, SpeechEnded, SpeechStarted
from dragoman.pipeline.items import End, Flush, NewTerms, SegmentEnd, SpeechChunk
from dragoman.pipeline.latency import POLICIES
from dragoman.pipeline.observer import SilentObserver
from dragoman.pipeline.offload import Offload
from dragoman.pipeline.queues import MOST_ITEMS, MeteredQueue
from dragoman.pipeline.stages import hear
from dragoman.pipeline.stages.hear import INLINE_BYTES, HearStage
from tests.fakes.engines import FakeDetector, fake_engines, s16, silence, tone
from tests.pipeline.audio.files import as_file
from tests.waiting import PATIENCE_S

SETTINGS = load_settings()
Item = SpeechChunk | SegmentEnd | NewTerms | Flush | End


class FakeWatchedDetector(FakeDetector):
    """Keeps who judged how many frames; no two may judge at once. Fails at call `breaks_at`; holds in the pool."""

    def __init__(self, breaks_at: int = -1) -> None:
        self.calls: list[tuple[bool, int]] = []
        """Of each call, whether it was on the event loop, and its frames."""
        self.entered, self.released = threading.Event(), threading.Event()
        self.released.set()
        self._breaks_at = breaks_at
        self._judging = threading.Lock()

    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        assert self._judging.acquire(blocking=False)
        try:
            inline = threading.current_thread() is threading.main_thread()
            self.calls.append((inline, len(samples) // self.frame_samples))
            if len(self.calls) == self._breaks_at:
                raise EngineFailed(self.name, "it is broken")
            self.entered.set()
            assert inline or self.released.wait(PATIENCE_S)
            return super().probabilities(samples)
        finally:
            self._judging.release()


class FakeCodec:
    """Takes as long as it likes for every piece."""

    coded = True

    def __init__(self) -> None:
        self.entered, self.released = threading.Event(), threading.Event()
        self.closed = False

    def decode(self, data: bytes) -> Samples:
        self.entered.set()
        assert self.released.wait(PATIENCE_S)
        return EMPTY

    def finish(self) -> Samples:
        return EMPTY

    def close(self) -> None:
        self.closed = True


class Heard:
    """A stage that runs, and all that came out of it, in order."""

    def __init__(
        self,
        decoder: Decoder,
        detector: FakeDetector,
        offload: Offload,
        *,
        emit: Callable[[Event], None] | None = None,
        room_s: float = 1e9,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.events: list[Event] = []
        self.outbox: MeteredQueue[Item] = MeteredQueue(room_s)
        engines = fake_engines()
        self.context = SessionContext(
            "s",
            engines.plan(targets=()),
            engines,
            SETTINGS,
            offload,
            SilentObserver(),
            InputClock(),
            emit or self.events.append,
            POLICIES["low"],
        )
        engines.close()
        self.stage = HearStage(self.context, Ear(decoder, detector, SETTINGS.listen), self.outbox, loop)

    async def rest(self) -> None:
        """Until the stage has nothing to do."""
        while not self.stage._inbox.starved:  # noqa: ASYNC110
            await asyncio.sleep(0)

    @property
    def waiting(self) -> list[Item]:
        """What waits for the recogniser."""
        return [item for item, _ in self.outbox._items]


@asynccontextmanager
async def running(
    decoder: Decoder | None = None,
    detector: FakeDetector | None = None,
    *,
    emit: Callable[[Event], None] | None = None,
    offload: Offload | None = None,
    room_s: float = 1e9,
    loop: asyncio.AbstractEventLoop | None = None,
) -> AsyncIterator[tuple[Heard, asyncio.Task[None]]]:
    pool = offload or Offload()
    decoder, detector = decoder or make_decoder(pcm(16_000)), detector or FakeWatchedDetector()
    heard = Heard(decoder, detector, pool, emit=emit, room_s=room_s, loop=loop)
    task = asyncio.create_task(heard.stage.run())
    try:
        await heard.rest()
        yield heard, task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task
        if offload is None:
            pool.close()


def told(items: Sequence[object]) -> list[object]:
    """Comparable: each segment's samples in one, as a recogniser would take them, and what stands between."""
    found: list[object] = []
    chunks: list[SpeechChunk] = []
    for item in items:
        if isinstance(item, SpeechChunk):
            chunks.append(item)
            continue
        if isinstance(item, SegmentEnd):
            samples = np.concatenate([chunk.samples for chunk in chunks])
            length = round((item.keep_until_s - chunks[0].start_s) * 16_000)
            found.append((chunks[0].start_s, samples[:length].tobytes()))
            chunks = []
        found.append(item)
    return found


async def test_a_small_message_is_heard_before_feeding_it_returns() -> None:
    detector = FakeWatchedDetector()
    async with running(detector=detector) as (heard, _):
        for number in range(10):
            await heard.stage.feed(s16(tone(0.08)))
            assert heard.context.clock.received_s == pytest.approx(0.08 * (number + 1))
            assert len(heard.stage._inbox) == 0
        assert [type(event) for event in heard.events] == [SpeechStarted]
        assert sum(len(item.samples) for item in heard.waiting if isinstance(item, SpeechChunk)) > 0.7 * 16_000
        assert all(inline and 4 <= frames <= 6 for inline, frames in detector.calls)


async def test_many_frames_are_judged_in_the_pool_and_what_follows_waits_for_them() -> None:
    detector = FakeWatchedDetector()
    detector.released.clear()
    async with running(detector=detector) as (heard, _):
        await heard.stage.feed(s16(tone(3.0)))
        await asyncio.to_thread(detector.entered.wait, PATIENCE_S)
        await heard.stage.feed(s16(silence(0.1)))
        await heard.stage.feed(s16(silence(0.5)))
        assert heard.stage.depth == 2 * 0.6 * 16_000
        assert heard.waiting == []
        detector.released.set()
        await heard.rest()
        assert [type(event) for event in heard.events] == [SpeechStarted, SpeechEnded]
        assert not any(inline for inline, _ in detector.calls)
        await heard.stage.feed(s16(silence(0.2)))
        assert detector.calls[-1][0]


async def test_what_is_left_of_a_message_with_many_frames_is_judged_before_what_follows() -> None:
    detector = FakeWatchedDetector()
    async with running(detector=detector) as (heard, _):
        await heard.stage.feed(bytes(INLINE_BYTES))
        await heard.stage.feed(s16(tone(0.01)))
        await heard.rest()
        assert detector.calls == [(True, 6), (False, 10)]


async def test_before_it_runs_and_while_the_recogniser_is_full_all_waits() -> None:
    async with running(room_s=0.5) as (heard, _):
        for _ in range(20):
            await heard.stage.feed(s16(tone(0.1)))
        assert heard.stage.depth > 0
        assert heard.outbox.full
        while len(heard.outbox) or heard.stage.depth:
            await heard.outbox.get()
            await asyncio.sleep(0)
    stage = Heard(make_decoder(pcm(16_000)), FakeDetector(), Offload()).stage
    await stage.feed(bytes(100))
    assert stage.depth == 100


steps = st.lists(
    st.one_of(
        st.tuples(st.booleans(), st.sampled_from([1, 160, 1280, 1600, 8_192, 20_000, 50_000])),
        st.sampled_from(["flush", "expect", "turn", "rest"]),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(steps, st.sampled_from([pcm(16_000), sniffed(pcm(16_000))]))
async def test_wherever_it_is_heard_it_is_the_same_and_in_order(
    chosen: list[tuple[bool, int] | str], fmt: AudioFormat
) -> None:
    detector = FakeWatchedDetector()
    ear = Ear(make_decoder(fmt), FakeDetector(), SETTINGS.listen)
    expected: list[object] = []
    length_s = 0.0
    async with running(make_decoder(fmt), detector) as (heard, task):
        for number, step in enumerate(chosen):
            if isinstance(step, tuple):
                loud, count = step
                data = s16(tone(count / 16_000) if loud else silence(count / 16_000))
                await heard.stage.feed(data)
                seconds, found = ear.hear(data, 1 << 30)
                expected += found
                length_s += seconds
            elif step == "flush":
                await heard.stage.mark(Flush(number))
                expected += [*ear.stop(final=False), Flush(number, length_s)]
            elif step == "expect":
                await heard.stage.mark(NewTerms((str(number),)))
            elif step == "turn":
                await asyncio.sleep(0)
            else:
                await heard.rest()
        heard.stage.end()
        await task
        length_s += ear.finish()
        expected += [*ear.stop(final=True), End(length_s)]
        came = [item for item in heard.waiting if not isinstance(item, NewTerms)]
        wanted = [item for item in expected if not isinstance(item, SpeechStarted | SpeechEnded)]
        assert [_placed(item) for item in told(came)] == [_placed(item) for item in told(wanted)]
        assert heard.events == [item for item in expected if isinstance(item, SpeechStarted | SpeechEnded)]


def _placed(item: object) -> object:
    """With a marker's place in samples: the clock adds up seconds, and is off by far less than one."""
    return replace(item, at_s=round(item.at_s * 16_000)) if isinstance(item, Flush | End) else item


async def test_names_to_expect_keep_their_place() -> None:
    async with running() as (heard, task):
        await heard.stage.feed(s16(tone(3.0)))
        await heard.stage.mark(NewTerms(("a",)))
        await heard.stage.feed(s16(silence(0.1)))
        heard.stage.end()
        await task
        kinds = [type(item) for item in heard.waiting]
        assert kinds.index(NewTerms) < kinds.index(SegmentEnd)


@pytest.mark.parametrize("inline", [True, False])
async def test_a_detector_that_breaks_ends_the_stage_and_not_who_feeds(inline: bool) -> None:
    async with running(detector=FakeWatchedDetector(breaks_at=2)) as (heard, task):
        for _ in range(20):
            await heard.stage.feed(s16(tone(0.1 if inline else 1.0)))
        with pytest.raises(EngineFailed, match="it is broken"):
            await task
        await heard.stage.feed(s16(tone(0.1)))
        assert heard.stage.depth == 0


async def test_a_listener_that_raises_ends_the_stage_and_not_who_feeds() -> None:
    def refuse(_: Event) -> None:
        raise RuntimeError("enough")

    async with running(emit=refuse) as (heard, task):
        await heard.stage.feed(s16(tone(0.2)))
        with pytest.raises(RuntimeError, match="enough"):
            await task


async def test_bytes_that_are_not_the_format_end_the_stage_and_not_who_feeds() -> None:
    async with running(make_decoder(wav())) as (heard, task):
        await heard.stage.feed(b"this is not a RIFF file")
        with pytest.raises(BadAudio, match="RIFF"):
            await task


async def test_nothing_is_not_kept_and_markers_are_bounded() -> None:
    stage = Heard(make_decoder(pcm(16_000)), FakeDetector(), Offload()).stage
    for _ in range(MOST_ITEMS):
        await stage.feed(b"")
        await stage.mark(Flush("f"))
    assert len(stage._inbox) == MOST_ITEMS
    waiting = asyncio.create_task(stage.mark(Flush("f")))
    await asyncio.sleep(0)
    assert not waiting.done()
    stage.end()  # which says that nothing follows, and so is not one of many
    stage.close()
    await waiting


async def test_a_header_without_audio_is_nothing() -> None:
    """Nor is one cut into single bytes."""
    async with running(make_decoder(wav())) as (heard, task):
        head = streaming_header(16_000)
        for at in range(len(head)):
            await heard.stage.feed(head[at : at + 1])
        await heard.rest()
        assert (heard.stage.depth, heard.context.clock.received_s, heard.waiting) == (0, 0, [])
        heard.stage.end()
        await task


async def test_a_codec_that_does_not_come_to_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hear, "PIECE_LIMIT_S", 0.01)
    codec = FakeCodec()
    async with running(codec) as (heard, task):
        await heard.stage.feed(b"x")
        with pytest.raises(BadAudio, match=r"could not be decoded in 0\.01 s"):
            await task
    assert codec.closed
    codec.released.set()


async def test_codecs_that_do_not_come_to_an_end_keep_no_other_session_waiting() -> None:
    offload, codecs = Offload(), [FakeCodec() for _ in range(5)]
    async with running(codecs[0], offload=offload) as (one, _), running(codecs[1], offload=offload) as (two, _):
        for codec, stuck in ((codecs[0], one), (codecs[1], two)):
            await stuck.stage.feed(b"x")
            await asyncio.to_thread(codec.entered.wait, PATIENCE_S)
        async with running(offload=offload) as (heard, task):
            await heard.stage.feed(s16(np.concatenate([tone(3.0), silence(1.0)])))
            heard.stage.end()
            await task
            assert [type(event) for event in heard.events] == [SpeechStarted, SpeechEnded]
        for codec in codecs:
            codec.released.set()
    offload.close()


def decoding() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "dragoman-decode"}


async def test_a_compressed_file_is_heard_in_a_thread_of_its_own() -> None:
    detector, before = FakeWatchedDetector(), decoding()
    async with running(make_decoder(media(Container.ANY)), detector) as (heard, task):
        await heard.stage.feed(as_file(Container.MP3, np.concatenate([tone(2.0), silence(1.0)]), 16_000))
        assert not decoding() - before
        await heard.rest()
        assert len(decoding() - before) == 1
        heard.stage.end()
        await task
        assert [type(event) for event in heard.events] == [SpeechStarted, SpeechEnded]
        assert heard.context.clock.received_s == pytest.approx(3.0, abs=0.2)
