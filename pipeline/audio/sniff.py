"""What a file is, by its first bytes.

Only the containers of `formats.py` are looked for, never all that libav knows: some of those make it open other files,
or addresses.

MPEG audio and AAC in ADTS have no header but begin each frame with a few fixed bits, which other bytes hold by chance;
so three frames must follow one another, each where the one before it says. They may begin anywhere near the start,
since broadcasts are joined in the middle.
"""

from collections.abc import Callable
from dataclasses import dataclass

from dragoman.pipeline.audio.formats import Container
from dragoman.pipeline.audio.riff import MAGICS

SNIFFED_BYTES = 8_000
"""What is not recognised within this many bytes, behind a tag if there is one, never will be."""

_MAX_TAG_BYTES = 65_536
_MAGIC_BYTES = 16
_OGG_HEADER_BYTES = 27
_OPUS = b"OpusHead"
_WITHOUT_MAGIC = (Container.ANY, Container.MP3, Container.AAC)
_FRAMES = 3

_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""Sample rates by the version's two bits: MPEG-1, MPEG-2, MPEG-2.5."""
_KBITS = {
    (True, 3): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 3): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 1): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Bit rates by whether it is MPEG-1 and the layer's two bits (3 is layer I, 1 is layer III)."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """No container is recognised; `final`: nor will more bytes change that."""

    final: bool


def sniff(head: bytes, wanted: Container = Container.ANY, *, complete: bool = False) -> Container | Unknown:
    """The container of a stream that begins with `head`. `complete`: there are no more bytes.

    `wanted`: what it is said to be; where magic bytes would tell that, nothing else is waited for.
    """
    if head[:3] == b"ID3":
        return _behind_tag(head, wanted, complete=complete)
    if len(head) < _MAGIC_BYTES and not complete:
        return Unknown(final=False)
    if head.startswith(b"OggS"):
        return _in_ogg(head, complete=complete)
    if found := _by_magic(head):
        return found
    return _by_frames(head, complete=complete) if wanted in _WITHOUT_MAGIC else Unknown(final=True)


def _by_magic(head: bytes) -> Container | None:
    if head[:4] in MAGICS and head[8:12] == b"WAVE":
        return Container.WAV
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return Container.AIFF
    starts = {
        b"fLaC": Container.FLAC,
        b"#!AMR": Container.AMR,
        b"\x1a\x45\xdf\xa3": Container.WEBM,
        bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"): Container.ASF,
    }
    return next((container for magic, container in starts.items() if head.startswith(magic)), None)


def _in_ogg(head: bytes, *, complete: bool) -> Container | Unknown:
    """Opus or another codec, by the first packet of the first page (RFC 3533, section 6; RFC 7845, section 5.1)."""
    packet_at = _OGG_HEADER_BYTES + int.from_bytes(head[_OGG_HEADER_BYTES - 1 : _OGG_HEADER_BYTES])
    packet = head[packet_at : packet_at + len(_OPUS)]
    if len(packet) < len(_OPUS) and not complete:
        return Unknown(final=False)
    return Container.OGG_OPUS if packet == _OPUS else Container.OGG


def _behind_tag(head: bytes, wanted: Container, *, complete: bool) -> Container | Unknown:
    """Behind an ID3v2 tag; one that is too long to look behind (it holds a picture) stands before MPEG audio."""
    if len(head) < 10:
        return Unknown(final=complete)
    size = 10 + sum(byte % 128 << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    return Container.MP3 if size > _MAX_TAG_BYTES else sniff(head[size:], wanted, complete=complete)


def _by_frames(head: bytes, *, complete: bool) -> Container | Unknown:
    final = complete or len(head) >= SNIFFED_BYTES
    at = head.find(b"\xff")
    while at >= 0:
        for length, container in ((_mpeg_bytes, Container.MP3), (_adts_bytes, Container.AAC)):
            if _follow(head, at, length, complete=complete):
                return container
        at = head.find(b"\xff", at + 1)
    return Unknown(final)


def _follow(head: bytes, at: int, length: Callable[[bytes], int], *, complete: bool) -> bool:
    """Whether frames of the same kind follow one another from `at`; of a short file, as many as it has."""
    first = head[at : at + 7]
    for number in range(_FRAMES):
        header = head[at : at + 7]
        if number and at >= len(head):
            return complete
        alike = header[1:2] == first[1:2] and (header[2] ^ first[2]) & 0x0C == 0 if len(header) > 2 else False
        if not alike or not (step := length(header)):
            return False
        at += step
    return True


def _mpeg_bytes(header: bytes) -> int:
    """Length of the MPEG audio frame with this header (ISO/IEC 11172-3, 2.4.2.3), or 0 if it is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    bits, rate, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version not in _RATES or not layer or not 0 < bits < 15 or rate == 3:
        return 0
    per_second = _KBITS[version == 3, layer][bits - 1] * 1_000
    if layer == 3:
        return (12 * per_second // _RATES[version][rate] + padding) * 4
    samples = 72 if version != 3 and layer == 1 else 144
    return samples * per_second // _RATES[version][rate] + padding


def _adts_bytes(header: bytes) -> int:
    """Length of the AAC frame with this ADTS header (ISO/IEC 13818-7, 6.2), or 0 if it is none."""
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0 or header[2] >> 2 & 15 > 12:
        return 0
    size = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return size if size > 7 else 0
