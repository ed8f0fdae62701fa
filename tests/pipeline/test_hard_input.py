"""Input that breaks naive servers: hours of nothing, a speaker who never pauses, another language than agreed."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import jiwer
import numpy as np
import pytest

from dragoman.config.settings import load_settings
from dragoman.models.base import SAMPLE_RATE_HZ, Samples, SynthesisRequest
from dragoman.models.guards import collapse_repetitions
from dragoman.models.loading import load_engines
from dragoman.models.registry import Engines
from dragoman.pipeline.audio.formats import pcm
from dragoman.pipeline.events import Ended, Event, Transcript, Translation
from dragoman.pipeline.latency import Latency
from dragoman.pipeline.sentences import words_of
from dragoman.pipeline.session import Session, SessionRequest
from tests.costs import allocated_bytes, leaked_bytes
from tests.fakes.engines import s16, silence
from tests.fakes.readable import WORD_S, reader, spoken, text
from tests.models.recordings import recording
from tests.pipeline.holding import held_bytes
from tests.pipeline.stages.test_recognise import finals, heard, words
from tests.pipeline.stillness import Stillness

MINUTE = 60 * SAMPLE_RATE_HZ

KEPT_BYTES = SAMPLE_RATE_HZ * np.float32().nbytes
"""What a session may hold more at one time than at another: a second of samples."""


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    loaded = load_engines(load_settings(overrides={"engines": {"set": "embedded"}}))
    yield loaded
    loaded.close()


@dataclass
class Talk:
    """A session, and what it has said."""

    session: Session
    engines: Engines
    still: Stillness
    events: list[Event]

    async def feed(self, samples: Samples) -> None:
        """In pieces of a second, each when all is done with the one before."""
        for start in range(0, len(samples), SAMPLE_RATE_HZ):
            await self.session.feed(s16(np.clip(samples[start : start + SAMPLE_RATE_HZ], -1, 1)))
            await self.still.settled(self.session)

    def held_bytes(self) -> int:
        """What the session holds, without what has come out of it."""
        return held_bytes(
            self.session, [self.engines, self.engines.detector, self.still, self.still.offload, self.events]
        )


@asynccontextmanager
async def session_of(engines: Engines, latency: Latency) -> AsyncIterator[Talk]:
    """A session in English to Spanish; when the block ends it has said everything."""
    events = list[Event]()
    request = SessionRequest(
        pcm(SAMPLE_RATE_HZ), pcm(48_000), engines.plan(source="en", target="es"), partials=True, latency=latency
    )
    with Stillness(engines) as still:
        session = Session(
            request,
            engines,
            load_settings(),
            still.offload,
            work_clock=still.work_clock,
            session_id="s",
            emit=events.append,
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(session.run())
            yield Talk(session, engines, still, events)
            await session.end()


def spoken_words(texts: Sequence[str]) -> str:
    return " ".join(words_of(" ".join(texts)))


def nothing(generator: np.random.Generator) -> Samples:
    return np.zeros(MINUTE, np.float32)


def hiss(generator: np.random.Generator) -> Samples:
    """Noise with equal power at all frequencies, at another level each second."""
    levels = np.repeat(10 ** generator.uniform(-4, -0.5, 60), SAMPLE_RATE_HZ)
    return np.asarray(generator.standard_normal(MINUTE) * levels, np.float32)


def rumble(generator: np.random.Generator) -> Samples:
    """Noise with equal power in each octave that swells four times a second, as syllables do."""
    spectrum = np.fft.rfft(generator.standard_normal(MINUTE))
    noise = np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)), MINUTE)
    swelling = 1 + np.sin(2 * np.pi * 4 * np.arange(MINUTE) / SAMPLE_RATE_HZ)
    return np.asarray(0.1 * swelling * noise / noise.std(), np.float32)


def music(generator: np.random.Generator) -> Samples:
    """Chords of plucked strings and a drum, two in a second."""
    times, beats = np.arange(SAMPLE_RATE_HZ // 2) / SAMPLE_RATE_HZ, []
    for _ in range(120):
        root_hz = 220 * 2 ** (generator.integers(12) / 12)
        partials = [(root_hz * interval * number, number) for interval in (0.5, 1, 1.25, 1.5) for number in range(1, 6)]
        strings = sum(np.sin(2 * np.pi * hz * times) / number for hz, number in partials) * np.exp(-3 * times)
        beats.append(strings + 2 * np.exp(-40 * times) * generator.standard_normal(len(times)))
    tune = np.concatenate(beats)
    return np.asarray(0.5 * tune / np.abs(tune).max(), np.float32)


@pytest.mark.embedded
async def test_an_hour_in_which_nobody_speaks(engines: Engines) -> None:
    generator = np.random.default_rng(7)
    kinds = [kind(generator) for kind in (nothing, hiss, rumble, music)]
    held, allocated = [], []
    async with session_of(engines, "low") as talk:
        for minute in range(60):
            await talk.feed(np.roll(kinds[minute % len(kinds)], generator.integers(MINUTE)))
            held.append(talk.held_bytes())
            allocated.append(allocated_bytes())
    # A network may take a beat of noise for a word once; one without a voice detector in front does so all the time.
    assert sum(isinstance(event, Transcript) and bool(event.text) for event in talk.events) <= 4
    assert sum(isinstance(event, Ended) for event in talk.events) == 1
    # Each kind of noise was met in the first quarter: what a session ever holds of them it holds by then.
    assert max(held[15:]) < max(held[:15]) + KEPT_BYTES
    # And what is outside of Python: less than a hundredth of the samples that come in meanwhile.
    quarters = [max(allocated[start : start + 15]) for start in range(0, 60, 15)]
    assert leaked_bytes(quarters) < 15 * MINUTE * np.float32().nbytes / 100


async def test_a_speaker_who_does_not_pause_for_ten_minutes() -> None:
    recognizer = reader(times=False, sentence=10_000)
    count, times = 100, 15
    audio = np.concatenate([*[spoken(count)] * times, silence(1.0)])
    assert len(audio) > 10 * MINUTE
    events = await heard(audio, recognizer, chunk_s=0.25)
    assert [word.strip(".") for word in words(events)] == [word.strip(".") for word in text(count)] * times
    lags = np.array([(word.stop_s, at_s - word.stop_s) for at_s, said in finals(events) for word in said.words])
    first, last = (lags[(start <= lags[:, 0]) & (lags[:, 0] < start + 60), 1] for start in (0.0, 540.0))
    assert np.percentile(last, 95) <= np.percentile(first, 95) + 0.5
    assert np.percentile(lags[:, 1], 95) < 2.5
    delays = [at_s - event.stop_s for at_s, event in events if isinstance(event, Translation)]
    assert max(delays) < 5.0
    # The open segment stays short, and so does what a second of speech costs.
    assert max(recognizer.lengths_s) < 16
    assert sum(recognizer.lengths_s) < 22 * count * times * WORD_S


@pytest.mark.embedded
@pytest.mark.parametrize("latency", ["low", "balanced"])
async def test_another_language_in_a_session_that_was_to_be_english(engines: Engines, latency: Latency) -> None:
    spanish = "En un lugar de la Mancha, de cuyo nombre no quiero acordarme, no ha mucho tiempo que vivía un hidalgo."
    voice = engines.default_voice("es")
    request = SynthesisRequest(spanish, voice)
    blocks = [block.samples async for block in engines.synthesize(request, "other")]
    foreign = np.interp(
        np.arange(0, sum(map(len, blocks)), engines.sample_rate_hz(voice) / SAMPLE_RATE_HZ),
        np.arange(sum(map(len, blocks))),
        np.concatenate(blocks),
    ).astype(np.float32)
    english, pause = recording("beckett.wav"), silence(1.0)
    async with session_of(engines, latency) as talk:
        await talk.feed(np.concatenate([english, pause, foreign, foreign, pause, english, pause]))
    said = [event for event in talk.events if isinstance(event, Transcript) and event.final and event.text]
    assert {event.language for event in said} == {"en"}
    # Nothing was invented in circles, and no more than can be spoken in that time.
    told = " ".join(event.text for event in said)
    assert collapse_repetitions(told) == told
    assert len(words_of(told)) < 4 * (len(english) + len(foreign)) * 2 / SAMPLE_RATE_HZ
    # What follows is heard as well as what came before.
    length_s = len(english) / SAMPLE_RATE_HZ
    before = [event.text for event in said if event.stop_s < length_s]
    after = [event.text for event in said if event.start_s > said[-1].stop_s - length_s]
    for part in (before, after):
        assert jiwer.wer("ever tried ever failed no matter try again fail again fail better", spoken_words(part)) < 0.4
