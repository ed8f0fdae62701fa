"""Piper: natural voices for about fifty languages, each a network of its own that runs on ONNX Runtime.

A sentence is the smallest thing that Piper speaks: a clause of one sentence comes in one block. What it costs, with
networks of Piper's real form and size and random weights, on one core of an AMD EPYC (ONNX Runtime 1.31): a voice of
medium quality takes 0.10 s for a second of speech, one of high quality 0.75 s. A loaded voice takes 105 MB (high:
180 MB) and 2 s (3.5 s) to load; a clause on its way takes another 40 MB for each second of speech in it.
"""

import logging
import os
import threading
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from pathlib import Path

from dragoman.config.settings import PiperSettings
from dragoman.models.base import Batching, Samples, SynthesisRequest, Voice
from dragoman.models.devices import Device
from dragoman.models.engines.espeak.speakable import speakable
from dragoman.models.engines.espeak.synthesizer import trim
from dragoman.models.engines.piper.model import LoadedVoice, check_device
from dragoman.models.engines.piper.phonemes import Phonemizer
from dragoman.models.engines.piper.voice import NAME, PiperVoiceFile, installed_voices
from dragoman.models.errors import EngineFailed, EngineUnavailable, OutOfMemory
from dragoman.models.memory_errors import ran_out_of_memory

WARM_VOICES = 8
"""As many voices as `warm` loads at most; others are loaded at their first clause."""

SLOWEST_TEMPO, FASTEST_TEMPO = 0.25, 4.0

_MOST_THREADS = 2
"""Threads of one sentence. Alone, one of a high-quality voice then takes 0.53 times as long; where every core has its
own sentence, all take a tenth more."""

_log = logging.getLogger(__name__)


class _Place:
    """One installed voice, loaded or not. The lock is held while it loads, so that it loads once."""

    def __init__(self, file: PiperVoiceFile) -> None:
        self.file = file
        self.lock = threading.Lock()
        self.loaded: LoadedVoice | None = None
        self.fault: EngineUnavailable | None = None


class PiperSynthesizer:
    """Speaks with every voice under `folder` (a `Synthesizer`).

    Descriptions are read at once; networks are loaded at their first clause or by `warm`, and kept. `broken` says
    what is wrong with the voices that cannot be used, one error each. `Voice.engine_voice` is the voice's key, and for
    a voice of many speakers `KEY#NUMBER` or `KEY#NAME`.

    Raises EngineUnavailable where no voice can be used, or not the device that the settings name.
    """

    name = NAME

    def __init__(self, folder: Path, settings: PiperSettings) -> None:
        files, faults = installed_voices(folder)
        if not files:
            raise _nothing(folder, faults)
        # "auto" is the processor: Piper is quick there, and the GPU's memory is better spent on Whisper.
        kind, _, number = settings.device.partition(":")
        self.device = Device("cuda", int(number or 0)) if kind == "cuda" else Device("cpu")
        try:
            check_device(self.device)
            self._phonemizer = Phonemizer()
        except (ImportError, OSError) as error:
            reason = f"piper-tts cannot be loaded ({error})"
            raise EngineUnavailable(NAME, reason, "Run `pip install 'piper-tts>=1.6,<2'`") from error
        # Piper logs what is said at the level debug, and a warning for every phoneme that a voice lacks.
        logging.getLogger("piper").setLevel(logging.ERROR)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self.batching = Batching(workers=settings.workers or cores)
        self._settings = settings
        self._threads = min(cores, _MOST_THREADS)
        self._unreadable = tuple(faults)
        self._closed = False
        self._places = {file.key: _Place(file) for file in files}  # never changed after this, so needs no lock
        self.languages = self._usable_languages()
        if self.device.kind == "cuda":
            self._try_device(folder)

    @property
    def broken(self) -> tuple[EngineUnavailable, ...]:
        """What is wrong with voices: seen in their files, or later when they were loaded."""
        return self._unreadable + tuple(place.fault for place in self._places.values() if place.fault is not None)

    @property
    def loaded(self) -> frozenset[str]:
        """The keys of the voices that are in memory."""
        return frozenset(key for key, place in self._places.items() if place.loaded is not None)

    def speaks(self, voice: Voice) -> bool:
        """Whether this voice and this speaker are installed and nothing is known to be wrong with them."""
        found = self._find(voice)
        return found is not None and found[0].fault is None

    def sample_rate_hz(self, voice: Voice) -> int:
        """The voice's own rate: 22 050 Hz, for those of low quality 16 000 Hz. Raises EngineFailed."""
        return self._place(voice)[0].file.rate_hz

    def synthesize(self, request: SynthesisRequest) -> Iterator[Samples]:
        """The clause, a block for each sentence, each computed when it is asked for.

        None for a text without a letter or digit. Raises EngineFailed, OutOfMemory where fewer at once may do, and
        TextRefused for a text that the phonemizer cannot do.
        """
        place, speaker = self._place(request.voice)
        text = speakable(request.text)
        if not text:
            return
        tempo = min(max(request.tempo, SLOWEST_TEMPO), FASTEST_TEMPO)
        try:
            voice = self._load(place)
            sentences = voice.sentences(text)
            for number, sentence in enumerate(sentences, 1):
                samples = voice.speak(sentence, speaker, tempo)
                samples = trim(samples, place.file.rate_hz, lead=number == 1, tail=number == len(sentences))
                if samples.size:
                    yield samples
        except EngineFailed:
            raise
        except EngineUnavailable as error:
            raise EngineFailed(NAME, str(error)) from error
        except Exception as error:  # ONNX Runtime's own exceptions have no other base
            if ran_out_of_memory(error):
                raise OutOfMemory(NAME) from error
            raise EngineFailed(NAME, f"voice {place.file.key}: {' '.join(str(error).split())}") from error

    def warm(self, languages: Iterable[str]) -> None:
        """Load and try voices of `languages` now, WARM_VOICES at most: first one of each language.

        One that does not work is told in `broken` and not used.
        """
        wanted: dict[str, list[_Place]] = {language: [] for language in languages}
        for place in self._places.values():
            if place.file.language in wanted:
                wanted[place.file.language].append(place)
        turns = [place for row in zip_longest(*wanted.values()) for place in row if place is not None]
        with ThreadPoolExecutor(self._threads, thread_name_prefix="load-voice") as pool:
            list(pool.map(self._loads, turns[:WARM_VOICES]))

    def close(self) -> None:
        """Free every voice. Idempotent."""
        self._closed = True
        for place in self._places.values():
            with place.lock:
                place.loaded = None
        self._phonemizer.close()

    def _try_device(self, folder: Path) -> None:
        """Load one voice: whether the libraries of CUDA are there shows only with a network."""
        for place in self._places.values():
            try:
                self._load(place)
                return
            except EngineUnavailable as error:
                if error.engine == NAME:
                    raise
            except EngineFailed as error:
                raise EngineUnavailable(NAME, error.reason) from error
        raise _nothing(folder, self.broken)

    def _loads(self, place: _Place) -> bool:
        """Whether the voice is in memory now. If it is the voice's fault that it is not, the place says so."""
        try:
            self._load(place)
        except EngineUnavailable:
            return False
        except EngineFailed as error:  # not the voice's fault: its first clause tries again
            _log.warning("%s", error)
            return False
        return True

    def _load(self, place: _Place) -> LoadedVoice:
        with place.lock:
            if self._closed:
                raise EngineFailed(NAME, "it is closed")
            if (fault := place.fault) is not None:
                raise EngineUnavailable(fault.engine, fault.reason, fault.remedy)
            if place.loaded is None:
                try:
                    place.loaded = LoadedVoice(place.file, self._settings, self.device, self._threads, self._phonemizer)
                except EngineUnavailable as error:
                    if error.engine != NAME:  # it is the voice's fault, and will be the next time
                        place.fault = error
                        self.languages = self._usable_languages()
                    _log.warning("%s", error)
                    raise
            return place.loaded

    def _usable_languages(self) -> frozenset[str]:
        return frozenset(place.file.language for place in self._places.values() if place.fault is None)

    def _find(self, voice: Voice) -> tuple[_Place, int] | None:
        key, _, wanted = unicodedata.normalize("NFC", voice.engine_voice).partition("#")
        place = self._places.get(key)
        speaker = place.file.speaker(wanted) if place else None
        return None if place is None or speaker is None else (place, speaker)

    def _place(self, voice: Voice) -> tuple[_Place, int]:
        found = self._find(voice)
        if found is None:
            raise EngineFailed(NAME, f"there is no voice '{voice.engine_voice}'")
        return found


def _nothing(folder: Path, faults: Sequence[EngineUnavailable]) -> EngineUnavailable:
    if not faults:
        return EngineUnavailable(NAME, f"there is no Piper voice in {folder}", "Pull one: dragoman models pull NAME")
    others = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
    fault = faults[0]
    return EngineUnavailable(NAME, f"no voice can be used: {fault.engine}: {fault.reason}{others}", fault.remedy)
