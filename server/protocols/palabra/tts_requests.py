"""What a client may send on the socket of `Palabra.tts()`."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from dragoman.server.protocols.palabra.fields import Language, Number, Table, number
from dragoman.server.protocols.palabra.job import OUTPUT_HZ
from dragoman.server.protocols.palabra.translations import DEFAULT_LOW

MAX_TEXT = 1_024
"""Characters of one piece."""
FORMATS = ("pcm", "wav")


def _served(name: str) -> str:
    if name not in FORMATS:
        raise ValueError(f"must be one of {', '.join(FORMATS)} here")
    return name


def _said(text: str) -> str:
    if not 0 < len(text) <= MAX_TEXT:
        raise ValueError(f"must have from 1 to {MAX_TEXT} characters, not {len(text)}")
    return text


class VoiceOptions(Table):
    """Who speaks, and how fast. The rest is checked and changes nothing here."""

    voice_id: str = DEFAULT_LOW
    speed: Annotated[float, number(0.5, 2.0)] | None = None
    deaccent_strength: Number = 0.0


class Sound(Table):
    """How the audio is written down."""

    format: Annotated[str, AfterValidator(_served)] = "pcm"
    sample_rate: Annotated[int, Field(ge=8_000, le=48_000)] = OUTPUT_HZ


class Init(Table):
    """The first message."""

    language: Language
    model: str = "auto"
    voice_options: VoiceOptions = VoiceOptions()
    output: Sound = Sound()


class Piece(Table):
    """A piece of text. `voice_options` change from here on; what they do not name stays as it was."""

    text: Annotated[str, AfterValidator(_said)]
    is_eos: bool = False
    generation_id: str | None = None
    reset_context: bool = False
    voice_options: dict[str, Any] = Field(default_factory=dict)
