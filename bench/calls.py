"""The exact engine calls of a session: run once in this process, with engines that write down what they are asked."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from bench.engines import PAIR, BareEngines
from dragoman.bench.client import INPUT_FORMAT, OUTPUT_FORMAT
from dragoman.bench.talk import CHUNK_S, Talk
from dragoman.config.settings import load_settings
from dragoman.models.base import (
    Hypothesis,
    LanguagePair,
    RecognitionRequest,
    Recognizer,
    Samples,
    SynthesisRequest,
    Synthesizer,
    Translator,
    Voice,
    VoiceActivityDetector,
    VoiceActivityStream,
)
from dragoman.models.registry import Engines
from dragoman.pipeline.events import Event, Transcript, Translation
from dragoman.pipeline.latency import Latency
from dragoman.pipeline.offload import Offload
from dragoman.pipeline.session import Session, SessionRequest
from dragoman.server.protocols.gradium.formats import input_format, output_format


@dataclass(slots=True)
class Detect:
    """Whole frames of one session's audio."""

    samples: Samples


@dataclass(slots=True)
class Recognise:
    """`committed`: words became certain by its result; else it only looked into an open segment."""

    request: RecognitionRequest
    committed: bool = False


@dataclass(slots=True)
class Translate:
    engine: str
    pair: LanguagePair
    text: str


@dataclass(slots=True)
class Speak:
    request: SynthesisRequest


Call = Detect | Recognise | Translate | Speak


@dataclass(slots=True)
class CallLog:
    """What one session asked of the engines, in order, and the texts that it gave."""

    calls: list[Call] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def note(self, event: Event) -> None:
        """A final transcript is the result of the latest recognition; one session asks for one at a time."""
        if isinstance(event, Transcript) and event.final:
            next(call for call in reversed(self.calls) if isinstance(call, Recognise)).committed = True
        elif isinstance(event, Translation):
            self.texts.append(event.text)


async def record(talk: Talk, latency: Latency, *, paced: bool) -> CallLog:
    """The calls that a session over this talk makes. Its chunks are a client's.

    `paced`: they come at the speed of speech, on which it depends how often the open segment is asked about; else as
    fast as they are taken.
    """
    log, bare, offload = CallLog(), BareEngines.load(), Offload()
    engines = Engines(
        name="recording",
        detector=_Detector(bare.detector, log.calls),
        recognizers=[_Recognizer(bare.recognizer, log.calls)],
        translators=[_Translator(engine, log.calls) for engine in bare.translators],
        synthesizers=[_Synthesizer(bare.synthesizer, log.calls)],
        catalogue=bare.catalogue(),
    )
    try:
        request = SessionRequest(
            input_format(INPUT_FORMAT),
            output_format(OUTPUT_FORMAT)[0],
            engines.plan(target=PAIR.target),
            latency=latency,
        )
        session = Session(request, engines, load_settings(), offload, session_id="recording", emit=log.note)
        running = asyncio.create_task(session.run())
        began_s = time.monotonic()
        for number, chunk in enumerate(talk.chunks()):
            if paced:
                await asyncio.sleep(max(0.0, began_s + number * CHUNK_S - time.monotonic()))
            await session.feed(chunk)
        await session.end()
        await running
    finally:
        engines.close()
        offload.close()
    return log


class _Detector:
    def __init__(self, inner: VoiceActivityDetector, calls: list[Call]) -> None:
        self.name, self.frame_samples = inner.name, inner.frame_samples
        self.close = inner.close
        self._inner, self._calls = inner, calls

    def stream(self) -> "_Stream":
        return _Stream(self._inner.stream(), self._calls)


class _Stream:
    def __init__(self, inner: VoiceActivityStream, calls: list[Call]) -> None:
        self._inner, self._calls = inner, calls

    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        self._calls.append(Detect(samples.copy()))
        return self._inner.probabilities(samples)


class _Recognizer:
    def __init__(self, inner: Recognizer, calls: list[Call]) -> None:
        self.name, self.languages, self.to_english = inner.name, inner.languages, inner.to_english
        self.batching = inner.batching
        self.close = inner.close
        self._inner, self._calls = inner, calls

    def recognize(self, requests: Sequence[RecognitionRequest]) -> list[Hypothesis]:
        self._calls += [Recognise(replace(one, samples=one.samples.copy())) for one in requests]
        return self._inner.recognize(requests)


class _Translator:
    def __init__(self, inner: Translator, calls: list[Call]) -> None:
        self.name, self.pairs, self.batching, self.neural = inner.name, inner.pairs, inner.batching, inner.neural
        self.close = inner.close
        self._inner, self._calls = inner, calls

    def translate(self, pair: LanguagePair, texts: Sequence[str]) -> list[str]:
        self._calls += [Translate(self.name, pair, text) for text in texts]
        return self._inner.translate(pair, texts)


class _Synthesizer:
    def __init__(self, inner: Synthesizer, calls: list[Call]) -> None:
        self.name, self.languages, self.batching = inner.name, inner.languages, inner.batching
        self.speaks = inner.speaks
        self.close = inner.close
        self._inner, self._calls = inner, calls

    def sample_rate_hz(self, voice: Voice) -> int:
        return self._inner.sample_rate_hz(voice)

    def synthesize(self, request: SynthesisRequest) -> Iterator[Samples]:
        self._calls.append(Speak(request))
        return self._inner.synthesize(request)
