"""How audio is written down: the container, the encoding of a sample, the rate and the channels."""

from dataclasses import dataclass, replace
from enum import StrEnum

from dragoman.pipeline.audio.errors import BadAudio

MIN_RATE_HZ = 1_000
MAX_RATE_HZ = 384_000
MAX_CHANNELS = 32


class Container(StrEnum):
    """What the samples are wrapped in. ANY: one of the others but RAW, as the first bytes say."""

    RAW = "raw"
    WAV = "wav"
    OGG_OPUS = "ogg_opus"
    AAC = "aac"
    AIFF = "aiff"
    AMR = "amr"
    ASF = "asf"
    FLAC = "flac"
    MP3 = "mp3"
    OGG = "ogg"
    WEBM = "webm"
    ANY = "any"

    @property
    def coded(self) -> bool:
        """Whether a few bytes may hold much audio, so that decoding them takes long."""
        return self not in (Container.RAW, Container.WAV)


class Encoding(StrEnum):
    """How one sample is written: signed, unsigned or float, its bits, its byte order; or a codec. INNER: the container
    knows."""

    S8 = "s8"
    U8 = "u8"
    S16LE = "s16le"
    S16BE = "s16be"
    U16LE = "u16le"
    U16BE = "u16be"
    S24LE = "s24le"
    S24BE = "s24be"
    U24LE = "u24le"
    U24BE = "u24be"
    S32LE = "s32le"
    S32BE = "s32be"
    U32LE = "u32le"
    U32BE = "u32be"
    F32LE = "f32le"
    F32BE = "f32be"
    F64LE = "f64le"
    F64BE = "f64be"
    ULAW = "ulaw"
    ALAW = "alaw"
    OPUS = "opus"
    INNER = "inner"


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """One way to write audio down.

    `name` is for messages. Raw input needs `rate_hz`; WAV and Ogg say rate, channels and encoding themselves, so
    for their input the fields here mean nothing. With `sniff`, a decoder looks at the first bytes: a RIFF or Ogg
    file is read as such, anything else is read as the rest of this format says. `bits_per_s` is what an encoder that
    loses something is asked for, None what it takes by itself.
    """

    name: str
    container: Container
    encoding: Encoding
    rate_hz: int | None = None
    channels: int = 1
    sniff: bool = False
    bits_per_s: int | None = None


def pcm(rate_hz: int, encoding: Encoding = Encoding.S16LE, channels: int = 1) -> AudioFormat:
    """Headerless interleaved samples."""
    return AudioFormat(f"pcm_{encoding}_{rate_hz}", Container.RAW, encoding, rate_hz, channels)


def ulaw(rate_hz: int = 8_000) -> AudioFormat:
    """Headerless G.711 mu-law, mono."""
    return AudioFormat(f"ulaw_{rate_hz}", Container.RAW, Encoding.ULAW, rate_hz)


def alaw(rate_hz: int = 8_000) -> AudioFormat:
    """Headerless G.711 A-law, mono."""
    return AudioFormat(f"alaw_{rate_hz}", Container.RAW, Encoding.ALAW, rate_hz)


def wav(rate_hz: int | None = None) -> AudioFormat:
    """A RIFF file; `rate_hz` is what an encoder writes and is not needed for input."""
    return AudioFormat("wav", Container.WAV, Encoding.S16LE, rate_hz)


def ogg_opus(rate_hz: int | None = None, bits_per_s: int | None = None) -> AudioFormat:
    """Opus in Ogg. On the way out it is encoded at 48 kHz, or at another rate that Opus knows; it is decoded at any."""
    return AudioFormat("ogg_opus", Container.OGG_OPUS, Encoding.OPUS, rate_hz, bits_per_s=bits_per_s)


def media(container: Container, rate_hz: int | None = None, bits_per_s: int | None = None) -> AudioFormat:
    """A file that says by itself how its samples are written. MP3, AAC and FLAC are written too, at a rate."""
    return AudioFormat(container.value, container, Encoding.INNER, rate_hz, bits_per_s=bits_per_s)


def sniffed(fallback: AudioFormat) -> AudioFormat:
    """RIFF or Ogg Opus if the first four bytes say so, else `fallback`."""
    return replace(fallback, sniff=True)


def check_rate_and_channels(rate_hz: int, channels: int) -> None:
    """Refuse what no honest client sends, before anything is sized by it. Raises BadAudio."""
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise BadAudio(f"a sample rate of {rate_hz} Hz is outside {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz")
    if not 1 <= channels <= MAX_CHANNELS:
        raise BadAudio(f"{channels} channels are outside 1 to {MAX_CHANNELS}")
