"""The interfaces of the engines and their plain value types.

An engine is loaded once per process and shared by every session. Its methods block and are called from the threads of
its owner (`models/batching.py`), as many at once as its `batching` says, never from the event loop. Whatever belongs to
one session (the state of voice activity detection, context) is handed in or lives in an object made per session.

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

Voiceprint = NDArray[np.float32]
"""What a voice sounds like: a unit vector, shape (n,). The more two voices are alike, the greater is its dot product
with the other's, their cosine."""


class LanguagePair(NamedTuple):
    """Source and target language, each a lower-case ISO 639-1 code."""

    source: str
    target: str

    def __str__(self) -> str:
        return f"{self.source}→{self.target}"


@dataclass(frozen=True, slots=True)
class Batching:
    """How an engine gains most: `size` requests at most in one call, up to `wait_s` seconds spent waiting for them
    after the first, and `workers` threads that call it at once.

    `by_pair`: each pair of a translator is served apart from the others, by threads of its own, so that one that hangs
    holds nobody up who does not need it.
    """

    size: int = 1
    wait_s: float = 0.0
    workers: int = 1
    by_pair: bool = False


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

    `samples` are at 16 kHz. `language` is what is spoken, or None to let the engine decide, among `candidates` where
    there are any. `context` is the text that was said before the samples, none of it within, and `keywords` are names
    and terms to expect, for engines that can use them. `english_for` are the languages whose speech is also wanted as
    English text, where the engine translates itself (`Recognizer.to_english`). `ordinal` counts the session's committed
    segments before this one. `draft` are the `tokens` of an earlier hypothesis of audio that began like this, where
    there is one. `partial`: more is coming and will be asked about, so an engine may spare itself the utmost.
    """

    samples: Samples
    language: str | None = None
    candidates: frozenset[str] = frozenset()
    context: str = ""
    keywords: tuple[str, ...] = ()
    english_for: frozenset[str] = frozenset()
    ordinal: int = 0
    draft: tuple[int, ...] = ()
    partial: bool = False


class Trust(NamedTuple):
    """What the word confidences of an engine are worth while the speaker goes on.

    A word from `sure` on seldom turns out to be another when more is heard; one under `doubtful` often does.
    """

    sure: float
    doubtful: float


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What a recogniser heard in one request.

    `words` is empty where the engine gives no word times; else they are those of `text`, parted by blanks, or single
    characters in a language that is written without (`UNSPACED` in `pipeline/timing.py`). `language_confidence` is in
    [0, 1] where the engine decided which language it is, else None. `english` is the engine's own translation, where
    `english_for` asked for it.

    An engine without word times may still give `confidences`, in [0, 1], one for each word of `text`, or none at all.
    `trust` tells what they are worth; None where nobody has measured that. `tokens` are the engine's own, where it can
    use them as the draft of its next hypothesis (`RecognitionRequest.draft`), to come to the same result sooner.
    """

    text: str
    language: str
    words: tuple[Word, ...] = ()
    language_confidence: float | None = None
    english: str | None = None
    confidences: tuple[float, ...] = ()
    trust: Trust | None = None
    tokens: tuple[int, ...] = ()


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
    """Turns speech into text. `to_english` are the languages that it can also translate to English by itself."""

    name: str
    languages: frozenset[str]
    to_english: frozenset[str]
    batching: Batching

    def recognize(self, requests: Sequence[RecognitionRequest]) -> list[Hypothesis]:
        """One hypothesis per request, in order. Silence gives empty text. Raises EngineFailed."""
        ...

    def close(self) -> None: ...


class Translator(Protocol):
    """Turns text of one language into text of another, directly (pivots are the registry's business).

    `neural`: the translation of a longer text usually begins like that of its beginning.
    """

    name: str
    neural: bool
    pairs: frozenset[LanguagePair]
    batching: Batching

    def translate(self, pair: LanguagePair, texts: Sequence[str]) -> list[str]:
        """One translation per text, in order. Raises EngineFailed."""
        ...

    def close(self) -> None: ...


class SpeakerEmbedder(Protocol):
    """Turns speech into what tells its speaker from others.

    `threshold` is the cosine from which on two long pieces (6 s or more) are of the same person. In less than
    `shortest_s` seconds of speech nobody new is to be found: it tells too little.
    """

    name: str
    batching: Batching
    threshold: float
    shortest_s: float

    def embed(self, pieces: Sequence[Samples]) -> list[Voiceprint]:
        """The voice of each piece of speech, 16 kHz, of any length but none; in order. Raises EngineFailed."""
        ...

    def close(self) -> None: ...


class Synthesizer(Protocol):
    """Turns text into speech."""

    name: str
    batching: Batching

    @property
    def languages(self) -> frozenset[str]:
        """The languages that it has a voice for."""
        ...

    def speaks(self, voice: Voice) -> bool:
        """Whether `voice`, one of this engine's, can be spoken with what is installed."""
        ...

    def sample_rate_hz(self, voice: Voice) -> int:
        """Rate of the samples that `synthesize` gives for this voice."""
        ...

    def synthesize(self, request: SynthesisRequest) -> Iterator[Samples]:
        """The speech, block by block as it becomes ready. Raises EngineFailed."""
        ...

    def close(self) -> None: ...
