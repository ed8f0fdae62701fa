"""MP3, AAC and FLAC out, by libav's encoders: what comes out may be played from its first bytes on, and joined.

There is no container that would have to be mended at its end: MP3 is a row of frames, AAC is one with a header of ADTS
before each (ISO/IEC 14496-3, 1.A.3.2), FLAC a header without a length and then frames (RFC 9639, 8.2).

MP3 and AAC begin with what their encoders look ahead, and end within a whole frame. Nothing in such a row can tell a
decoder so; what is decoded is later by `lead` samples and longer by up to two frames. FLAC gives back what went in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
from numpy.typing import NDArray

from dragoman.models.base import Samples
from dragoman.pipeline.audio.formats import Container
from dragoman.pipeline.audio.samples import bounded, to_int16

_MPEG_HZ = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_AAC_HZ = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)
"""In the order in which ADTS numbers them."""
_ADTS_BYTES = 7
_BITS_PER_S = 64_000
"""Of a voice, where nobody says more or less: no ear tells it from the original."""


@dataclass(frozen=True, slots=True)
class Codec:
    """How libav is asked for it. `lead`: samples that are decoded before those of the input."""

    name: str
    sample_format: str
    convert: Callable[[Samples], NDArray[Any]]
    rates_hz: tuple[int, ...]
    lead: int = 0
    bits_per_s: int = 0
    """What it takes by itself; 0: nothing is lost."""
    options: Mapping[str, str] = field(default_factory=dict)


CODECS: Mapping[Container, Codec] = {
    # A frame that needs no bits of those before it: a stream may be joined in its middle, and files to each other.
    Container.MP3: Codec("libmp3lame", "fltp", bounded, _MPEG_HZ, 1_105, _BITS_PER_S, {"reservoir": "0"}),
    Container.AAC: Codec("aac", "fltp", bounded, _AAC_HZ, 1_024, _BITS_PER_S),
    # From 3 on, frames are four times as long, and speech waits for them to be full.
    Container.FLAC: Codec("flac", "s16", to_int16, (*_MPEG_HZ, 88_200, 96_000), options={"compression_level": "2"}),
}


class CodecEncoder:
    """One mono stream of one of `CODECS`, at a rate that the codec knows; bits are brought within what it can do."""

    coded = True

    def __init__(self, container: Container, rate_hz: int, bits_per_s: int | None = None) -> None:
        self.rate_hz = rate_hz
        self._codec = codec = CODECS[container]
        self._encoder = av.CodecContext.create(codec.name, "w")
        self._encoder.sample_rate = rate_hz
        self._encoder.time_base = Fraction(1, rate_hz)
        self._encoder.layout = "mono"
        self._encoder.format = codec.sample_format
        self._encoder.options = dict(codec.options)
        self._encoder.thread_count = 1
        if codec.bits_per_s:
            self._encoder.bit_rate = bits_per_s or codec.bits_per_s
        self._encoder.open()
        self._adts = container is Container.AAC
        self._header = _flac_header(bytes(self._encoder.extradata or b"")) if container is Container.FLAC else b""
        self._taken = 0
        self._finished = False

    def header(self) -> bytes:
        return self._header

    def encode(self, samples: Samples) -> bytes:
        """Every frame that is complete; one that is not is held back, and another that the codec looks ahead to."""
        if self._finished:
            raise RuntimeError("expected no samples after finish()")
        if not len(samples):
            return b""
        block = self._codec.convert(samples).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(block, format=self._codec.sample_format, layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = self.rate_hz, self._encoder.time_base, self._taken
        self._taken += len(samples)
        return self._written(frame)

    def finish(self) -> bytes:
        """The last frames; nothing of MP3 and AAC where there was no sample. Nothing when called again."""
        if self._finished:
            return b""
        self._finished = True
        return self._written(None) if self._taken else b""

    def _written(self, frame: "av.AudioFrame | None") -> bytes:
        packets = [bytes(packet) for packet in self._encoder.encode(frame)]
        return b"".join([self._adts_header(len(packet)) + packet for packet in packets] if self._adts else packets)

    def _adts_header(self, packet_bytes: int) -> bytes:
        """MPEG-4, AAC-LC, one channel, no checksum, buffer fullness not told (0x7FF), one block of samples."""
        rate, size = _AAC_HZ.index(self.rate_hz), packet_bytes + _ADTS_BYTES
        bits = 0xFFF1 << 40 | 1 << 38 | rate << 34 | 1 << 30 | size << 13 | 0x7FF << 2
        return bits.to_bytes(_ADTS_BYTES, "big")


def _flac_header(stream_info: bytes) -> bytes:
    """The magic, and the one block of metadata, which is the last."""
    return b"fLaC" + bytes([0x80]) + len(stream_info).to_bytes(3, "big") + stream_info
