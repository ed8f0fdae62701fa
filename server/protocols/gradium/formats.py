"""The vendor's names of audio formats, for input and for output."""

from dragoman.pipeline.audio.formats import AudioFormat, alaw, ogg_opus, pcm, sniffed, ulaw, wav
from dragoman.server.failures import BadMessage, Fault, quoted

INPUT_HZ = 24_000
"""Rate of plain `pcm` on the way in …"""
OUTPUT_HZ = 48_000
"""… and on the way out, where `wav` and `opus` have it too."""

_PCM_RATES = (8_000, 16_000, 22_050, 24_000, 44_100, 48_000)
_COMMON = {
    **{f"pcm_{rate}": pcm(rate) for rate in _PCM_RATES},
    "opus": ogg_opus(),
    "ulaw_8000": ulaw(),
    "mulaw_8000": ulaw(),
    "alaw_8000": alaw(),
}
INPUTS: dict[str, AudioFormat] = {"pcm": pcm(INPUT_HZ), "wav": wav(), **_COMMON}
OUTPUTS: dict[str, AudioFormat] = {"pcm": pcm(OUTPUT_HZ), "wav": wav(OUTPUT_HZ), **_COMMON}


def input_format(name: str | None) -> AudioFormat:
    """The format of a name. Without one the first bytes decide, because the vendor's texts and client disagree."""
    if name is None:
        return sniffed(INPUTS["pcm"])
    return _look_up("input_format", name, INPUTS)


def output_format(name: str | None) -> tuple[AudioFormat, int]:
    """The format of a name (WAV without one) and its rate in Hz."""
    found = _look_up("output_format", "wav" if name is None else name, OUTPUTS)
    return found, found.rate_hz or OUTPUT_HZ


def _look_up(field: str, name: str, table: dict[str, AudioFormat]) -> AudioFormat:
    found = table.get(name.strip())
    if found is None:
        raise BadMessage(f"unsupported {field} '{quoted(name)}': use one of {', '.join(table)}", Fault.SETUP)
    return found
