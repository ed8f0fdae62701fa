"""What is installed here, which engine serves which language or pair, and the way to each engine.

`Engines` is what a session sees of the models: it asks for words, translations and samples, and need not know who
makes them. Every engine sits behind its owner (`batching.py`).
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, TypeVar

from dragoman.models import glossary, remedies
from dragoman.models.base import (
    Batching,
    Hypothesis,
    LanguagePair,
    RecognitionRequest,
    Recognizer,
    Samples,
    SpeakerEmbedder,
    SynthesisRequest,
    Synthesizer,
    Translator,
    Voice,
    VoiceActivityDetector,
    Voiceprint,
)
from dragoman.models.batching import BatchRecord, EngineOwner, Priority
from dragoman.models.errors import EngineUnavailable, NoRecognizer, NoTranslator, NoVoice, VoiceMismatch
from dragoman.models.hearers import Hearers
from dragoman.models.plan import BranchPlan, Plan, TargetWish
from dragoman.models.routes import Route, RouteMap, compared, offers
from dragoman.models.speaking import SpokenClause, SpokenSamples, speak_clauses
from dragoman.models.text.canonical import canonical
from dragoman.models.text.finishing import finished, heard
from dragoman.models.voices import VoiceCatalogue
from dragoman.models.worth import Step

RequestT = TypeVar("RequestT")
ResultT = TypeVar("ResultT")
Observer = Callable[[BatchRecord], None]


class Description(TypedDict):
    """What `/ready` and the command line show: engine by language or pair; `runs` is model and device by engine.

    `why` is what a pair's way is worth, beside the next best; `chosen` tells of the languages that several recognisers
    hear why one of them does.
    """

    engines: str
    vad: str
    recognise: dict[str, str]
    chosen: dict[str, str]
    translate: dict[str, str]
    why: dict[str, str]
    speak: dict[str, str]
    speakers: str
    runs: dict[str, str]
    missing: list[str]


@dataclass(frozen=True, slots=True)
class _Task:
    pair: LanguagePair
    text: str


class Engines:
    """The loaded engines. Lists are in order of preference: the first that can do a thing does it, but for
    translations, which take the way that is worth most (`routes.py`)."""

    def __init__(
        self,
        *,
        name: str,
        detector: VoiceActivityDetector,
        recognizers: Sequence[Recognizer],
        translators: Sequence[Translator],
        synthesizers: Sequence[Synthesizer],
        catalogue: VoiceCatalogue,
        embedder: SpeakerEmbedder | None = None,
        default_voices: dict[str, str] | None = None,
        recognizer_orders: Mapping[str, Sequence[str]] | None = None,
        missing: Sequence[EngineUnavailable] = (),
        max_queue: int = 256,
        observer: Observer | None = None,
    ) -> None:
        self.name = name
        self.detector = detector
        self.catalogue = catalogue
        self.embedder = embedder
        """What tells speakers apart, if anything does."""
        self.missing = tuple(missing)
        self._default_voices = default_voices or {}
        self._recognizers = {engine.name: engine for engine in recognizers}
        self._hearers = Hearers(recognizers, recognizer_orders)
        self._translators = {engine.name: engine for engine in translators}
        self._synthesizers = {engine.name: engine for engine in synthesizers}
        self._routes = RouteMap(step for engine in translators for step in offers(engine.name, engine.pairs))

        self._owners: list[EngineOwner[Any, Any]] = []

        def owner(
            name: str, how: Batching, run: Callable[[Sequence[RequestT]], Sequence[ResultT]]
        ) -> EngineOwner[RequestT, ResultT]:
            made = EngineOwner(
                name,
                run,
                max_batch=how.size,
                max_wait_s=how.wait_s,
                workers=how.workers,
                max_queue=max_queue,
                observer=observer,
            )
            self._owners.append(made)
            return made

        self._hear = {engine.name: owner(engine.name, engine.batching, engine.recognize) for engine in recognizers}
        self._turn: dict[Step, EngineOwner[_Task, str]] = {}
        for engine in translators:
            run = _translating(engine)
            steps = offers(engine.name, engine.pairs)
            for lane in [[step] for step in steps] if engine.batching.by_pair else [steps]:
                self._turn |= dict.fromkeys(lane, owner(engine.name, engine.batching, run))
        self._say = {engine.name: owner(engine.name, engine.batching, speak_clauses(engine)) for engine in synthesizers}
        self._identify = owner(embedder.name, embedder.batching, embedder.embed) if embedder is not None else None

    @property
    def source_languages(self) -> frozenset[str]:
        """Every language that some recogniser hears."""
        return self._hearers.languages

    @property
    def depths(self) -> dict[str, int]:
        """How many requests wait for each engine."""
        found: dict[str, int] = {}
        for owner in self._owners:
            found[owner.name] = found.get(owner.name, 0) + owner.depth
        return found

    @property
    def exhausted(self) -> str:
        """The engine whose device ran out of memory a moment ago, or empty."""
        return next((owner.name for owner in self._owners if owner.exhausted), "")

    @property
    def stages(self) -> Mapping[str, str]:
        """What each engine is for: recognise, identify, translate or speak."""
        stages = dict.fromkeys(self._hear, "recognise") | dict.fromkeys(self._translators, "translate")
        stages |= dict.fromkeys(self._say, "speak")
        return stages | ({self.embedder.name: "identify"} if self.embedder is not None else {})

    @property
    def batching(self) -> Mapping[str, Batching]:
        """How each engine is called."""
        return (
            {engine.name: engine.batching for engine in self._recognizers.values()}
            | {engine.name: engine.batching for engine in self._translators.values()}
            | {engine.name: engine.batching for engine in self._synthesizers.values()}
            | ({self.embedder.name: self.embedder.batching} if self.embedder is not None else {})
        )

    def plan(
        self,
        *,
        source: str | None = None,
        target: str | None = None,
        voice_id: str | None = None,
        targets: Sequence[TargetWish] | None = None,
        candidates: frozenset[str] = frozenset(),
        keywords: tuple[str, ...] = (),
        locks_language: bool = True,
        hears: bool = True,
    ) -> Plan:
        """Choose engines and voices for a session, or raise the RouteError that says what is missing.

        Without a `source`, one of `candidates` is spoken, or any language where there are none; of the candidates those
        count that can be heard here, and one at least must be. `target` and `voice_id` are for the usual single target;
        `targets` takes their place. Not `hears`: text will be given, never speech, so nobody need recognise anything.
        """
        wishes = (TargetWish(target, voice_id=voice_id),) if targets is None else tuple(targets)
        if not hears:
            return Plan("", None, tuple(BranchPlan(wish, self._voice_for(wish, [])) for wish in wishes))
        wanted = frozenset({source}) if source is not None else candidates
        if wanted and not wanted & self.source_languages:
            code = min(wanted)
            raise NoRecognizer(code, remedies.for_recognition(code))
        recognizer = self._hearers.best(wanted)
        candidates &= recognizer.languages
        sources = sorted(wanted & recognizer.languages or recognizer.languages)
        english_for: frozenset[str] = frozenset()
        for wish in wishes:
            english_for |= self._english_for(wish, sources, recognizer)
        branches = tuple(BranchPlan(wish, self._voice_for(wish, sources)) for wish in wishes)
        only = sources[0] if len(sources) == 1 else None
        return Plan(recognizer.name, source or only, branches, candidates, keywords, english_for, locks_language)

    def default_voice(self, language: str) -> Voice:
        """The voice used where a client names none. Raises NoVoice."""
        if (chosen := self._default_voices.get(language)) is not None:
            voice = self.catalogue.get(chosen)
            if not self._speaks(voice):
                raise NoVoice(language, f"voice '{chosen}' of voices.defaults needs the engine '{voice.engine}'")
            return voice
        for engine in self._synthesizers.values():
            for voice in self.catalogue.for_language(language, engine.name):
                if language in engine.languages and engine.speaks(voice):
                    return voice
        raise NoVoice(language, remedies.for_speech(language))

    def voices(self) -> list[Voice]:
        """Every voice that can be spoken with what is installed."""
        return [voice for voice in self.catalogue if self._speaks(voice)]

    async def recognize(
        self, plan: Plan, request: RecognitionRequest, session_id: str, priority: Priority = Priority.FINAL
    ) -> Hypothesis:
        """What was said in the request's samples. Raises ModelError; for a partial also Superseded."""
        return heard(await self._hear[plan.recognizer].submit(request, session_id=session_id, priority=priority))

    async def identify(self, samples: Samples, session_id: str) -> Voiceprint | None:
        """The voice that speaks in samples at 16 kHz, at least some; None where nothing here tells voices apart.

        Raises ModelError.
        """
        if self._identify is None:
            return None
        return await self._identify.submit(samples, session_id=session_id)

    def translates(self, source: str, target: str) -> bool:
        """Whether translators lead from `source` to `target`, without the recogniser's own English."""
        return self._routes.leads(source, target)

    def by_own_english(self, recognizer: str, source: str, target: str) -> bool:
        """Whether speech in `source` gets to `target` by the recogniser's own English: where that alone leads there, or
        is worth more by a margin, since it comes at pauses only."""
        engine = self._recognizers.get(recognizer)
        return engine is not None and source in engine.to_english and self._routes.prefers(engine.name, source, target)

    def translates_growing(self, source: str, target: str) -> bool:
        """Whether the translation of a text usually begins like that of its beginning: all translators are neural."""
        route = self._routes.best(source, target)
        return route is not None and all(self._translators[step.engine].neural for step in route.steps)

    async def translate(
        self,
        source: str,
        target: str,
        text: str,
        session_id: str,
        terms: Mapping[str, str] | None = None,
        priority: Priority = Priority.FINAL,
    ) -> str:
        """`text` in the target language, by way of others where there is no direct way. Raises ModelError.

        `terms` are translations that stand in the result wherever their source stands in the text.
        """
        text = canonical(text)
        if source == target:
            return text
        route = self._routes.best(source, target)
        if route is None:
            pair = LanguagePair(source, target)
            raise NoTranslator(pair, remedies.for_translation(pair))
        text, kept = glossary.protect(text, terms or {})
        for step in route.steps:
            text = await self._turn[step].submit(_Task(step.pair, text), session_id=session_id, priority=priority)
        return glossary.restore(text, kept)

    def sample_rate_hz(self, voice: Voice) -> int:
        """Rate of the samples that `synthesize` gives for `voice`."""
        return self._synthesizers[voice.engine].sample_rate_hz(voice)

    async def synthesize(self, request: SynthesisRequest, session_id: str) -> AsyncGenerator[SpokenSamples, None]:
        """The clause, block by block as the engine gives it. Raises ModelError. Close it to stop the engine early."""
        clause = SpokenClause(request, asyncio.get_running_loop())
        speaking = asyncio.create_task(self._say[request.voice.engine].submit(clause, session_id=session_id))
        speaking.add_done_callback(lambda _: clause.end())
        try:
            async for block in clause:
                yield block
            await speaking
        finally:
            clause.stop()
            speaking.cancel()

    def describe(self) -> Description:
        """Who serves what, for people and for `/ready`."""
        heard = sorted(self.source_languages)
        ways = {f"{source}→{target}": ways for source in heard for target, ways in self._ways(source).items()}
        spoken = {code for engine in self._synthesizers.values() for code in engine.languages}
        return Description(
            engines=self.name,
            vad=self.detector.name,
            recognise={code: self._hearers.choice(code).recognizer.name for code in heard},
            chosen=self._hearers.reasons,
            translate={pair: found[0].name for pair, found in ways.items()},
            why={pair: compared(found) for pair, found in ways.items()},
            speak={code: self._speaker_of(code) for code in sorted(spoken)},
            speakers=self.embedder.name if self.embedder is not None else "",
            runs=self._runs(),
            missing=[str(error) for error in self.missing],
        )

    def _runs(self) -> dict[str, str]:
        """Which model each pulled engine runs, on which device, with which numbers; as far as the engine says."""
        engines: list[tuple[str, Recognizer | Translator | Synthesizer | SpeakerEmbedder]] = [
            *self._recognizers.items(),
            *self._translators.items(),
            *self._synthesizers.items(),
        ]
        if self.embedder is not None:
            engines.append((self.embedder.name, self.embedder))
        facts = {
            name: [str(fact) for key in ("model_name", "device", "compute_type") if (fact := getattr(engine, key, ""))]
            for name, engine in engines
        }
        return {name: " ".join(found) for name, found in facts.items() if found}

    def close(self) -> None:
        """End every owner's thread and every engine. Blocks until what runs is done."""
        for owner in self._owners:
            owner.close()
        for engines in (self._recognizers, self._translators, self._synthesizers):
            for engine in engines.values():
                engine.close()
        if self.embedder is not None:
            self.embedder.close()
        self.detector.close()

    def _english_for(self, wish: TargetWish, sources: Sequence[str], recognizer: Recognizer) -> frozenset[str]:
        """The sources that the recogniser's own English leads on from. Raises NoTranslator."""
        pairs = [LanguagePair(code, target) for code in sources if (target := wish.target_of(code)) not in (None, code)]
        helped = [pair for pair in pairs if self.by_own_english(recognizer.name, *pair)]
        lost = [pair for pair in pairs if pair not in helped and not self._routes.leads(*pair)]
        # Where any language may come, those that can be translated are; in a conversation both sides must be.
        same = any(wish.target_of(code) == code for code in sources)
        if lost and (wish.by_source is not None or (len(lost) == len(pairs) and not same)):
            pair = next((pair for pair in lost if pair.source == "en"), lost[0])
            raise NoTranslator(pair, remedies.for_translation(pair))
        return frozenset(pair.source for pair in helped)

    def _ways(self, source: str) -> dict[str, list[Route]]:
        """Every target of speech in `source`, with the ways to it, the one that is taken first."""
        recognizer = self._hearers.choice(source).recognizer
        own = recognizer.name if source in recognizer.to_english else ""
        targets = {*self._routes.reachable(source), *(("en", *self._routes.reachable("en")) if own else ())} - {source}
        return {target: self._routes.ways(source, target, own) for target in sorted(targets)}

    def _voice_for(self, wish: TargetWish, sources: Sequence[str]) -> Voice | None:
        """The voice that is certain before anybody has spoken; None where it depends on what is heard."""
        if not wish.speaks:
            return None
        if wish.language is not None and wish.by_source is None:
            languages = [wish.language]  # also of text that is given, whatever of what is heard is left out
        else:
            languages = list(dict.fromkeys(target for code in sources if (target := wish.target_of(code)) is not None))
        if wish.voice_id is None:
            return self.default_voice(languages[0]) if len(languages) == 1 else None
        voice = self.catalogue.get(wish.voice_id)
        if voice.language not in languages:
            raise VoiceMismatch(wish.voice_id, voice.language, (languages or [wish.language or ""])[0])
        if not self._speaks(voice):
            raise NoVoice(voice.language, remedies.for_voice(voice))
        return voice

    def _speaks(self, voice: Voice) -> bool:
        engine = self._synthesizers.get(voice.engine)
        return engine is not None and voice.language in engine.languages and engine.speaks(voice)

    def _speaker_of(self, code: str) -> str:
        return next(engine.name for engine in self._synthesizers.values() if code in engine.languages)


def _translating(engine: Translator) -> Callable[[Sequence[_Task]], list[str]]:
    def run(tasks: Sequence[_Task]) -> list[str]:
        results: dict[int, str] = {}
        for pair in dict.fromkeys(task.pair for task in tasks):
            chosen = [index for index, task in enumerate(tasks) if task.pair == pair]
            texts = engine.translate(pair, [tasks[index].text for index in chosen])
            for index, text in zip(chosen, texts, strict=True):
                results[index] = finished(tasks[index].text, text, pair)
        return [results[index] for index in range(len(tasks))]

    return run
