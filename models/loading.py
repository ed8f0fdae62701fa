"""Builds the engines that the settings ask for, out of what is installed."""

from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from dragoman.config.settings import Settings
from dragoman.models.base import Recognizer, SpeakerEmbedder, Synthesizer, Translator, Voice
from dragoman.models.batching import BatchRecord
from dragoman.models.errors import EngineUnavailable
from dragoman.models.registry import Engines
from dragoman.models.voices import VoiceCatalogue, espeak_voices

E = TypeVar("E")
Observer = Callable[[BatchRecord], None]
Factories = Mapping[str, Callable[[], E]]


def load_engines(settings: Settings, observer: Observer | None = None) -> Engines:
    """Load every engine of the chosen set that is installed here; what is not is listed in `Engines.missing`.

    Blocks for as long as models take to load. Raises EngineUnavailable when nothing detects speech, and ValueError
    for a wrong script, catalogue or engine name.
    """
    if settings.engines.set == "scripted":
        return _load_scripted(settings, observer)
    return _load_installed(settings, observer)


def _load_scripted(settings: Settings, observer: Observer | None) -> Engines:
    from dragoman.models.engines.scripted import engines as scripted  # noqa: PLC0415  (neither set of engines pays for the other's imports)

    script = scripted.Script.read(settings.engines.script)
    return Engines(
        name="scripted",
        detector=scripted.ScriptedDetector(),
        recognizers=[scripted.ScriptedRecognizer(script)],
        translators=[scripted.ScriptedTranslator(script)],
        synthesizers=[scripted.ScriptedSynthesizer()],
        catalogue=scripted.every_voice(_catalogue(settings, espeak_voices(scripted.LANGUAGES))),
        default_voices=settings.voices.defaults,
        max_queue=settings.engines.max_queue,
        observer=observer,
    )


def _load_installed(settings: Settings, observer: Observer | None) -> Engines:
    from dragoman.models.engines.espeak.synthesizer import EspeakSynthesizer  # noqa: PLC0415
    from dragoman.models.engines.hibari.synthesizer import HibariSynthesizer  # noqa: PLC0415
    from dragoman.models.engines.moonshine.recognizer import MoonshineRecognizer  # noqa: PLC0415
    from dragoman.models.engines.pico.synthesizer import PicoSynthesizer  # noqa: PLC0415
    from dragoman.models.engines.silero.detector import SileroDetector  # noqa: PLC0415

    chosen = settings.engines
    # Each in order of preference: the first that is installed and can do a thing does it.
    recognizers: dict[str, Callable[[], Recognizer]] = {
        "whisper": partial(_whisper, settings),
        "moonshine": MoonshineRecognizer,
    }
    synthesizers: dict[str, Callable[[], Synthesizer]] = {
        "piper": partial(_piper, settings),
        "hibari": HibariSynthesizer,
        "pico": PicoSynthesizer,
        "espeak": EspeakSynthesizer,
    }
    # What is pulled is an addition: having none is no fault of an installation that did not ask for it.
    ordered = {name for names in chosen.recognizers.values() for name in names}
    for name in ordered - recognizers.keys():
        raise ValueError(f"engines.recognizers: there is no '{name}'; there is {', '.join(recognizers)}")
    forced = "whisper" if "whisper" in ordered else chosen.recognizer
    if not _wanted("whisper", forced, settings) and not chosen.whisper.model:
        del recognizers["whisper"]
    if not _wanted("piper", chosen.synthesizer, settings):
        del synthesizers["piper"]
    if not chosen.pico and chosen.synthesizer != "pico":
        del synthesizers["pico"]
    embedders: dict[str, Callable[[], SpeakerEmbedder]] = {
        "speakers": partial(_pulled_speakers, settings),
        "moonshine-speakers": _embedded_speakers,
    }
    if not _wanted("speakers", "", settings):
        del embedders["speakers"]
    missing: list[EngineUnavailable] = []
    with ThreadPoolExecutor(thread_name_prefix="load-engine") as pool:
        detecting = pool.submit(SileroDetector)
        hearing = pool.submit(_build, "recognizer", recognizers, chosen.recognizer, missing)
        speaking = pool.submit(_build, "synthesizer", synthesizers, chosen.synthesizer, missing)
        turning = pool.submit(load_translators, settings, missing)
        telling = pool.submit(_build, "speakers", embedders, "", missing)
        heard, turned, spoken = hearing.result(), turning.result(), speaking.result()
        detector, tell = detecting.result(), telling.result()
    sources = {code for engine in heard for code in engine.languages}
    _warm(turned, sources)
    _warm_voices(spoken, sources | {pair.target for engine in turned for pair in engine.pairs})
    for engine in (*turned, *spoken):
        missing += getattr(engine, "broken", ())
    languages = [code for engine in spoken for code in engine.languages if engine.name == "espeak"]
    return Engines(
        name=settings.engines.set,
        detector=detector,
        recognizers=heard,
        translators=turned,
        synthesizers=spoken,
        catalogue=_catalogue(settings, espeak_voices(languages), _piper_voices(settings, spoken)),
        default_voices=settings.voices.defaults,
        recognizer_orders=chosen.recognizers,
        missing=missing,
        max_queue=settings.engines.max_queue,
        observer=observer,
        embedder=tell[0] if tell else None,
    )


def load_translators(settings: Settings, missing: list[EngineUnavailable]) -> list[Translator]:
    """The translators of the chosen set that are installed here; what is not is added to `missing`.

    Raises ValueError for a wrong name.
    """
    from dragoman.models.engines.apertium.translator import ApertiumTranslator  # noqa: PLC0415
    from dragoman.models.engines.argos.translator import ArgosTranslator  # noqa: PLC0415
    from dragoman.models.engines.firefox.translator import FirefoxTranslator  # noqa: PLC0415

    folder, chosen = settings.models_path, settings.engines
    pulled = None if chosen.set == "embedded" else folder / "firefox"
    factories: dict[str, Callable[[], Translator]] = {
        "firefox": partial(FirefoxTranslator, pulled, chosen.firefox),
        "argos": partial(ArgosTranslator, folder / "argos", chosen.argos),
        "apertium": ApertiumTranslator,
    }
    if not _wanted("argos", chosen.translator, settings):
        del factories["argos"]
    return _build("translator", factories, chosen.translator, missing)


def _wanted(engine: str, forced: str, settings: Settings) -> bool:
    """Whether an engine whose models are pulled is to be loaded: it was named, or it has something to load."""
    if settings.engines.set == "embedded":
        return False
    folder = settings.models_path / engine
    return forced == engine or (folder.is_dir() and any(not path.name.startswith(".") for path in folder.iterdir()))


def _whisper(settings: Settings) -> Recognizer:
    from dragoman.models.engines.whisper.recognizer import WhisperRecognizer  # noqa: PLC0415  (its libraries take half a second)

    return WhisperRecognizer(settings.models_path / "whisper", settings.engines.whisper)


def _piper(settings: Settings) -> Synthesizer:
    from dragoman.models.engines.piper.synthesizer import PiperSynthesizer  # noqa: PLC0415

    return PiperSynthesizer(settings.models_path / "piper", settings.engines.piper)


def _pulled_speakers(settings: Settings) -> SpeakerEmbedder:
    from dragoman.models.engines.onnx_speakers.identifier import OnnxSpeakerEmbedder  # noqa: PLC0415

    return OnnxSpeakerEmbedder(settings.models_path / "speakers")


def _embedded_speakers() -> SpeakerEmbedder:
    from dragoman.models.engines.moonshine.speakers import MoonshineSpeakerEmbedder  # noqa: PLC0415

    return MoonshineSpeakerEmbedder()


def _piper_voices(settings: Settings, spoken: Iterable[Synthesizer]) -> list[Voice]:
    if all(engine.name != "piper" for engine in spoken):
        return []
    from dragoman.models.engines.piper.listing import piper_voices  # noqa: PLC0415

    return piper_voices(settings.models_path / "piper")


def _build(kind: str, factories: Factories[E], wanted: str, missing: list[EngineUnavailable]) -> list[E]:
    if wanted and wanted not in factories:
        raise ValueError(f"engines.{kind}: there is no '{wanted}'; there is {', '.join(factories)}")
    built = []
    for name, factory in factories.items():
        if wanted in ("", name):
            try:
                built.append(factory())
            except EngineUnavailable as error:
                missing.append(error)
    return built


def _warm(translators: Iterable[Translator], sources: Collection[str]) -> None:
    """Start what the first session would otherwise wait for."""
    from dragoman.models.engines.apertium.translator import ApertiumTranslator  # noqa: PLC0415
    from dragoman.models.engines.argos.translator import ArgosTranslator  # noqa: PLC0415
    from dragoman.models.engines.firefox.translator import FirefoxTranslator  # noqa: PLC0415

    for engine in translators:
        if isinstance(engine, ApertiumTranslator | ArgosTranslator | FirefoxTranslator):
            engine.warm([pair for pair in engine.pairs if pair.source in sources])


def _warm_voices(synthesizers: Iterable[Synthesizer], targets: Collection[str]) -> None:
    """Load the voices that the first clauses would otherwise wait for."""
    for engine in synthesizers:
        if engine.name == "piper":
            from dragoman.models.engines.piper.synthesizer import PiperSynthesizer  # noqa: PLC0415

            assert isinstance(engine, PiperSynthesizer)  # noqa: S101
            engine.warm(targets)


def _catalogue(settings: Settings, more: Iterable[Voice], installed: Iterable[Voice] = ()) -> VoiceCatalogue:
    file = Path(settings.voices.file) if settings.voices.file else None
    return VoiceCatalogue.load(file=file, aliases=settings.voices.aliases, more=more, installed=installed)
