"""The chunks of RIFF WAVE files, however the bytes are cut.

Sources: Microsoft, "Multiple Channel Audio Data and WAVE Files" (WAVE_FORMAT_EXTENSIBLE); EBU Tech 3306 (RF64); ITU-R
BS.2088 (BW64).

Lengths are hints. Who writes a stream does not know how long it will be and leaves 0, the largest number, or the length
of what there was at first; who writes an odd chunk forgets the byte that pads it. What follows tells.
"""

import struct
from collections.abc import Callable

from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.audio.formats import AudioFormat, Encoding, pcm
from dragoman.pipeline.audio.raw import RawSource
from dragoman.pipeline.audio.resample import Block

MAGICS = (b"RIFF", b"RF64", b"BW64")
HEAD_BYTES = 12
"""One of these, a length, and `WAVE`."""

_UNKNOWN = 0xFFFFFFFF
"""A length that its writer did not know. So is 0, in headers that were to be mended later."""
_ENDLESS = 1 << 64

_MAX_CHUNKS = 256
"""Chunks before the data; more is no file but an attempt to keep us busy."""

_NAMES = frozenset((
    b"fmt ", b"data", b"LIST", b"fact", b"ds64", b"JUNK", b"junk", b"PAD ", b"FLLR", b"bext", b"cart", b"iXML",
    b"axml", b"aXML", b"chna", b"umid", b"minf", b"elm1", b"regn", b"cue ", b"plst", b"adtl", b"labl", b"note",
    b"ltxt", b"smpl", b"inst", b"acid", b"DISP", b"PEAK", b"levl", b"id3 ", b"ID3 ", b"_PMX", b"mext", b"qlty",
    b"link", b"slnt", b"wavl", b"CSET", b"INFO", b"LGWV", b"strc", b"afsp",
))  # fmt: skip
"""Chunks that are met in the wild. Four bytes of sound are one of these once in a hundred million times."""

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


class RiffReader:
    """Samples of one file, or of several whose beginnings `begin` tells.

    Nothing is buffered but the 40 bytes of header that are being read: lengths in the file are only counted down.
    Behind the counted samples, chunks are skipped, and what is none is more samples.
    """

    def __init__(self) -> None:
        self._raw: RawSource | None = None
        self._written: AudioFormat | None = None
        self.begin()

    def begin(self) -> None:
        """The next byte is the first of a file. Another file in the same format is decoded on."""
        self._unread = b""
        self._place = 0
        self._ends_at = 0
        self._skip = 0
        """Bytes of a chunk that nobody wants."""
        self._left = 0
        """Bytes of samples."""
        self._chunks = 0
        self._ds64_data_bytes = _ENDLESS
        self.body: tuple[AudioFormat, int | None] | None = None
        """How the samples are written and how many bytes of them there are, if that is known; None before them."""
        self._expect(HEAD_BYTES, self._riff)

    def decode(self, data: bytes) -> list[Block]:
        """What the bytes hold. Raises BadAudio."""
        blocks = []
        data, at = self._unread + data, 0
        while at < len(data):
            if self._left:
                piece = data[at : at + self._left]
                self._left -= len(piece)
                blocks += self._raw.decode(piece) if self._raw else []
                step = len(piece)
            else:
                step = self._read(data, at)
                if not step and not self._left:
                    break
            at += step
            self._place += step
        self._unread = data[at:]
        return blocks

    def end(self) -> list[Block]:
        """The file is over: what is left, unless it begins a chunk, is samples, but for the byte that pads one."""
        left, self._unread = self._unread, b""
        if self._raw is None or self.body is None or left[:4] in _NAMES or left[1:5] in _NAMES:
            return []
        return self._raw.decode(left[self._need - 8 :])

    def read_header(self, data: bytes) -> int:
        """Read what stands before the samples; how many of the bytes that are. Raises BadAudio."""
        before = len(self._unread)
        data, at = self._unread + data, 0
        while self.body is None and (step := self._read(data, at)):
            at += step
            self._place += step
        self._unread = data[at:] if self.body is None else b""
        return (len(data) if self.body is None else at) - before

    def _read(self, data: bytes, at: int) -> int:
        """Read what is no samples; how many bytes that are, 0 if there are too few of them."""
        if self._skip:
            step = min(self._skip, len(data) - at)
            self._skip -= step
            return step
        head = data[at : at + self._need]
        return self._step(head) if len(head) == self._need else 0

    def _expect(self, need: int, step: Callable[[bytes], int]) -> None:
        self._need, self._step = need, step

    def _expect_chunk(self, *, behind: int) -> None:
        """The next chunk, behind one of so many bytes."""
        self._expect(8 + behind % 2, self._chunk)

    def _riff(self, head: bytes) -> int:
        magic, size, form = struct.unpack("<4sI4s", head)
        if magic not in MAGICS or form != b"WAVE":
            raise BadAudio("the input format is wav but the bytes are not a RIFF WAVE file")
        self._ends_at = 8 + (size if size != _UNKNOWN else 0)
        self._expect_chunk(behind=0)
        return len(head)

    def _chunk(self, head: bytes) -> int:
        pad = _padding(head)
        name, size = struct.unpack_from("<4sI", head, pad)
        if self.body is None:
            self._chunks += 1
            if self._chunks > _MAX_CHUNKS:
                raise BadAudio(f"the wav file has more than {_MAX_CHUNKS} chunks before its data")
            if not _printable(name) and any(name):
                raise BadAudio("the wav file is broken: there is no chunk where one should be")
        elif name not in _NAMES and not (_printable(name) and self._place + pad + 8 + size <= self._ends_at):
            self._left = _ENDLESS
            return 0
        self._begin_chunk(name, size)
        return pad + 8

    def _begin_chunk(self, name: bytes, size: int) -> None:
        if name == b"data":
            self._begin_data(size)
        elif name == b"fmt ":
            self._read_body(size, least=16, most=40, step=self._fmt)
        elif name == b"ds64":
            self._read_body(size, least=24, most=24, step=self._ds64)
        else:
            self._skip = size
            self._expect_chunk(behind=size)

    def _read_body(self, size: int, *, least: int, most: int, step: Callable[[bytes], None]) -> None:
        """Read up to `most` bytes of a chunk and skip the rest of it."""
        if size < least:
            raise BadAudio(f"a chunk of {size} bytes in the wav header is too short")

        def read(body: bytes) -> int:
            step(body)
            self._skip = size - len(body)
            self._expect_chunk(behind=size)
            return len(body)

        self._expect(min(size, most), read)

    def _ds64(self, body: bytes) -> None:
        (self._ds64_data_bytes,) = struct.unpack_from("<Q", body, 8)

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
        written = pcm(rate_hz, encoding, channels)
        if written != self._written:
            self._raw, self._written = RawSource(encoding, rate_hz, channels), written

    def _begin_data(self, size: int) -> None:
        if self._raw is None or self._written is None:
            raise BadAudio("the wav file has its data before its format")
        self._raw.finish()
        self._left = self._ds64_data_bytes if size == _UNKNOWN else size
        known = 0 < self._left < _ENDLESS - 1
        self.body = self._written, self._raw.whole(self._left) if known else None
        self._expect_chunk(behind=self._left)


def _padding(head: bytes) -> int:
    """How many bytes stand before a chunk's name: one, if the chunk before was odd and its writer knew the rule."""
    if len(head) == 8:
        return 0
    for likely in (_NAMES.__contains__, _printable):
        for pad in (1, 0):
            if likely(head[pad : pad + 4]):
                return pad
    return 1


def _printable(name: bytes) -> bool:
    return name.isascii() and name.decode().isprintable()
