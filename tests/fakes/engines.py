"""Fake engines whose words and failures a test chooses."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dragoman.models.base import (
    SAMPLE_RATE_HZ,
    Batching,
    Hypothesis,
    LanguagePair,
    RecognitionRequest,
    Samples,
    SynthesisRequest,
    Voice,
)
from dragoman.models.registry import Engines
from dragoman.models.voices import VoiceCatalogue


class FakeDetector:
    """Speech is whatever is louder than 0.01."""

    name = "fake-vad"
    frame_samples = 512

    def stream(self) -> "FakeDetector":
        return self

    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        loud = np.abs(samples).reshape(-1, self.frame_samples).max(axis=1) > 0.01
        return loud.astype(np.float32)

    def close(self) -> None:
        pass


class FakeRecognizer:
    """Hears what `hear` says of the samples."""

    name = "fake-recognizer"
    batching = Batching()

    def __init__(
        self,
        hear: Callable[[RecognitionRequest], str | Hypothesis],
        languages: Sequence[str] = ("en",),
        to_english: Sequence[str] = (),
    ) -> None:
        self.languages = frozenset(languages)
        self.to_english = frozenset(to_english)
        self.requests: list[RecognitionRequest] = []
        self._hear = hear

    def recognize(self, requests: Sequence[RecognitionRequest]) -> list[Hypothesis]:
        self.requests += requests
        heard = [self._hear(request) for request in requests]
        return [
            Hypothesis(what, request.language or "en") if isinstance(what, str) else what
            for what, request in zip(heard, requests, strict=True)
        ]

    def close(self) -> None:
        pass


class FakeTranslator:
    """Says `<target> text`."""

    name = "fake-translator"
    neural = False
    batching = Batching()

    def __init__(self, *languages: str) -> None:
        self.pairs = frozenset(LanguagePair(*pair) for pair in pairwise(languages))

    def translate(self, pair: LanguagePair, texts: Sequence[str]) -> list[str]:
        return [f"<{pair.target}> {text}" for text in texts]

    def close(self) -> None:
        pass


class FakeSynthesizer:
    """A tenth of a second of a constant for each character, in blocks of a quarter of a second."""

    name = "fake-synthesizer"
    languages = frozenset({"en", "es", "fr", "pt", "de"})
    batching = Batching()

    def speaks(self, voice: Voice) -> bool:
        return True

    def sample_rate_hz(self, voice: Voice) -> int:
        return 22_050

    def synthesize(self, request: SynthesisRequest) -> Iterator[Samples]:
        left = len(request.text) * 2205
        while left > 0:
            yield np.full(min(left, 5512), 0.25, np.float32)
            left -= 5512

    def close(self) -> None:
        pass


def fake_voice(language: str) -> Voice:
    """A voice of FakeSynthesizer."""
    return Voice(f"fake-{language}".ljust(16, "0"), language, language, FakeSynthesizer.name, language, "female")


def fake_engines(
    hear: Callable[[RecognitionRequest], str | Hypothesis] = lambda request: "hello there",
    *,
    translator: FakeTranslator | None = None,
    synthesizer: FakeSynthesizer | None = None,
) -> Engines:
    """English in; English, Spanish and Portuguese (through Spanish) out."""
    return Engines(
        name="fake",
        detector=FakeDetector(),
        recognizers=[FakeRecognizer(hear)],
        translators=[translator or FakeTranslator("en", "es", "pt")],
        synthesizers=[synthesizer or FakeSynthesizer()],
        catalogue=VoiceCatalogue([fake_voice(language) for language in sorted(FakeSynthesizer.languages)]),
    )


def tone(seconds: float, hz: float = 220.0, level: float = 0.3) -> Samples:
    """A sine at 16 kHz."""
    times = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (level * np.sin(2 * np.pi * hz * times)).astype(np.float32)


def silence(seconds: float) -> Samples:
    """Nothing, at 16 kHz."""
    return np.zeros(round(seconds * SAMPLE_RATE_HZ), np.float32)


def s16(samples: Samples) -> bytes:
    """16-bit little-endian bytes of samples."""
    return (samples * 32767).astype("<i2").tobytes()
