"""The vendor's names of formats in which it speaks."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from dragoman.pipeline.audio.formats import AudioFormat, Container, Encoding, media, ogg_opus, pcm, wav
from dragoman.pipeline.audio.opus_encode import OPUS_RATES_HZ
from dragoman.server.failures import BadMessage, Fault, quoted

RATES_HZ = (8_000, 16_000, 24_000, 44_100, 48_000)
DEFAULT_HZ = 24_000
BITRATES = (32_000, 64_000, 96_000, 128_000, 192_000, 256_000, 320_000)
"""Bits in a second, for the formats that lose something; the others take them for nothing."""


@dataclass(frozen=True, slots=True)
class _Format:
    """How a format is written at a rate and with so many bits in a second, and its media type."""

    media_type: str
    make: Callable[[int, int | None], AudioFormat]


def _raw(encoding: Encoding) -> _Format:
    return _Format("audio/pcm", lambda rate_hz, _: pcm(rate_hz, encoding))


_FORMATS = {
    "pcm_s16le": _raw(Encoding.S16LE),
    "pcm_s16be": _raw(Encoding.S16BE),
    "pcm_f32le": _raw(Encoding.F32LE),
    "pcm_mulaw": _raw(Encoding.ULAW),
    "pcm_alaw": _raw(Encoding.ALAW),
    "wav": _Format("audio/wav", lambda rate_hz, _: wav(rate_hz)),
    "mp3": _Format("audio/mpeg", partial(media, Container.MP3)),
    "aac": _Format("audio/aac", partial(media, Container.AAC)),
    "flac": _Format("audio/flac", lambda rate_hz, _: media(Container.FLAC, rate_hz)),
    "opus": _Format("audio/opus", lambda rate_hz, bits_per_s: ogg_opus(_opus_hz(rate_hz), bits_per_s)),
}
NAMES = tuple(_FORMATS)


def output_format(name: str | None, rate_hz: int | None, bits_per_s: int | None) -> tuple[AudioFormat, str]:
    """The format that a wish names, and its media type. Raises BadMessage naming the field that is wrong."""
    if name is None:
        raise BadMessage("audio_format is missing", Fault.SETUP)
    if name not in _FORMATS:
        raise BadMessage(f"unsupported audio_format '{quoted(name)}': use one of {', '.join(NAMES)}", Fault.SETUP)
    if rate_hz is not None and rate_hz not in RATES_HZ:
        raise BadMessage(f"sample_rate must be one of {', '.join(map(str, RATES_HZ))}", Fault.SETUP)
    if bits_per_s is not None and bits_per_s not in BITRATES:
        raise BadMessage(f"bitrate must be one of {', '.join(map(str, BITRATES))}", Fault.SETUP)
    one = _FORMATS[name]
    return one.make(rate_hz or DEFAULT_HZ, bits_per_s), one.media_type


def _opus_hz(rate_hz: int) -> int:
    """Opus does not know 44100 Hz; what it decodes to is the client's choice anyway."""
    return rate_hz if rate_hz in OPUS_RATES_HZ else max(OPUS_RATES_HZ)
