"""Ogg pages, read and written (RFC 3533). What the packets mean is not known here.

    0 "OggS" | 4 version | 5 flags | 6 granule position (8) | 14 serial (4) | 18 sequence (4) | 22 CRC (4)
    26 number of segments | 27 their lengths, one byte each | then the segments

A packet is a run of segments of 255 bytes ended by a shorter one; it may go on on the next page.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dragoman.pipeline.audio.errors import BadAudio

NO_GRANULE = -1
"""The granule position of a page on which no packet ends."""

_MAGIC = b"OggS"
_HEADER = struct.Struct("<4sBBqIIIB")
_HEADER_BYTES = 27
_CONTINUED, _FIRST, _LAST = 1, 2, 4
_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    `packets` are the packets or parts of them; `continued` says that the first one began on an earlier page,
    `unfinished` that the last one goes on on a later page.
    """

    serial: int
    granule: int
    packets: tuple[bytes, ...]
    first: bool = False
    last: bool = False
    continued: bool = False
    unfinished: bool = False


class PageReader:
    """Cuts a stream of bytes into pages. Keeps less than one page (65307 bytes) between calls."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Page]:
        """The pages that `data` completes; take them all before the next call. Raises BadAudio."""
        buffer = self._buffer
        buffer += data
        at = 0
        try:
            while size := _page_bytes(buffer, at):
                yield _parse(bytes(buffer[at : at + size]))
                at += size
        finally:
            del buffer[:at]


def _page_bytes(buffer: bytearray, at: int) -> int:
    """Size of the page at `at`, or 0 as long as it is not complete."""
    magic = bytes(buffer[at : at + 5])
    if not (_MAGIC + b"\0").startswith(magic):
        raise BadAudio("the input format is Ogg but the bytes are not an Ogg page")
    if len(buffer) - at < _HEADER_BYTES:
        return 0
    body_at = at + _HEADER_BYTES + buffer[at + 26]
    if len(buffer) < body_at:
        return 0
    end = body_at + sum(buffer[at + _HEADER_BYTES : body_at])
    return end - at if len(buffer) >= end else 0


def _parse(page: bytes) -> Page:
    _, _, flags, granule, serial, _, crc, segments = _HEADER.unpack_from(page)
    if crc != _crc(page[:22] + bytes(4) + page[26:]):
        raise BadAudio("an Ogg page does not match its checksum")
    lacing = page[_HEADER_BYTES : _HEADER_BYTES + segments]
    packets = []
    start = end = _HEADER_BYTES + segments
    for length in lacing:
        end += length
        if length < 255:
            packets.append(page[start:end])
            start = end
    unfinished = lacing[-1:] == b"\xff"
    if unfinished:
        packets.append(page[start:end])
    return Page(
        serial=serial,
        granule=granule,
        packets=tuple(packets),
        first=bool(flags & _FIRST),
        last=bool(flags & _LAST),
        continued=bool(flags & _CONTINUED),
        unfinished=unfinished,
    )


class PageWriter:
    """Writes the pages of one logical stream, each with whole packets."""

    def __init__(self, serial: int) -> None:
        self._serial = serial
        self._sequence = 0

    def page(self, packets: Sequence[bytes], granule: int, *, last: bool = False) -> bytes:
        """One page. The packets must fit: at most 255 segments."""
        lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
        flags = (_FIRST if self._sequence == 0 else 0) | (_LAST if last else 0)
        header = (_MAGIC, 0, flags, granule, self._serial, self._sequence)
        rest = lacing + b"".join(packets)
        crc = _crc(_HEADER.pack(*header, 0, len(lacing)) + rest)
        self._sequence += 1
        return _HEADER.pack(*header, crc, len(lacing)) + rest


def _crc(page: bytes) -> int:
    """Ogg's CRC: polynomial 0x04c11db7, most significant bit first, nothing inverted.

    zlib's has the same polynomial with every bit order reversed and both ends inverted, and it is written in C.
    """
    reflected = zlib.crc32(page.translate(_REVERSED_BITS), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{reflected:032b}"[::-1], 2)
