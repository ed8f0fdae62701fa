"""The vendor's names of formats in which it speaks."""

from collections.abc import Callable
from enum import StrEnum

from dragoman.pipeline.audio.formats import AudioFormat, Container, alaw, media, ogg_opus, pcm, ulaw, wav
from dragoman.pipeline.audio.opus_encode import OPUS_RATES_HZ

RATES_HZ = (8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
BITRATES = {"32k": 32_000, "64k": 64_000, "96k": 96_000, "128k": 128_000, "192k": 192_000}


class SpeechCodec(StrEnum):
    """What the audio is written in."""

    WAV = "wav"
    LINEAR16 = "linear16"
    MULAW = "mulaw"
    ALAW = "alaw"
    MP3 = "mp3"
    OPUS = "opus"
    FLAC = "flac"
    AAC = "aac"


def _opus(rate_hz: int, bits_per_s: int | None) -> AudioFormat:
    """Opus is decoded at any rate and encoded at few: another one is written at its highest."""
    return ogg_opus(rate_hz if rate_hz in OPUS_RATES_HZ else None, bits_per_s)


_FORMATS: dict[SpeechCodec, tuple[str, Callable[[int, int | None], AudioFormat]]] = {
    SpeechCodec.WAV: ("audio/wav", lambda rate_hz, _: wav(rate_hz)),
    SpeechCodec.LINEAR16: ("audio/pcm", lambda rate_hz, _: pcm(rate_hz)),
    SpeechCodec.MULAW: ("audio/basic", lambda rate_hz, _: ulaw(rate_hz)),
    SpeechCodec.ALAW: ("audio/x-alaw-basic", lambda rate_hz, _: alaw(rate_hz)),
    SpeechCodec.MP3: ("audio/mpeg", lambda rate_hz, bits_per_s: media(Container.MP3, rate_hz, bits_per_s)),
    SpeechCodec.OPUS: ("audio/ogg", _opus),
    SpeechCodec.FLAC: ("audio/flac", lambda rate_hz, bits_per_s: media(Container.FLAC, rate_hz, bits_per_s)),
    SpeechCodec.AAC: ("audio/aac", lambda rate_hz, bits_per_s: media(Container.AAC, rate_hz, bits_per_s)),
}


def format_of(codec: SpeechCodec, rate_hz: int, bits_per_s: int | None) -> AudioFormat:
    """The format at a rate of `RATES_HZ`; `bits_per_s` counts where something is lost."""
    return _FORMATS[codec][1](rate_hz, bits_per_s)


def media_type_of(codec: SpeechCodec) -> str:
    """What the audio is called in headers and messages."""
    return _FORMATS[codec][0]
