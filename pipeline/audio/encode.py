"""Mono float32 samples in, bytes out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from dragoman.models.base import Samples
from dragoman.pipeline.audio import g711
from dragoman.pipeline.audio.codec_encode import CODECS, CodecEncoder
from dragoman.pipeline.audio.errors import UnsupportedFormat
from dragoman.pipeline.audio.formats import AudioFormat, Container, Encoding, check_rate_and_channels
from dragoman.pipeline.audio.opus_decode import OPUS_RATE_HZ
from dragoman.pipeline.audio.opus_encode import OPUS_RATES_HZ, OggOpusEncoder
from dragoman.pipeline.audio.samples import bounded, to_int16
from dragoman.pipeline.audio.wav import streaming_header


class Encoder(Protocol):
    """Samples at `rate_hz` to one stream of bytes. Clips to [-1, 1], rounds to nearest, writes NaN as 0."""

    @property
    def rate_hz(self) -> int: ...

    @property
    def coded(self) -> bool:
        """Whether encoding is work: a codec's, and no mere rounding."""
        ...

    def header(self) -> bytes:
        """What the stream begins with, empty for raw formats. The same at every call; `encode` does not repeat it."""
        ...

    def encode(self, samples: Samples) -> bytes:
        """What is complete, possibly nothing: a codec holds a frame or two back, at most a quarter of a second."""
        ...

    def finish(self) -> bytes:
        """The rest of the stream."""
        ...


def make_encoder(fmt: AudioFormat) -> Encoder:
    """A fresh encoder for one stream: Ogg Opus, MP3, AAC (ADTS), FLAC, WAV, or samples without a header.

    Raises UnsupportedFormat for what we do not write (several channels, other containers and encodings of samples, a
    rate that the codec does not know), BadAudio for an impossible rate.
    """
    if fmt.channels != 1:
        raise UnsupportedFormat(f"{fmt.name} with {fmt.channels} channels")
    if fmt.container is Container.OGG_OPUS:
        rate_hz = OPUS_RATE_HZ if fmt.rate_hz is None else fmt.rate_hz
        _check_rate(fmt, rate_hz, OPUS_RATES_HZ)
        return OggOpusEncoder(rate_hz, fmt.bits_per_s)
    if fmt.rate_hz is None:
        raise UnsupportedFormat(f"{fmt.name} without a sample rate")
    check_rate_and_channels(fmt.rate_hz, fmt.channels)
    if (codec := CODECS.get(fmt.container)) is not None:
        _check_rate(fmt, fmt.rate_hz, codec.rates_hz)
        return CodecEncoder(fmt.container, fmt.rate_hz, fmt.bits_per_s)
    pack = _PACKERS.get(fmt.encoding) if fmt.container in (Container.RAW, Container.WAV) else None
    if pack is None or (fmt.container is Container.WAV and fmt.encoding is not Encoding.S16LE):
        raise UnsupportedFormat(f"{fmt.name} ({fmt.encoding})", list(_PACKERS))
    header = streaming_header(fmt.rate_hz) if fmt.container is Container.WAV else b""
    return _SampleEncoder(fmt.rate_hz, pack, header)


def _check_rate(fmt: AudioFormat, rate_hz: int, known: Sequence[int]) -> None:
    if rate_hz not in known:
        raise UnsupportedFormat(f"{fmt.name} at {rate_hz} Hz", [f"{rate} Hz" for rate in sorted(known)])


class _SampleEncoder:
    """Raw samples and WAV: sample by sample, so nothing is ever held back."""

    coded = False

    def __init__(self, rate_hz: int, pack: Callable[[Samples], bytes], header: bytes) -> None:
        self.rate_hz = rate_hz
        self._pack = pack
        self._header = header

    def header(self) -> bytes:
        return self._header

    def encode(self, samples: Samples) -> bytes:
        return self._pack(samples)

    def finish(self) -> bytes:
        return b""


def _s16le(samples: Samples) -> bytes:
    return to_int16(samples).astype("<i2", copy=False).tobytes()


def _s16be(samples: Samples) -> bytes:
    return to_int16(samples).astype(">i2").tobytes()


def _f32le(samples: Samples) -> bytes:
    return bounded(samples).astype("<f4", copy=False).tobytes()


def _ulaw(samples: Samples) -> bytes:
    return g711.encode_ulaw(to_int16(samples)).tobytes()


def _alaw(samples: Samples) -> bytes:
    return g711.encode_alaw(to_int16(samples)).tobytes()


_PACKERS: Mapping[Encoding, Callable[[Samples], bytes]] = {
    Encoding.S16LE: _s16le,
    Encoding.S16BE: _s16be,
    Encoding.F32LE: _f32le,
    Encoding.ULAW: _ulaw,
    Encoding.ALAW: _alaw,
}
