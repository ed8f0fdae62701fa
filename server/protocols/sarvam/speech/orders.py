"""What a request for speech, or the configuration of a socket, asks for. Wrong values are told by name.

The language has two names: the SDK writes the first, its older versions and the plug-ins of others the second.
"""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from dragoman.models.plan import TargetWish
from dragoman.pipeline.audio.formats import AudioFormat, pcm
from dragoman.server.commands import Key, Open
from dragoman.server.failures import BadMessage, Fault, quoted
from dragoman.server.protocols.sarvam.languages import language_of
from dragoman.server.protocols.sarvam.payload import DEFAULT_HZ as INPUT_HZ
from dragoman.server.protocols.sarvam.rest.errors import Unprocessable
from dragoman.server.protocols.sarvam.speech.codecs import BITRATES, RATES_HZ, SpeechCodec, format_of, media_type_of
from dragoman.server.protocols.sarvam.speech.speakers import Speakers
from dragoman.server.wire import MAX_ID

OLD = "bulbul:v2"
MODELS = ("bulbul:v3", OLD, "bulbul:v3-beta", "bulbul:v4-flash")
PACES, OLD_PACES = (0.5, 2.0), (0.3, 3.0)
DEFAULT_HZ, OLD_DEFAULT_HZ = 24_000, 22_050
DEFAULT_LEAST, DEFAULT_MOST = 50, 150
MAX_CHUNK = 500
"""Characters: more do not wait, whatever a client wants, for all that waits is looked at again with each piece."""

Name = Annotated[str, msgspec.Meta(max_length=MAX_ID)]
"""What comes back in an error or is written into the log."""


class SpeechWish(msgspec.Struct):
    """The fields of all requests for speech. Null counts as absent, unknown fields are ignored, and so are those that
    change nothing here."""

    language_code: Name | None = None
    target_language_code: Name | None = None
    speaker: Name | None = None
    model: Name | None = None
    pace: float | None = None
    speech_sample_rate: int | float | Name | None = None
    output_audio_codec: Name | None = None
    output_audio_bitrate: Name | None = None
    min_buffer_size: int | None = None
    max_chunk_length: int | None = None


@dataclass(frozen=True, slots=True)
class SpeechOrder:
    """A valid wish. `language` is ours; `voice_id` None: its default voice; `tempo` is a factor on the normal rate.

    `least` and `most` are characters: of text that waits before sentences are spoken, and before anything is.
    """

    model: str
    language: str
    voice_id: str | None
    tempo: float
    codec: SpeechCodec
    rate_hz: int
    sound: AudioFormat
    least: int = DEFAULT_LEAST
    most: int = DEFAULT_MOST

    @property
    def media_type(self) -> str:
        """What the audio is called."""
        return media_type_of(self.codec)

    def opening(self, key: Key, after: Key | None = None, sound: AudioFormat | None = None) -> Open:
        """The session that speaks it: it is given text, and hears nothing. `sound` in place of its own format."""
        wish = TargetWish(self.language, voice_id=self.voice_id, tempo=self.tempo)
        return Open(key, pcm(INPUT_HZ), sound or self.sound, targets=(wish,), hears=False, after=after)


def read_order(wish: SpeechWish, speakers: Speakers, codec: SpeechCodec, model: str | None = None) -> SpeechOrder:
    """Check a wish; `codec` and `model` are for one that names none. Raises BadMessage, Unprocessable or NotReady."""
    model = _one_of(wish.model or model or MODELS[0], "model", MODELS, Fault.MODEL)
    language_code = wish.language_code or wish.target_language_code
    if not language_code:
        raise Unprocessable("language_code is missing")
    language = language_of(language_code, "language_code", bare=True)
    if language is None:
        raise BadMessage("language_code cannot be detected: name one", Fault.SETUP)
    chosen = SpeechCodec(_one_of(wish.output_audio_codec or codec, "output_audio_codec", tuple(SpeechCodec)))
    rate_hz = _rate(wish.speech_sample_rate) or (OLD_DEFAULT_HZ if model == OLD else DEFAULT_HZ)
    bitrate = wish.output_audio_bitrate
    bits_per_s = BITRATES[_one_of(bitrate, "output_audio_bitrate", tuple(BITRATES))] if bitrate else None
    least, most = wish.min_buffer_size, wish.max_chunk_length
    return SpeechOrder(
        model=model,
        language=language,
        voice_id=speakers.voice(wish.speaker or "", language),
        tempo=_tempo(wish.pace, OLD_PACES if model == OLD else PACES),
        codec=chosen,
        rate_hz=rate_hz,
        sound=format_of(chosen, rate_hz, bits_per_s),
        least=DEFAULT_LEAST if least is None else min(max(least, 1), MAX_CHUNK),
        most=DEFAULT_MOST if most is None else min(max(most, 1), MAX_CHUNK),
    )


def _rate(value: Any) -> int | None:
    """A number, or its digits."""
    if value is None or value == "":
        return None
    text = str(value).strip().removesuffix(".0")
    rates = {str(rate): rate for rate in RATES_HZ}
    if text not in rates:
        known = ", ".join(rates)
        raise BadMessage(f"speech_sample_rate '{quoted(str(value))}' must be one of {known}", Fault.SETUP)
    return rates[text]


def _tempo(pace: float | None, between: tuple[float, float]) -> float:
    if pace is None:
        return 1.0
    if not between[0] <= pace <= between[1]:
        raise BadMessage(f"pace must be a number from {between[0]:g} to {between[1]:g}", Fault.SETUP)
    return pace


def _one_of(value: str, name: str, values: tuple[str, ...], fault: Fault = Fault.SETUP) -> str:
    if value not in values:
        raise BadMessage(f"unknown {name} '{quoted(value)}': use one of {', '.join(values)}", fault)
    return value
