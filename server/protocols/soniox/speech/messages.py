"""Every message of the speech socket as a msgspec struct. What does not apply is left out, never sent as null."""

from typing import Annotated

import msgspec

from dragoman.server.wire import MAX_ID, Id

MAX_NAME = 50
"""Characters of a model, a language or a voice."""
MAX_TEXT = 5_000
"""Characters of one text."""
SPEEDS = (0.7, 1.3)

StreamId = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]
Name = Annotated[str, msgspec.Meta(max_length=MAX_NAME)]


class Wish(msgspec.Struct, kw_only=True):
    """What is to be spoken how. Null counts as absent, unknown fields are ignored."""

    model: Name | None = None
    language: Name | None = None
    voice: Name | None = None
    audio_format: str | None = None
    sample_rate: int | None = None
    bitrate: int | None = None
    speed: Annotated[float, msgspec.Meta(ge=SPEEDS[0], le=SPEEDS[1])] | None = None
    reduce_silence: bool | None = None
    client_reference_id: Id | None = None


class Config(Wish, kw_only=True):
    """client → server: the first message of a stream."""

    stream_id: StreamId
    return_timestamps: bool | None = None
    api_key: str | None = None


class Text(msgspec.Struct, kw_only=True):
    """client → server: the next piece of a stream's text; `text_end`: nothing follows."""

    stream_id: StreamId
    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)] | None = None
    text_end: bool | None = None


class Cancel(msgspec.Struct, kw_only=True):
    """client → server: say nothing more of a stream."""

    stream_id: StreamId
    cancel: bool | None = None


class OneText(Wish, kw_only=True):
    """client → server, by REST: one text."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)] | None = None


class Timestamps(msgspec.Struct, kw_only=True):
    """Where the characters of a piece of audio are, in seconds of the stream's audio; three lists of one length."""

    characters: list[str]
    character_start_times_seconds: list[float]
    character_end_times_seconds: list[float]


class _Told(msgspec.Struct, kw_only=True, omit_defaults=True):
    def to_json(self) -> str:
        return msgspec.json.encode(self).decode()


class Audio(_Told, kw_only=True, omit_defaults=True):
    """server → client: the next piece of a stream's audio in base64; `audio_end`: the last one."""

    stream_id: str
    audio: str
    audio_end: bool
    timestamps: Timestamps | None = None


class Terminated(_Told, kw_only=True):
    """server → client: nothing more comes of a stream, and its id is free again."""

    stream_id: str
    terminated: bool


class SpeechError(_Told, kw_only=True, omit_defaults=True):
    """server → client: why a stream ends, or without a `stream_id` the connection. By REST it is the body."""

    stream_id: str | None = None
    error_code: int
    error_type: str
    error_message: str
    request_id: str
