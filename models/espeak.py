"""espeak-ng: formant synthesis, small and quick, for about a hundred languages.

The library and its data lie inside the `espeakng-loader` package; the interface is `speak_lib.h` of espeak-ng 1.52
(https://github.com/espeak-ng/espeak-ng/blob/1.52.0/src/include/espeak-ng/speak_lib.h). The library keeps one voice,
one callback and one state of its oscillators for the whole process: all instances share them and take turns.
"""

import ctypes
import functools
import threading
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragoman.models.base import Batching, Samples, SynthesisRequest, Voice
from dragoman.models.errors import EngineFailed, EngineUnavailable

NAME = "espeak"
NORMAL_WORDS_PER_MINUTE = 175
SLOWEST_WORDS_PER_MINUTE, FASTEST_WORDS_PER_MINUTE = 80, 450
"""The library itself goes no slower, and beyond the upper bound sounds are swallowed."""

KEPT_LEAD_S, KEPT_TAIL_S = 0.02, 0.12
"""Silence that may stay before and behind a clause."""


_SILENT_LEVEL = 0.001
_OUTPUT_SYNCHRONOUS = 2  # everything is said before espeak_Synth returns, in the caller's thread
_DONT_EXIT = 0x8000  # without it, missing data ends the process
_BUFFER_MS = 200
_UTF8 = 1  # and neither SSML nor phonemes in double brackets: what looks like markup is text
_BY_CHARACTER = 1
_RATE = 1
_DICTIONARIES = {"nb": "no", "zh": "cmn"}
_UNSPEAKABLE = {"Cc", "Cs"}  # control characters and lone surrogates; format characters shape words in some scripts
_NOT_ISO_639_1 = {"py"}  # Pyash, a constructed language
_REMEDY = "Run `pip install 'dragoman[embedded]'`"

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
_turn = threading.Lock()


class _VoiceRecord(ctypes.Structure):
    """The beginning of `espeak_VOICE`. `languages` is a row of a priority byte and a tag ending in NUL each."""

    _fields_ = (("name", ctypes.c_char_p), ("languages", ctypes.c_void_p))


class _Collector:
    """Receives the library's samples. What goes wrong in between is kept, for ctypes would print it and go on."""

    def __init__(self) -> None:
        self.pieces: list[NDArray[np.int16]] = []
        self.fault: BaseException | None = None
        self.callback = _Callback(self._receive)

    def _receive(self, wave: Any, count: int, events: int | None) -> int:
        del events
        try:
            if wave and count > 0:
                self.pieces.append(np.ctypeslib.as_array(wave, (count,)).copy())
        except BaseException as fault:  # noqa: BLE001  (raised again when the library returns)
            self.fault = fault
            return 1  # stop speaking
        return 0


class _Library:
    """The loaded library. Every method but the first must be called in turn."""

    def __init__(self) -> None:
        try:
            import espeakng_loader  # noqa: PLC0415  (an extra)

            self._calls = ctypes.CDLL(espeakng_loader.get_library_path())
            self._data = Path(espeakng_loader.get_data_path())
        except Exception as error:
            reason = f"espeakng-loader cannot be loaded ({error})"
            raise EngineUnavailable(NAME, reason, _REMEDY) from error
        self._calls.espeak_ListVoices.argtypes = [ctypes.c_void_p]
        self._calls.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_VoiceRecord))
        self._calls.espeak_SetSynthCallback.restype = None
        self._calls.espeak_Synth.argtypes = [
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint,
            ctypes.c_void_p, ctypes.c_void_p,
        ]  # fmt: skip
        options = (_OUTPUT_SYNCHRONOUS, _BUFFER_MS, str(self._data).encode(), _DONT_EXIT)
        self.rate_hz: int = self._calls.espeak_Initialize(*options)
        if self.rate_hz <= 0:
            raise EngineUnavailable(NAME, f"its data in {self._data} cannot be read", _REMEDY)
        self.languages = frozenset(code for code in self._tags() if self._speaks(code))

    def say(self, text: str, voice: str, words_per_minute: int) -> NDArray[np.int16]:
        """The samples of `text`. Raises EngineFailed."""
        variant = voice.partition("+")[2]
        # A variant that does not exist would be ignored silently.
        if variant and ("/" in variant or not (self._data / "voices" / "!v" / variant).is_file()):
            raise EngineFailed(NAME, f"there is no voice variant '{variant}'")
        if self._calls.espeak_SetVoiceByName(voice.encode()) != 0:
            raise EngineFailed(NAME, f"there is no voice '{voice}'")
        self._calls.espeak_SetParameter(_RATE, words_per_minute, 0)
        collector = _Collector()
        self._calls.espeak_SetSynthCallback(collector.callback)
        said = text.encode("utf-8", "ignore")
        status = self._calls.espeak_Synth(said, len(said) + 1, 0, _BY_CHARACTER, 0, _UTF8, None, None)
        if collector.fault is not None:
            raise EngineFailed(NAME, f"its samples could not be taken ({collector.fault!r})") from collector.fault
        if status != 0:
            raise EngineFailed(NAME, f"it returned status {status}")
        return np.concatenate(collector.pieces) if collector.pieces else np.empty(0, np.int16)

    def _tags(self) -> Iterator[str]:
        """The first part of every voice's language tags."""
        records = self._calls.espeak_ListVoices(None)
        index = 0
        while records[index]:
            position = records[index].contents.languages
            while ctypes.string_at(position, 1) != b"\0":
                tag = ctypes.string_at(position + 1)
                yield tag.decode("ascii", "ignore").partition("-")[0]
                position += len(tag) + 2
            index += 1

    def _speaks(self, code: str) -> bool:
        """Whether `code` is of two letters and has its dictionary, which one voice of 1.52 lacks."""
        dictionary = self._data / f"{_DICTIONARIES.get(code, code)}_dict"
        return len(code) == 2 and code not in _NOT_ISO_639_1 and dictionary.is_file()


@functools.cache
def _library() -> _Library:
    return _Library()


class EspeakSynthesizer:
    """Speaks what espeak-ng speaks. Instances share one library in the process, so one is enough.

    The same text sounds alike every time but is not equal sample by sample: the phase of the oscillators goes on from
    clause to clause. `KEPT_TAIL_S` is what may stay of silence; espeak itself gives 7 ms behind a clause.
    Raises EngineUnavailable when the package is missing or broken.
    """

    name = NAME
    batching = Batching()  # the library has one voice for the whole process

    def __init__(self) -> None:
        with _turn:
            self._library: _Library | None = _library()
        self.languages = self._library.languages
        self._rate_hz = self._library.rate_hz

    def speaks(self, voice: Voice) -> bool:
        """Every voice of a language that it knows."""
        return voice.language in self.languages

    def sample_rate_hz(self, voice: Voice) -> int:
        """22 050 Hz for every voice."""
        del voice
        return self._rate_hz

    def synthesize(self, request: SynthesisRequest) -> Iterator[Samples]:
        """The clause in one block, as the library gives it; none for a text without a letter or digit.

        Raises EngineFailed.
        """
        library = self._library
        if library is None:
            raise EngineFailed(NAME, "it is closed")
        text = speakable(request.text)
        if text:
            with _turn:
                said = library.say(text, request.voice.engine_voice, words_per_minute(request.tempo))
            samples = trim(said.astype(np.float32) / np.float32(32768), self._rate_hz)
            if samples.size:
                yield samples

    def close(self) -> None:
        """Let go of the library; it stays in the process for other instances."""
        self._library = None


def speakable(text: str) -> str:
    """`text` in one line, without control characters (some of them are commands to espeak); empty if it has no word."""
    kept = (" " if unicodedata.category(character) in _UNSPEAKABLE else character for character in text)
    cleaned = " ".join("".join(kept).split())
    return cleaned if any(character.isalnum() for character in cleaned) else ""


def words_per_minute(tempo: float) -> int:
    """The rate to ask for, within what can be spoken."""
    wanted = round(NORMAL_WORDS_PER_MINUTE * tempo)
    return min(max(wanted, SLOWEST_WORDS_PER_MINUTE), FASTEST_WORDS_PER_MINUTE)


def trim(samples: Samples, rate_hz: int, *, lead: bool = True, tail: bool = True) -> Samples:
    """The samples with no more silence at the ends than is kept there; nothing where all is silent.

    Without `lead` or `tail` that end stays as it is.
    """
    loud = np.flatnonzero(np.abs(samples) > _SILENT_LEVEL)
    if not loud.size:
        return samples[:0]
    start = max(0, int(loud[0]) - int(KEPT_LEAD_S * rate_hz)) if lead else 0
    stop = int(loud[-1]) + 1 + int(KEPT_TAIL_S * rate_hz) if tail else samples.size
    return samples[start:stop]
