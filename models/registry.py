"""What is installed here, which engine serves which language or pair, and the way to each engine.

`Engines` is what a session sees of the models: it asks for words, translations and samples, and need not know who
makes them. Every engine sits behind its owner (`batching.py`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict

from dragoman.models import remedies
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
)
from dragoman.models.batching import BatchRecord, EngineOwner
from dragoman.models.errors import EngineUnavailable, NoRecognizer, NoTranslator, NoVoice, VoiceMismatch
from dragoman.models.routes import RouteMap
from dragoman.models.voices import VoiceCatalogue


@dataclass(frozen=True, slots=True)
class Plan:
    """Who serves a session. `source` None: the recogniser tells; `target` None: speak the language that was heard.

    `voice` None: the default voice of whatever language is spoken.
    """

    recognizer: str
    source: str | None
    target: str | None
    voice: Voice | None


class Description(TypedDict):
    """What `/ready` and the command line show: engine by language or pair."""

    engines: str
    vad: str
    recognise: dict[str, str]
    translate: dict[str, str]
    speak: dict[str, str]
    missing: list[str]


@dataclass(frozen=True, slots=True)
class _Task:
    pair: LanguagePair
    text: str


class Engines:
    """The loaded engines. Lists are in order of preference: the first that can do a thing does it."""

    def __init__(
        self,
        *,
        name: str,
        detector: VoiceActivityDetector,
        recognizers: Sequence[Recognizer],
        translators: Sequence[Translator],
        synthesizers: Sequence[Synthesizer],
        catalogue: VoiceCatalogue,
        default_voices: dict[str, str] | None = None,
        missing: Sequence[EngineUnavailable] = (),
        max_queue: int = 256,
        observer: Callable[[BatchRecord], None] | None = None,
    ) -> None:
        self.name = name
        self.detector = detector
        self.catalogue = catalogue
        self.missing = tuple(missing)
        self._default_voices = default_voices or {}
        self._recognizers = {engine.name: engine for engine in recognizers}
        self._translators = {engine.name: engine for engine in translators}
        self._synthesizers = {engine.name: engine for engine in synthesizers}
        self._routes = RouteMap(pair for engine in translators for pair in engine.pairs)
        self._hear = {
            engine.name: EngineOwner(
                engine.name, engine.recognize, max_queue=max_queue, workers=engine.concurrency, observer=observer
            )
            for engine in recognizers
        }
        self._turn = {
            engine.name: EngineOwner(engine.name, _translating(engine), max_queue=max_queue, observer=observer)
            for engine in translators
        }
        self._say = {
            engine.name: EngineOwner(engine.name, _synthesizing(engine), max_queue=max_queue, observer=observer)
            for engine in synthesizers
        }

    @property
    def source_languages(self) -> frozenset[str]:
        """Every language that some recogniser hears."""
        return frozenset(code for engine in self._recognizers.values() for code in engine.languages)

    @property
    def depths(self) -> dict[str, int]:
        """How many requests wait for each engine."""
        return {owner.name: owner.depth for owners in (self._hear, self._turn, self._say) for owner in owners.values()}

    def plan(self, *, source: str | None = None, target: str | None = None, voice_id: str | None = None) -> Plan:
        """Choose engines and voice for a session, or raise the RouteError that says what is missing."""
        if source is not None and source not in self.source_languages:
            raise NoRecognizer(source, remedies.for_recognition(source))
        sources = [source] if source is not None else sorted(self.source_languages)
        if not sources:
            raise NoRecognizer("en", remedies.for_recognition("en"))
        if target is not None and all(self._routes.route(code, target) is None for code in sources):
            pair = LanguagePair("en" if "en" in sources else sources[0], target)
            raise NoTranslator(pair, remedies.for_translation(pair))
        voice = self._choose_voice(voice_id, [target] if target else sources)
        if len(sources) == 1:
            source = sources[0]
        able = (engine for engine in self._recognizers.values() if set(sources) & engine.languages)
        best = max(able, key=lambda engine: len(engine.languages) if source is None else 0)
        return Plan(best.name, source, target, voice)

    def default_voice(self, language: str) -> Voice:
        """The voice used where a client names none. Raises NoVoice."""
        if (chosen := self._default_voices.get(language)) is not None:
            return self.catalogue.get(chosen)
        voice = self.catalogue.default(language, list(self._synthesizers))
        if voice is None or language not in self._synthesizers[voice.engine].languages:
            raise NoVoice(language, remedies.for_speech(language))
        return voice

    def voices(self) -> list[Voice]:
        """Every voice that can be spoken with what is installed."""
        return [voice for voice in self.catalogue if voice.engine in self._synthesizers]

    async def recognize(self, plan: Plan, request: RecognitionRequest, session_id: str) -> Hypothesis:
        """What was said in the request's samples. Raises ModelError."""
        return await self._hear[plan.recognizer].submit(request, session_id=session_id)

    async def translate(self, source: str, target: str, text: str, session_id: str) -> str:
        """`text` in the target language, by way of others where there is no direct way. Raises ModelError."""
        route = self._routes.route(source, target)
        if route is None:
            pair = LanguagePair(source, target)
            raise NoTranslator(pair, remedies.for_translation(pair))
        for pair in route:
            text = await self._turn[self._translator_of(pair)].submit(_Task(pair, text), session_id=session_id)
        return text

    def sample_rate_hz(self, voice: Voice) -> int:
        """Rate of the samples that `synthesize` gives for `voice`."""
        return self._synthesizers[voice.engine].sample_rate_hz(voice)

    async def synthesize(self, request: SynthesisRequest, session_id: str) -> tuple[Samples, ...]:
        """The clause as blocks of samples. Raises ModelError."""
        return await self._say[request.voice.engine].submit(request, session_id=session_id)

    def describe(self) -> Description:
        """Who serves what, for people and for `/ready`."""
        heard = sorted(self.source_languages)
        translate: dict[str, str] = {}
        for source in heard:
            for target, route in self._routes.reachable(source).items():
                names = dict.fromkeys(self._translator_of(pair) for pair in route)
                pivots = "".join(f" via {pair.target}" for pair in route[:-1])
                translate[f"{source}→{target}"] = "+".join(names) + pivots
        spoken = {code for engine in self._synthesizers.values() for code in engine.languages}
        return Description(
            engines=self.name,
            vad=self.detector.name,
            recognise={code: self._first(self._recognizers, code) for code in heard},
            translate=translate,
            speak={code: self._first(self._synthesizers, code) for code in sorted(spoken)},
            missing=[str(error) for error in self.missing],
        )

    def close(self) -> None:
        """End every owner's thread and every engine. Blocks until what runs is done."""
        for owners in (self._hear, self._turn, self._say):
            for owner in owners.values():
                owner.close()
        for engines in (self._recognizers, self._translators, self._synthesizers):
            for engine in engines.values():
                engine.close()
        self.detector.close()

    def _choose_voice(self, voice_id: str | None, languages: list[str]) -> Voice | None:
        if voice_id is None:
            return self.default_voice(languages[0]) if len(languages) == 1 else None
        voice = self.catalogue.get(voice_id)
        if voice.language not in languages:
            raise VoiceMismatch(voice_id, voice.language, languages[0])
        if voice.engine not in self._synthesizers:
            raise NoVoice(voice.language, f"voice '{voice_id}' needs the engine '{voice.engine}'")
        return voice

    def _translator_of(self, pair: LanguagePair) -> str:
        return next(engine.name for engine in self._translators.values() if pair in engine.pairs)

    @staticmethod
    def _first(engines: dict[str, Recognizer] | dict[str, Synthesizer], code: str) -> str:
        return next(engine.name for engine in engines.values() if code in engine.languages)


def _translating(engine: Translator) -> Callable[[Sequence[_Task]], list[str]]:
    def run(tasks: Sequence[_Task]) -> list[str]:
        results: dict[int, str] = {}
        for pair in dict.fromkeys(task.pair for task in tasks):
            chosen = [index for index, task in enumerate(tasks) if task.pair == pair]
            texts = engine.translate(pair, [tasks[index].text for index in chosen])
            results.update(zip(chosen, texts, strict=True))
        return [results[index] for index in range(len(tasks))]

    return run


def _synthesizing(engine: Synthesizer) -> Callable[[Sequence[SynthesisRequest]], list[tuple[Samples, ...]]]:
    def run(requests: Sequence[SynthesisRequest]) -> list[tuple[Samples, ...]]:
        return [tuple(engine.synthesize(request)) for request in requests]

    return run
