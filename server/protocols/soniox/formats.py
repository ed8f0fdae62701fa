"""The vendor's names of audio formats."""

from dragoman.pipeline.audio.formats import (
    MAX_CHANNELS,
    MAX_RATE_HZ,
    MIN_RATE_HZ,
    AudioFormat,
    Container,
    Encoding,
    media,
    pcm,
    wav,
)
from dragoman.server.failures import BadMessage, Fault, quoted

_WIDE = ("s16", "u16", "s24", "u24", "s32", "u32", "f32", "f64")

FILES: dict[str, AudioFormat] = {
    "auto": media(Container.ANY),
    "wav": wav(),
    **{
        container.value: media(container)
        for container in (
            Container.AAC,
            Container.AIFF,
            Container.AMR,
            Container.ASF,
            Container.FLAC,
            Container.MP3,
            Container.OGG,
            Container.WEBM,
        )
    },
}
"""What says by itself how its samples are written."""

RAW: dict[str, Encoding] = {
    **{f"pcm_{name}{order}": Encoding(f"{name}{order}") for name in _WIDE for order in ("le", "be")},
    # A byte has no order; some clients name one all the same.
    **{f"pcm_{name}{order}": Encoding(name) for name in ("s8", "u8") for order in ("", "le", "be")},
    "mulaw": Encoding.ULAW,
    "alaw": Encoding.ALAW,
}
"""What has no header and needs a rate and channels beside the name."""


def input_format(name: str | None, rate_hz: int | None, channels: int | None) -> AudioFormat:
    """The format that a start message names. Raises BadMessage naming the field that is wrong."""
    if name is None:
        raise BadMessage("audio_format is missing", Fault.SETUP)
    if name in FILES:
        return FILES[name]
    if name not in RAW:
        known = ", ".join(sorted({*FILES, *RAW}))
        raise BadMessage(f"unsupported audio_format '{quoted(name)}': use one of {known}", Fault.SETUP)
    if rate_hz is None or not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise BadMessage(f"sample_rate must be given for {name}, from {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz", Fault.SETUP)
    if channels is None or not 1 <= channels <= MAX_CHANNELS:
        raise BadMessage(f"num_channels must be given for {name}, from 1 to {MAX_CHANNELS}", Fault.SETUP)
    return pcm(rate_hz, RAW[name], channels)
