"""Chunks of a client's audio in each input format: what may go into the session, or why not.

Sizes are the vendor's: from 768 bytes to 384 KiB of decoded audio in one message. Packets of Opus are shorter.
"""

import random
import struct
from typing import Protocol

from dragoman.pipeline.audio.ogg import NO_GRANULE, PageWriter
from dragoman.server.protocols.palabra.errors import VALIDATION_ERROR, Refused
from dragoman.server.protocols.palabra.task import Source

MIN_BYTES = 768
MAX_BYTES = 393_216

_OPUS_HZ = 48_000
_MAX_PACKET_BYTES = 255 * 255 - 1
"""What one Ogg page holds; Opus needs a fiftieth of it."""


class Intake(Protocol):
    """One session's chunks."""

    def take(self, data: bytes) -> bytes:
        """The bytes for the session's decoder. Raises Refused; the session goes on without the chunk."""
        ...


def make_intake(source: Source) -> Intake:
    """For a format of the wire."""
    if source.format == "opus":
        return OpusIntake(source.channels)
    return WavIntake(source) if source.format == "wav" else PcmIntake()


class PcmIntake:
    """Plain samples."""

    def take(self, data: bytes) -> bytes:
        """As in Intake."""
        return _sized(data)


class WavIntake:
    """Samples that may have a RIFF header in front of any chunk; headers are taken off."""

    def __init__(self, source: Source) -> None:
        self._wanted = (1, source.channels, source.sample_rate, 16)

    def take(self, data: bytes) -> bytes:
        """As in Intake. A header that contradicts the task is refused."""
        if not data.startswith(b"RIFF"):
            return _sized(data)
        if len(data) > MAX_BYTES:
            return _sized(data)
        at = 12
        while at + 8 <= len(data):
            name, size = struct.unpack_from("<4sI", data, at)
            at += 8
            if name == b"data":
                # A length that its writer did not know is 0 or the largest there is.
                return data[at : at + size] if size else data[at:]
            if name == b"fmt " and size >= 16 and at + 16 <= len(data):
                self._check(struct.unpack_from("<HHIIHH", data, at))
            at += size + size % 2
        raise Refused(VALIDATION_ERROR, "data.data: the RIFF header has no data chunk in the same message")

    def _check(self, found: tuple[int, ...]) -> None:
        tag, channels, rate_hz, _, _, bits = found
        # An extensible header names its format further behind; 16 bits of it are samples.
        if (1 if tag == 0xFFFE else tag, channels, rate_hz, bits) != self._wanted:
            _, wanted_channels, wanted_hz, _ = self._wanted
            raise Refused(
                VALIDATION_ERROR,
                f"data.data: the RIFF header says format {tag}, {channels} channels, {rate_hz} Hz, {bits} bits; "
                f"the task says 16 bits, {wanted_channels} channels, {wanted_hz} Hz",
            )


class OpusIntake:
    """Ogg pages as they are, or one bare packet in each message, for which the pages are made here."""

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._pages: PageWriter | None = None
        self._begun = False

    def take(self, data: bytes) -> bytes:
        """As in Intake. The first chunk tells which of the two it is."""
        if not data or len(data) > MAX_BYTES:
            raise _size_of(data, 1)
        head = b""
        if not self._begun:
            self._begun = True
            if not data.startswith(b"OggS"):
                self._pages = PageWriter(serial=random.getrandbits(32))
                head = self._header(self._pages)
        if self._pages is None:
            return data
        if len(data) > _MAX_PACKET_BYTES:
            raise Refused(VALIDATION_ERROR, "data.data: is no Opus packet, which has at most 61440 bytes")
        return head + self._pages.page([data], NO_GRANULE)

    def _header(self, pages: PageWriter) -> bytes:
        head = b"OpusHead" + struct.pack("<BBHIhB", 1, self._channels, 0, _OPUS_HZ, 0, 0)
        tags = b"OpusTags" + bytes(8)
        return pages.page([head], 0) + pages.page([tags], 0)


def _sized(data: bytes) -> bytes:
    if not MIN_BYTES <= len(data) <= MAX_BYTES:
        raise _size_of(data, MIN_BYTES)
    return data


def _size_of(data: bytes, least: int) -> Refused:
    return Refused(VALIDATION_ERROR, f"data.data: {len(data)} bytes are not from {least} to {MAX_BYTES} bytes of audio")
