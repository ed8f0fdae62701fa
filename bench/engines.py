"""The embedded engines by themselves: freshly loaded, without registry, owners or sessions around them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from dragoman.config.settings import load_settings
from dragoman.models.base import (
    SAMPLE_RATE_HZ,
    LanguagePair,
    RecognitionRequest,
    SynthesisRequest,
    Synthesizer,
    Translator,
    Voice,
)
from dragoman.models.engines.espeak.synthesizer import EspeakSynthesizer
from dragoman.models.engines.moonshine.recognizer import MoonshineRecognizer
from dragoman.models.engines.pico.synthesizer import PicoSynthesizer
from dragoman.models.engines.silero.detector import SileroDetector
from dragoman.models.errors import EngineUnavailable
from dragoman.models.loading import load_translators
from dragoman.models.routes import RouteMap, offers
from dragoman.models.voices import VoiceCatalogue

PAIR = LanguagePair("en", "es")


@dataclass(frozen=True, slots=True)
class BareEngines:
    """One of each kind, and all translators, as `dragoman serve --engines embedded` loads them."""

    detector: SileroDetector
    recognizer: MoonshineRecognizer
    translators: tuple[Translator, ...]
    synthesizer: Synthesizer

    @classmethod
    def load(cls) -> "BareEngines":
        """Load and warm them, so that no later call pays for a first time. Raises EngineUnavailable."""
        embedded = load_settings(overrides={"engines": {"set": "embedded"}})
        translators = tuple(load_translators(embedded, []))
        engines = cls(SileroDetector(), MoonshineRecognizer(), translators, _synthesizer())
        second = np.sin(np.arange(SAMPLE_RATE_HZ, dtype=np.float32))
        engines.detector.stream().probabilities(second[: 31 * engines.detector.frame_samples])
        engines.recognizer.recognize([RecognitionRequest(second, "en")])
        route = RouteMap(step for engine in translators for step in offers(engine.name, engine.pairs)).best(*PAIR)
        for step in route.steps if route is not None else ():
            engines.translator(step.engine).translate(step.pair, ["a"])
        for _ in engines.synthesizer.synthesize(SynthesisRequest("Hola.", engines.voice())):
            pass
        return engines

    def translator(self, name: str) -> Translator:
        """A translator by its name."""
        return next(engine for engine in self.translators if engine.name == name)

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
            self.detector.close, self.recognizer.close, *(engine.close for engine in self.translators),
            self.synthesizer.close,
        )  # fmt: skip
        for close in closers:
            close()


def _synthesizer() -> Synthesizer:
    """What speaks Spanish by default."""
    try:
        return PicoSynthesizer()
    except EngineUnavailable:
        return EspeakSynthesizer()
