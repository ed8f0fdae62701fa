"""Real recordings spoken to a session in real time, and how much of them was heard."""

import asyncio
import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from dragoman.config.settings import load_settings
from dragoman.models.base import SAMPLE_RATE_HZ, Recognizer, Samples, Word
from dragoman.models.engines.silero.detector import SileroDetector
from dragoman.models.plan import TargetWish
from dragoman.models.registry import Engines
from dragoman.models.voices import VoiceCatalogue
from dragoman.pipeline.agreement import distance
from dragoman.pipeline.audio.decode import make_decoder
from dragoman.pipeline.audio.formats import ogg_opus, pcm
from dragoman.pipeline.events import Event, Transcript
from dragoman.pipeline.latency import Latency
from dragoman.pipeline.session import Session, SessionRequest
from tests.fakes.engines import FakeTranslator, s16, silence
from tests.pipeline.stillness import Stillness

AUDIO = Path(__file__).parent / "audio"
STEP_S = 0.2


@dataclass(frozen=True)
class Recording:
    name: str
    language: str
    text: str

    @property
    def samples(self) -> Samples:
        return decoded(self.name)


def recordings(*numbers: int, languages: Sequence[str] = ("en", "es", "fr", "de", "pt")) -> list[Recording]:
    said = json.loads((AUDIO / "said.json").read_text(encoding="utf-8"))
    names = [f"fleurs-{language}-{number:03d}.ogg" for language in languages for number in numbers]
    return [Recording(name, said[name]["language"], said[name]["text"]) for name in names]


@cache
def decoded(name: str) -> Samples:
    """At 16 kHz, with a peak of 0.7."""
    decoder = make_decoder(ogg_opus())
    samples = np.concatenate([decoder.decode((AUDIO / name).read_bytes()), decoder.finish()])
    decoder.close()
    level: Samples = (samples * (0.7 / np.abs(samples).max())).astype(np.float32)
    level.flags.writeable = False
    return level


def plain(text: str) -> list[str]:
    """The words, as those who count errors compare them."""
    kept = (sign if sign.isalnum() or unicodedata.category(sign) == "Mn" else " " for sign in text.lower())
    return "".join(kept).split()


def errors(said: str, heard: str) -> int:
    """Words that are wrong, missing or too many."""
    return distance(plain(said), plain(heard))


def engines_with(recognizer: Recognizer) -> Engines:
    """What is real is what hears; translations are not what is tested here."""
    return Engines(
        name="real",
        detector=SileroDetector(),
        recognizers=[recognizer],
        translators=[FakeTranslator("en", "es", "en")],
        synthesizers=[],
        catalogue=VoiceCatalogue([]),
    )


@dataclass(frozen=True)
class Heard:
    """What came of a talk."""

    events: list[Event]

    @property
    def finals(self) -> list[Transcript]:
        return [event for event in self.events if isinstance(event, Transcript) and event.final and event.text]

    @property
    def text(self) -> str:
        return " ".join(transcript.text for transcript in self.finals)

    @property
    def words(self) -> list[Word]:
        return [word for transcript in self.finals for word in transcript.words]


def hear(
    recognizer: Recognizer,
    *pieces: Samples,
    latency: Latency = "balanced",
    source: str | None = None,
    candidates: frozenset[str] = frozenset(),
    wishes: Sequence[TargetWish] = (),
    locks: bool = True,
    in_real_time: bool = True,
) -> Heard:
    """Speak the pieces, with 0.8 s of silence behind each, to a session of its own."""
    audio = np.concatenate([part for piece in pieces for part in (piece, silence(0.8))])
    engines = engines_with(recognizer)
    owned = recognizer.close
    recognizer.close = lambda: None  # type: ignore[method-assign]
    events: list[Event] = []
    plan = engines.plan(source=source, targets=wishes, candidates=candidates, locks_language=locks)
    request = SessionRequest(pcm(SAMPLE_RATE_HZ), None, plan, latency=latency)

    async def speak(still: Stillness) -> None:
        session = Session(
            request,
            engines,
            load_settings(),
            still.offload,
            session_id="s",
            emit=events.append,
            work_clock=still.work_clock,
        )
        step = round(STEP_S * SAMPLE_RATE_HZ) if in_real_time else len(audio)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(session.run())
            for start in range(0, len(audio), step):
                await session.feed(s16(audio[start : start + step]))
                if in_real_time:
                    await still.settled(session)
            await session.end()

    try:
        with Stillness(engines) as still:
            asyncio.run(speak(still))
    finally:
        engines.close()
        recognizer.close = owned  # type: ignore[method-assign]
    return Heard(events)
