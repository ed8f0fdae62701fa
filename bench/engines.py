"""The embedded engines by themselves: freshly loaded, without registry, owners or sessions around them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from dragoman.models.base import SAMPLE_RATE_HZ, LanguagePair, RecognitionRequest, SynthesisRequest, Synthesizer, Voice
from dragoman.models.engines.apertium.translator import ApertiumTranslator
from dragoman.models.engines.espeak.synthesizer import EspeakSynthesizer
from dragoman.models.engines.moonshine.recognizer import MoonshineRecognizer
from dragoman.models.engines.pico.synthesizer import PicoSynthesizer
from dragoman.models.engines.silero.detector import SileroDetector
from dragoman.models.errors import EngineUnavailable
from dragoman.models.voices import VoiceCatalogue

PAIR = LanguagePair("en", "es")


@dataclass(frozen=True, slots=True)
class BareEngines:
    """One of each kind, as `dragoman serve --engines embedded` loads them."""

    detector: SileroDetector
    recognizer: MoonshineRecognizer
    translator: ApertiumTranslator
    synthesizer: Synthesizer

    @classmethod
    def load(cls) -> "BareEngines":
        """Load and warm them, so that no later call pays for a first time. Raises EngineUnavailable."""
        engines = cls(SileroDetector(), MoonshineRecognizer(), ApertiumTranslator(), _synthesizer())
        second = np.sin(np.arange(SAMPLE_RATE_HZ, dtype=np.float32))
        engines.detector.stream().probabilities(second[: 31 * engines.detector.frame_samples])
        engines.recognizer.recognize([RecognitionRequest(second, "en")])
        engines.translator.warm([PAIR])
        for _ in engines.synthesizer.synthesize(SynthesisRequest("Hola.", engines.voice())):
            pass
        return engines

    def catalogue(self) -> VoiceCatalogue:
        """The voices that a server with these engines has."""
        return VoiceCatalogue.load()

    def voice(self) -> Voice:
        """A voice for the target."""
        voice = self.catalogue().default(PAIR.target, [self.synthesizer.name])
        assert voice is not None
        return voice

    def close(self) -> None:
        """End them all."""
        closers: Sequence[Callable[[], None]] = (
            self.detector.close, self.recognizer.close, self.translator.close, self.synthesizer.close
        )  # fmt: skip
        for close in closers:
            close()


def _synthesizer() -> Synthesizer:
    """What speaks Spanish by default."""
    try:
        return PicoSynthesizer()
    except EngineUnavailable:
        return EspeakSynthesizer()
