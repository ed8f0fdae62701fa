"""RIFF WAVE: a streaming reader of the header, and the header that our own streams start with.

Sources: Microsoft, "Multiple Channel Audio Data and WAVE Files" (WAVE_FORMAT_EXTENSIBLE); EBU Tech 3306 (RF64).
"""

import struct
from collections.abc import Callable

from dragoman.models.base import Samples
from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.audio.formats import AudioFormat, Encoding, pcm
from dragoman.pipeline.audio.raw import RawSource
from dragoman.pipeline.audio.samples import EMPTY

_UNKNOWN = 0xFFFFFFFF
"""A length that its writer did not know. So is 0, in headers that were to be mended later."""

_MAX_CHUNKS = 256
"""Chunks before the data; more is no file but an attempt to keep us busy."""

_PCM, _FLOAT, _ALAW, _ULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
"""An EXTENSIBLE sub-format is a plain format tag followed by this."""

_ENCODINGS = {
    (_PCM, 1): Encoding.U8,
    (_PCM, 2): Encoding.S16LE,
    (_PCM, 3): Encoding.S24LE,
    (_PCM, 4): Encoding.S32LE,
    (_FLOAT, 4): Encoding.F32LE,
    (_FLOAT, 8): Encoding.F64LE,
    (_ALAW, 1): Encoding.ALAW,
    (_ULAW, 1): Encoding.ULAW,
}


def streaming_header(rate_hz: int) -> bytes:
    """The 44 bytes before 16-bit mono samples whose number nobody knows yet."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", _UNKNOWN, b"WAVE"),
        *(b"fmt ", 16, _PCM, 1, rate_hz, rate_hz * 2, 2, 16),
        *(b"data", _UNKNOWN),
    )


class WavSource:
    """Mono samples of a WAV file, however its bytes are cut.

    Nothing is buffered but the 40 bytes of header that are being read: lengths in the file are only counted down.
    What follows the data chunk is ignored, if the chunk's length was real.
    """

    def __init__(self) -> None:
        self._head = bytearray()
        self._need = 12
        self._step: Callable[[bytes], None] = self._riff
        self._skip = 0
        self._after_body = 0
        self._chunks = 0
        self._ds64_data_bytes = 0
        self._format: RawSource | None = None
        self._written: AudioFormat | None = None
        self._data: RawSource | None = None
        self._data_bytes: int | None = None
        self._touched = False

    @property
    def rate_hz(self) -> int | None:
        """From the header, None until it was read."""
        return self._format.rate_hz if self._format else None

    @property
    def body(self) -> tuple[AudioFormat, int | None] | None:
        """How the samples are written and how many bytes of them there are, if that is known; None before them."""
        if self._data is None or self._written is None:
            return None
        return self._written, None if self._data_bytes is None else self._data.whole(self._data_bytes)

    def decode(self, data: bytes) -> Samples:
        """What the bytes hold. Raises BadAudio."""
        self._touched = self._touched or bool(data)
        at = self.read_header(data)
        return self._samples(data[at:] if at else data)

    def read_header(self, data: bytes) -> int:
        """Read what belongs to the header; how many of the bytes that are. Raises BadAudio."""
        at = 0
        while self._data is None and at < len(data):
            if self._skip:
                step = min(self._skip, len(data) - at)
                self._skip -= step
            else:
                step = min(self._need - len(self._head), len(data) - at)
                self._head += data[at : at + step]
                if len(self._head) == self._need:
                    head = bytes(self._head)
                    self._head.clear()
                    self._step(head)
            at += step
        return at

    def finish(self) -> Samples:
        """Nothing. Raises BadAudio if the header is not complete, unless there was no byte at all."""
        if self._touched and self._data is None:
            raise BadAudio("the input ended within the header of a wav file")
        return EMPTY

    def _samples(self, data: bytes) -> Samples:
        if self._data is None:
            return EMPTY
        if self._data_bytes is not None:
            data = data[: self._data_bytes]
            self._data_bytes -= len(data)
        return self._data.decode(data)

    def _expect(self, need: int, step: Callable[[bytes], None]) -> None:
        self._need, self._step = need, step

    def _riff(self, head: bytes) -> None:
        if head[:4] not in (b"RIFF", b"RF64") or head[8:] != b"WAVE":
            raise BadAudio("the input format is wav but the bytes are not a RIFF WAVE file")
        self._expect(8, self._chunk)

    def _chunk(self, head: bytes) -> None:
        name, size = struct.unpack("<4sI", head)
        self._chunks += 1
        if self._chunks > _MAX_CHUNKS:
            raise BadAudio(f"the wav file has more than {_MAX_CHUNKS} chunks before its data")
        if name == b"data":
            self._begin_data(size)
        elif name == b"fmt ":
            self._read_body(size, least=16, most=40, step=self._fmt)
        elif name == b"ds64":
            self._read_body(size, least=24, most=24, step=self._ds64)
        else:
            self._skip = size + size % 2

    def _read_body(self, size: int, *, least: int, most: int, step: Callable[[bytes], None]) -> None:
        """Read up to `most` bytes of a chunk and skip the rest of it."""
        if size < least:
            raise BadAudio(f"a chunk of {size} bytes in the wav header is too short")
        self._after_body = size + size % 2 - min(size, most)
        self._expect(min(size, most), step)

    def _end_body(self) -> None:
        self._skip = self._after_body
        self._expect(8, self._chunk)

    def _ds64(self, body: bytes) -> None:
        (self._ds64_data_bytes,) = struct.unpack_from("<Q", body, 8)
        self._end_body()

    def _fmt(self, body: bytes) -> None:
        tag, channels, rate_hz, _, block_bytes, bits = struct.unpack_from("<HHIIHH", body)
        if tag == _EXTENSIBLE:
            if len(body) < 40 or body[26:40] != _GUID_TAIL:
                raise BadAudio("the wav file holds an unknown extensible format")
            (tag,) = struct.unpack_from("<H", body, 24)
        width = 1 if tag in (_ALAW, _ULAW) else (bits + 7) // 8
        encoding = _ENCODINGS.get((tag, width))
        if encoding is None:
            raise BadAudio(f"the wav file holds an unknown format (tag {tag}, {bits} bits)")
        if block_bytes not in (0, width * channels):
            raise BadAudio(f"the wav header contradicts itself: {channels} channels, {bits} bits, {block_bytes} bytes")
        self._format = RawSource(encoding, rate_hz, channels)
        self._written = pcm(rate_hz, encoding, channels)
        self._end_body()

    def _begin_data(self, size: int) -> None:
        if self._format is None:
            raise BadAudio("the wav file has its data before its format")
        if size == _UNKNOWN:
            size = self._ds64_data_bytes
        self._data = self._format
        self._data_bytes = None if size in (0, _UNKNOWN, 2**64 - 1) else size
