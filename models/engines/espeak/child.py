"""espeak-ng in a process of its own: texts in, samples out. `synthesizer.py` asks it.

The interface is `speak_lib.h` of espeak-ng 1.52
(https://github.com/espeak-ng/espeak-ng/blob/1.52.0/src/include/espeak-ng/speak_lib.h). The library keeps one voice,
one callback and one state of its oscillators for the whole process. It is not to be trusted with any text: words of
136 characters can overrun its buffers, and so can two letters of a script that a voice does not know.

Arguments are the paths of the library and of its data. A question is null, answered by `{"rate_hz": …, "languages":
[…]}`, or a text, a voice and words per minute, answered by 16-bit samples in this machine's byte order.
"""

import ctypes
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dragoman.models.processes.serving import serve

_OUTPUT_SYNCHRONOUS = 2  # everything is said before espeak_Synth returns, in the caller's thread
_DONT_EXIT = 0x8000  # without it, missing data ends the process
_BUFFER_MS = 200
_UTF8 = 1  # and neither SSML nor phonemes in double brackets: what looks like markup is text
_BY_CHARACTER = 1
_RATE = 1
_DICTIONARIES = {"nb": "no", "zh": "cmn"}
_NOT_ISO_639_1 = {"py"}  # Pyash, a constructed language

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class LibraryFault(Exception):
    """What the library cannot do, as one sentence."""


class _VoiceRecord(ctypes.Structure):
    """The beginning of `espeak_VOICE`. `languages` is a row of a priority byte and a tag ending in NUL each."""

    _fields_ = (("name", ctypes.c_char_p), ("languages", ctypes.c_void_p))


class _Collector:
    """Receives the library's samples. What goes wrong in between is kept, for ctypes would print it and go on."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.fault: BaseException | None = None
        self.callback = _Callback(self._receive)

    def take(self) -> tuple[bytes, BaseException | None]:
        """What has come since the last time, and what went wrong."""
        taken = b"".join(self.pieces), self.fault
        self.pieces, self.fault = [], None
        return taken

    def _receive(self, wave: Any, count: int, events: int | None) -> int:
        del events
        try:
            if wave and count > 0:
                self.pieces.append(ctypes.string_at(wave, count * ctypes.sizeof(ctypes.c_short)))
        except BaseException as fault:  # noqa: BLE001  (raised again when the library returns)
            self.fault = fault
            return 1  # stop speaking
        return 0


class EspeakLibrary:
    """The loaded library. Raises LibraryFault, and OSError where there is none."""

    def __init__(self, library: str, data: str) -> None:
        self._calls = ctypes.CDLL(library)
        self._collector = _Collector()  # one for all texts: it is a cycle, which would keep each text's sound for long
        self._data = Path(data)
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
            raise LibraryFault(f"its data in {self._data} cannot be read")
        self.languages = frozenset(code for code in self._tags() if self._speaks(code))

    def say(self, text: str, voice: str, words_per_minute: int) -> bytes:
        """The samples of `text`, 16 bit. Raises LibraryFault."""
        variant = voice.partition("+")[2]
        # A variant that does not exist would be ignored silently.
        if variant and ("/" in variant or not (self._data / "voices" / "!v" / variant).is_file()):
            raise LibraryFault(f"there is no voice variant '{variant}'")
        if self._calls.espeak_SetVoiceByName(voice.encode()) != 0:
            raise LibraryFault(f"there is no voice '{voice}'")
        self._calls.espeak_SetParameter(_RATE, words_per_minute, 0)
        self._calls.espeak_SetSynthCallback(self._collector.callback)
        said = text.encode("utf-8", "ignore")
        status = self._calls.espeak_Synth(said, len(said) + 1, 0, _BY_CHARACTER, 0, _UTF8, None, None)
        sound, fault = self._collector.take()
        if fault is not None:
            raise LibraryFault(f"its samples could not be taken ({fault!r})") from fault
        if status != 0:
            raise LibraryFault(f"it returned status {status}")
        return sound

    def answer(self, question: Any) -> bytes:
        """What a question gets; see the module."""
        if question is None:
            return json.dumps({"rate_hz": self.rate_hz, "languages": sorted(self.languages)}).encode()
        text, voice, words_per_minute = question
        return self.say(text, voice, words_per_minute)

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


def main() -> None:
    """The child's whole life."""
    serve(lambda: EspeakLibrary(*sys.argv[1:]).answer)
