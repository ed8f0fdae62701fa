"""What a client may send on the socket of `Palabra.tts()`."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from dragoman.pipeline.audio.encode import check_format
from dragoman.pipeline.audio.errors import AudioError
from dragoman.pipeline.audio.formats import AudioFormat, Container, media, pcm, wav
from dragoman.server import wire
from dragoman.server.failures import BadMessage, MessageTooLarge, quoted
from dragoman.server.protocols.palabra.fields import DEFAULT_LOW, BadTask, Language, Name, Number, Speed, Table
from dragoman.server.protocols.palabra.job import OUTPUT_HZ
from dragoman.server.protocols.palabra.requests import read

MAX_TEXT = 1_024
"""Characters of one piece."""
FORMATS = ("pcm", "wav", "mp3")


def _served(name: str) -> str:
    if name not in FORMATS:
        raise ValueError(f"must be one of {', '.join(FORMATS)}")
    return name


def _said(text: str) -> str:
    if not 0 < len(text) <= MAX_TEXT:
        raise ValueError(f"must have from 1 to {MAX_TEXT} characters, not {len(text)}")
    return text


class VoiceOptions(Table):
    """Who speaks, and how fast. The rest is checked and changes nothing here."""

    voice_id: Name = DEFAULT_LOW
    speed: Speed | None = None
    deaccent_strength: Number = 0.0


class Sound(Table):
    """How the audio is written down."""

    format: Annotated[str, AfterValidator(_served)] = "pcm"
    sample_rate: Annotated[int, Field(ge=8_000, le=48_000)] = OUTPUT_HZ

    @model_validator(mode="after")
    def _known_rate(self) -> Self:
        try:
            check_format(self.written)
        except AudioError as error:
            raise ValueError(str(error)) from error
        return self

    @property
    def written(self) -> AudioFormat:
        """The format in our own words."""
        rate_hz = self.sample_rate
        return {"pcm": pcm(rate_hz), "wav": wav(rate_hz), "mp3": media(Container.MP3, rate_hz)}[self.format]


class Init(Table):
    """The first message."""

    language: Language
    model: Name = "auto"
    voice_options: VoiceOptions = VoiceOptions()
    output: Sound = Sound()


class Piece(Table):
    """A piece of text. `voice_options` change from here on; what they do not name stays as it was."""

    text: Annotated[str, AfterValidator(_said)]
    is_eos: bool = False
    generation_id: Name | None = None
    reset_context: bool = False
    voice_options: VoiceOptions = VoiceOptions()


class Cancel(Table):
    """Say nothing more."""


_KINDS: dict[str, type[Init | Piece | Cancel]] = {"init": Init, "text": Piece, "cancel": Cancel}


def parse(frame: str | bytes, control_bytes: int = wire.CONTROL_BYTES) -> Init | Piece | Cancel | BadTask:
    """Read one message, or say what is wrong with it."""
    try:
        fields = wire.read_object(frame, control_bytes)
    except (BadMessage, MessageTooLarge) as error:
        return BadTask(str(error))
    name = fields.get("type")
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        return BadTask(f"type: '{quoted(name)}' is no message" if isinstance(name, str) else "type: must be a string")
    try:
        return read(kind, fields)
    except BadTask as error:
        return error
