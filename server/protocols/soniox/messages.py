"""Every message of the wire as a msgspec struct. Fields that do not apply are left out, never sent as null."""

from typing import Annotated, Any, TypeVar

import msgspec

from dragoman.server import wire
from dragoman.server.failures import BadMessage, Fault
from dragoman.server.outgoing import MAX_URL

MAX_LANGUAGES = 128
"""Entries of one list of languages: more than there are."""
Languages = Annotated[list[str], msgspec.Meta(max_length=MAX_LANGUAGES)]

Address = Annotated[str, msgspec.Meta(max_length=MAX_URL)]

KindT = TypeVar("KindT", bound=msgspec.Struct)


class Start(msgspec.Struct, kw_only=True):
    """client → server: the first message. Null counts as absent, unknown fields are ignored."""

    api_key: str | None = None
    model: str | None = None
    audio_format: str | None = None
    sample_rate: int | None = None
    num_channels: int | None = None
    language_hints: Languages | None = None
    language_hints_strict: bool | None = None
    context: dict[str, Any] | str | None = None
    enable_speaker_diarization: bool | None = None
    enable_language_identification: bool | None = None
    enable_endpoint_detection: bool | None = None
    max_endpoint_delay_ms: int | None = None
    endpoint_sensitivity: float | None = None
    endpoint_latency_adjustment_level: int | None = None
    enable_non_final_tokens: bool | None = None
    max_non_final_tokens_duration_ms: int | None = None
    translation: Any = None
    client_reference_id: str | None = None


class TranscriptionStart(Start, kw_only=True):
    """client → server, by REST: what is to be done with a file."""

    file_id: wire.Id | None = None
    audio_url: Address | None = None
    webhook_url: wire.Id | None = None
    webhook_auth_header_name: wire.Id | None = None
    webhook_auth_header_value: wire.Id | None = None


class Control(msgspec.Struct, kw_only=True):
    """client → server: `finalize` or `keepalive`."""

    type: str
    trailing_silence_ms: int | None = None


class Token(msgspec.Struct, kw_only=True, omit_defaults=True):
    """server → client: a word, or a sign (`<end>`, `<fin>`). Times are milliseconds of the input."""

    text: str
    is_final: bool
    start_ms: int | None = None
    end_ms: int | None = None
    confidence: float | None = None
    speaker: str | None = None
    language: str | None = None
    translation_status: str | None = None
    source_language: str | None = None


class Result(msgspec.Struct, kw_only=True, omit_defaults=True):
    """server → client: the tokens that have become final, then all that are not; how much audio each of them covers."""

    tokens: list[Token]
    final_audio_proc_ms: int
    total_audio_proc_ms: int
    finished: bool = False

    def to_json(self) -> str:
        return msgspec.json.encode(self).decode()


class Error(msgspec.Struct, kw_only=True):
    """server → client: the stream is over."""

    tokens: tuple[()] = ()
    error_code: int
    error_type: str
    error_message: str
    request_id: str

    def to_json(self) -> str:
        return msgspec.json.encode(self).decode()


def convert(fields: object, kind: type[KindT], called: str) -> KindT:
    """The fields as a message of this kind. Raises BadMessage naming the field that is wrong."""
    try:
        return wire.convert(fields, kind)
    except wire.WrongKind as error:
        raise BadMessage(f"invalid {called}: {error}", Fault.SETUP) from error
