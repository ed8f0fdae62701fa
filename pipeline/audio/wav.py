"""RIFF WAVE: a streaming reader, and the headers of our own streams and files."""

import struct

from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.audio.resample import Block
from dragoman.pipeline.audio.riff import HEAD_BYTES, MAGICS, RiffReader

_FORM = b"WAVE"
_FORM_AT = 8
_HEADER_BYTES = 44
_UNKNOWN = 0xFFFFFFFF
_INITIALS = bytes(magic[0] for magic in MAGICS)


def streaming_header(rate_hz: int) -> bytes:
    """The 44 bytes before 16-bit mono samples whose number nobody knows yet."""
    return _header(rate_hz, _UNKNOWN, _UNKNOWN)


def file_header(rate_hz: int, data_bytes: int) -> bytes:
    """The 44 bytes before 16-bit mono samples of so many bytes."""
    return _header(rate_hz, _HEADER_BYTES - 8 + data_bytes, data_bytes)


def _header(rate_hz: int, riff_bytes: int, data_bytes: int) -> bytes:
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", riff_bytes, b"WAVE"),
        *(b"fmt ", 16, 1, 1, rate_hz, rate_hz * 2, 2, 16),
        *(b"data", data_bytes),
    )


class WavSource:
    """Mono samples of WAV files, one or several joined, however the bytes are cut.

    A header begins a new file wherever it stands, among samples that were to go on too: its eight fixed bytes are met
    by chance once in 10^19 places. Each file may have a format of its own.
    """

    def __init__(self) -> None:
        self._reader = RiffReader()
        self._held = b""
        """What may be the beginning of a header."""
        self._begun = False
        self._found = False

    def decode(self, data: bytes) -> list[Block]:
        """What the bytes hold. Raises BadAudio."""
        data, at = self._held + data, 0
        if not (self._begun or _may_be_header(data[:HEAD_BYTES])):
            raise BadAudio("the input format is wav but the bytes are not a RIFF WAVE file")
        blocks = []
        while (header := _find_header(data, at)) >= 0:
            blocks += self._read(data[at:header]) + self._reader.end()
            self._reader.begin()
            self._begun = True
            at = header + HEAD_BYTES
            blocks += self._read(data[header:at])
        stop = len(data) - _begun_header(data[at:])
        self._held = data[stop:]
        return blocks + self._read(data[at:stop])

    def finish(self) -> list[Block]:
        """The rest. Raises BadAudio if there were no samples but the beginning of a header."""
        held, self._held = self._held, b""
        blocks = self._read(held) if self._begun else []
        if (held or self._begun) and not self._found:
            raise BadAudio("the input ended within the header of a wav file")
        return blocks + self._reader.end()

    def _read(self, data: bytes) -> list[Block]:
        blocks = self._reader.decode(data)
        self._found = self._found or self._reader.body is not None
        return blocks


def _find_header(data: bytes, start: int) -> int:
    """Where the first header stands, from `start` on; -1 if there is none."""
    at = data.find(_FORM, start + _FORM_AT)
    while at >= 0 and data[at - _FORM_AT : at - _FORM_AT + 4] not in MAGICS:
        at = data.find(_FORM, at + 1)
    return at - _FORM_AT if at >= 0 else -1


def _begun_header(data: bytes) -> int:
    """How many of the last bytes may be the beginning of a header."""
    tail = data[-HEAD_BYTES + 1 :]
    return next((len(tail) - at for at, byte in enumerate(tail) if byte in _INITIALS and _may_be_header(tail[at:])), 0)


def _may_be_header(head: bytes) -> bool:
    return any(magic.startswith(head[:4]) for magic in MAGICS) and _FORM.startswith(head[_FORM_AT:])
