"""The last two stages: where blocks are encoded, and that it makes no difference how an engine cuts its speech."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from dragoman.config.settings import load_settings
from dragoman.models.base import Samples, SynthesisRequest
from dragoman.models.registry import Engines
from dragoman.models.voices import VoiceCatalogue
from dragoman.pipeline.audio.formats import AudioFormat, ogg_opus, pcm, ulaw, wav
from dragoman.pipeline.events import Event, Speech, Translated
from dragoman.pipeline.items import Clause, GivenText, SpokenBlock
from dragoman.pipeline.offload import Offload
from dragoman.pipeline.session import Session, SessionRequest
from dragoman.pipeline.stages.encode import INLINE_S, BranchEncoder
from dragoman.pipeline.stages.speak import MOST_S
from tests.fakes.engines import FakeDetector, FakeSynthesizer, FakeTranslator, fake_voice

RATE_HZ = 22_050


class FakeCut(FakeSynthesizer):
    """Speaks each text for so many seconds, in blocks of `block_s`."""

    def __init__(self, seconds: float, block_s: float) -> None:
        self._samples = np.random.default_rng(1).uniform(-0.5, 0.5, round(seconds * RATE_HZ)).astype(np.float32)
        self._step = round(block_s * RATE_HZ)

    def synthesize(self, request: SynthesisRequest) -> Iterator[Samples]:
        for start in range(0, len(self._samples), self._step):
            yield self._samples[start : start + self._step]


class FakeCountedOffload(Offload):
    """Keeps how long the blocks are that go through the pool."""

    def __init__(self) -> None:
        super().__init__()
        self.lengths_s: list[float] = []

    async def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        if args and isinstance(args[0], SpokenBlock):
            self.lengths_s.append(len(args[0].samples) / RATE_HZ)
        return await super().run(function, *args, **kwargs)


async def spoken(seconds: float, block_s: float, fmt: AudioFormat) -> tuple[list[Speech], list[float]]:
    """What a session says of one text; and the lengths of what went through the pool."""
    engines = Engines(
        name="fake",
        detector=FakeDetector(),
        recognizers=[],
        translators=[FakeTranslator("en", "es")],
        synthesizers=[FakeCut(seconds, block_s)],
        catalogue=VoiceCatalogue([fake_voice("es")]),
    )
    offload, events = FakeCountedOffload(), list[Event]()
    request = SessionRequest(pcm(16_000), fmt, engines.plan(target="es", hears=False))
    session = Session(request, engines, load_settings(), offload, session_id="s", emit=events.append)
    try:
        session.say(GivenText("t", "Good day.", "en", translate=True))
        await session.end()
        await session.run()
    finally:
        await asyncio.to_thread(engines.close)
        offload.close()
    assert any(isinstance(event, Translated) for event in events)
    return [event for event in events if isinstance(event, Speech)], offload.lengths_s


async def test_a_block_of_any_length_is_encoded_in_parts_that_nobody_waits_long_for() -> None:
    whole, lengths_s = await spoken(17.0, 17.0, pcm(48_000))
    assert sum(lengths_s) == pytest.approx(17.0)
    assert max(lengths_s) <= MOST_S
    assert whole[0].clause_stop_s == pytest.approx(17.0)  # known from the start, for the engine gave it at once
    cut, _ = await spoken(17.0, 0.7, pcm(48_000))
    assert b"".join(piece.audio for piece in whole) == b"".join(piece.audio for piece in cut)
    assert whole[-1].last
    assert whole[-1].stop_s == pytest.approx(17.0)


@pytest.mark.parametrize("fmt", [pcm(48_000), wav(24_000), ulaw()], ids=lambda fmt: fmt.name)
async def test_short_blocks_of_plain_samples_need_no_thread(fmt: AudioFormat) -> None:
    _, lengths_s = await spoken(0.4, 1.0, fmt)
    assert lengths_s == []
    _, lengths_s = await spoken(1.0, 1.0, fmt)
    assert lengths_s == [1.0]


async def test_a_codec_is_never_run_on_the_event_loop_but_for_the_end_of_a_clause() -> None:
    _, lengths_s = await spoken(0.4, 1.0, ogg_opus())
    assert lengths_s == [0.4]


def test_what_is_quick() -> None:
    def block(seconds: float) -> SpokenBlock:
        clause = Clause(0, "a", "es", None)
        return SpokenBlock(clause, np.zeros(round(seconds * RATE_HZ), np.float32), RATE_HZ, 1.0, 0.0, last=not seconds)

    plain, coded = BranchEncoder(pcm(48_000)), BranchEncoder(ogg_opus())
    assert [plain.quick(block(seconds)) for seconds in (0.0, INLINE_S, INLINE_S + 0.1)] == [True, True, False]
    assert [coded.quick(block(seconds)) for seconds in (0.0, 0.1)] == [True, False]
