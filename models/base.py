"""The interfaces of the engines and their plain value types.

An engine is loaded once per process and shared by every session. Its methods block and are called from one owner
thread at a time (`models/batching.py`), never from the event loop. Whatever belongs to one session (the state of
voice activity detection, context) is handed in or lives in an object made per session.

Audio everywhere in this package is mono float32 in [-1, 1]; recognisers and detectors take 16 kHz, synthesizers
give their own rate.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000
"""Rate of the audio that detectors and recognisers take."""

Samples = NDArray[np.float32]
"""Mono float32 audio, shape (n,), values in [-1, 1]."""


class LanguagePair(NamedTuple):
    """Source and target language, each a lower-case ISO 639-1 code."""

    source: str
    target: str

    def __str__(self) -> str:
        return f"{self.source}→{self.target}"


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word with its place on the input clock.

    `start_s` and `stop_s` are seconds from the start of the audio that was recognised; `confidence` is in [0, 1],
    or None where the engine gives none.
    """

    text: str
    start_s: float
    stop_s: float
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class RecognitionRequest:
    """One piece of speech to recognise.

    `samples` are at 16 kHz. `language` is a hint or None to let the engine decide. `context` is the text that was
    said before, for engines that can use it. `ordinal` counts the session's committed segments before this one.
    """

    samples: Samples
    language: str | None = None
    context: str = ""
    ordinal: int = 0


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What a recogniser heard in one request. `words` is empty where the engine gives no word times."""

    text: str
    language: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice that a client can ask for by `voice_id` (16 characters of [A-Za-z0-9_-]) or by an alias.

    `engine` names the synthesizer, `engine_voice` is that engine's own name for the voice.
    """

    voice_id: str
    name: str
    language: str
    engine: str
    engine_voice: str
    gender: str
    description: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SynthesisRequest:
    """One clause to speak. `tempo` is a factor on the engine's normal speaking rate."""

    text: str
    voice: Voice
    tempo: float = 1.0


class VoiceActivityStream(Protocol):
    """Voice activity of one session; keeps the detector's state between calls."""

    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        """Probability of speech, one per frame; `samples` must hold a whole number of the detector's frames."""
        ...


class VoiceActivityDetector(Protocol):
    """Tells speech from everything else, frame by frame."""

    name: str
    frame_samples: int

    def stream(self) -> VoiceActivityStream:
        """A fresh stream for one session."""
        ...

    def close(self) -> None: ...


class Recognizer(Protocol):
    """Turns speech into text. `concurrency` is how many threads may call it at once and gain by it."""

    name: str
    languages: frozenset[str]
    concurrency: int

    def recognize(self, requests: Sequence[RecognitionRequest]) -> list[Hypothesis]:
        """One hypothesis per request, in order. Silence gives empty text. Raises EngineFailed."""
        ...

    def close(self) -> None: ...


class Translator(Protocol):
    """Turns text of one language into text of another, directly (pivots are the registry's business)."""

    name: str
    pairs: frozenset[LanguagePair]

    def translate(self, pair: LanguagePair, texts: Sequence[str]) -> list[str]:
        """One translation per text, in order. Raises EngineFailed."""
        ...

    def close(self) -> None: ...


class Synthesizer(Protocol):
    """Turns text into speech."""

    name: str
    languages: frozenset[str]

    def sample_rate_hz(self, voice: Voice) -> int:
        """Rate of the samples that `synthesize` gives for this voice."""
        ...

    def synthesize(self, request: SynthesisRequest) -> Iterator[Samples]:
        """The speech, block by block as it becomes ready. Raises EngineFailed."""
        ...

    def close(self) -> None: ...
