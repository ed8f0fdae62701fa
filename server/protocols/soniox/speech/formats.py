"""The vendor's names of formats in which it speaks."""

from dragoman.pipeline.audio.formats import AudioFormat, Encoding, pcm, wav
from dragoman.server.failures import BadMessage, Fault, quoted

RATES_HZ = (8_000, 16_000, 24_000, 44_100, 48_000)
DEFAULT_HZ = 24_000
BITRATES = (32_000, 64_000, 96_000, 128_000, 192_000, 256_000, 320_000)
"""Bits in a second, for the formats that lose something; the others take them for nothing."""

RAW = {
    "pcm_s16le": Encoding.S16LE,
    "pcm_f32le": Encoding.F32LE,
    "pcm_mulaw": Encoding.ULAW,
    "pcm_alaw": Encoding.ALAW,
}
WAV = "wav"
NAMES = (*RAW, WAV)


def output_format(name: str | None, rate_hz: int | None, bits_per_s: int | None) -> tuple[AudioFormat, str]:
    """The format that a wish names, and its media type. Raises BadMessage naming the field that is wrong."""
    if name is None:
        raise BadMessage("audio_format is missing", Fault.SETUP)
    if name not in NAMES:
        raise BadMessage(f"unsupported audio_format '{quoted(name)}': use one of {', '.join(NAMES)}", Fault.SETUP)
    if rate_hz is not None and rate_hz not in RATES_HZ:
        raise BadMessage(f"sample_rate must be one of {', '.join(map(str, RATES_HZ))}", Fault.SETUP)
    if bits_per_s is not None and bits_per_s not in BITRATES:
        raise BadMessage(f"bitrate must be one of {', '.join(map(str, BITRATES))}", Fault.SETUP)
    rate_hz = rate_hz or DEFAULT_HZ
    if name == WAV:
        return wav(rate_hz), "audio/wav"
    return pcm(rate_hz, RAW[name]), "audio/pcm"
