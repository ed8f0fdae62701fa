"""Every message of the wire as a msgspec struct. Fields that do not apply are left out, never sent as null."""

from typing import Any

import msgspec

from dragoman.server.wire import MAX_ID, Id

_MAX_NUMBER = 10**MAX_ID


class Setup(msgspec.Struct, kw_only=True):
    """client → server: the first message of each request. Null counts as absent, unknown fields are ignored."""

    model_name: str | None = None
    stt_model_name: Id | None = None
    tts_model_name: Id | None = None
    input_format: str | None = None
    output_format: str | None = None
    voice_id: Id | None = None
    voice: Id | None = None
    pronunciation_id: Id | None = None
    json_config: dict[str, Any] | str | None = None
    client_req_id: Id | None = None
    close_ws_on_eos: bool | None = None
    retry_for_s: float | None = None


class AudioIn(msgspec.Struct, kw_only=True):
    """client → server: the next bytes of a request's input, base64."""

    audio: str
    client_req_id: Id | None = None


class TextIn(msgspec.Struct, kw_only=True):
    """client → server: more of the text that is to be said."""

    text: str
    client_req_id: Id | None = None


class FlushIn(msgspec.Struct, kw_only=True):
    """client → server: finish the open segment. `flush_id` comes back with its JSON type."""

    flush_id: int | float | Id | None = None
    client_req_id: Id | None = None

    def __post_init__(self) -> None:
        if isinstance(self.flush_id, int) and abs(self.flush_id) >= _MAX_NUMBER:
            raise ValueError(f"flush_id has more than {MAX_ID} digits")


class EndOfStreamIn(msgspec.Struct, kw_only=True):
    """client → server: the input is complete."""

    client_req_id: Id | None = None


class _Message(msgspec.Struct, kw_only=True, omit_defaults=True):
    def to_json(self) -> str:
        return msgspec.json.encode(self).decode()


class Ready(_Message, tag="ready"):
    """server → client: the setup is accepted. `sample_rate` in Hz and `frame_size` (80 ms) are of the output, or of the
    input where there is only text to come out. The rest is told on the sockets of recognition and synthesis.
    """

    request_id: str
    model_name: str
    sample_rate: int
    frame_size: int
    client_req_id: str | None = None
    delay_in_frames: int | None = None
    delay_in_tokens: int | None = None
    audio_stream_names: list[str] | None = None
    text_stream_names: list[str] | None = None


class Text(_Message, tag="text"):
    """server → client: a clause in the target language; times in seconds on the output's timeline.

    The source times, on the input's timeline, are an extension that a request asks for with `source_times`.
    """

    text: str
    start_s: float
    stop_s: float
    stream_id: int
    client_req_id: str | None = None
    source_start_s: float | None = None
    source_stop_s: float | None = None


class Word(_Message, tag="text"):
    """server → client: a word that was heard, and where it begins on the input's timeline; `EndText` ends it."""

    text: str
    start_s: float
    stream_id: int
    client_req_id: str | None = None


class EndText(_Message, tag="end_text"):
    """server → client: where the last word ends."""

    stop_s: float
    stream_id: int
    client_req_id: str | None = None


class Inactivity(msgspec.Struct, kw_only=True):
    """How likely it is that nobody speaks in the next `horizon_s` seconds."""

    horizon_s: float
    inactivity_prob: float


class Step(_Message, tag="step"):
    """server → client: another 80 ms of audio have come in."""

    vad: list[Inactivity]
    step_idx: int
    step_duration_s: float
    total_duration_s: float
    client_req_id: str | None = None


class Audio(_Message, tag="audio"):
    """server → client: the next bytes of the output, and where they lie in it."""

    audio: str
    start_s: float
    stop_s: float
    stream_id: int
    client_req_id: str | None = None


class Flushed(_Message, tag="flushed"):
    """server → client: everything before the flush has been sent."""

    flush_id: int | float | str | None = None
    client_req_id: str | None = None


class EndOfStream(_Message, tag="end_of_stream"):
    """server → client: nothing follows for this request."""

    client_req_id: str | None = None


class Error(_Message, tag="error"):
    """server → client: the request (or, without an id, the connection) is over."""

    message: str
    code: int
    client_req_id: str | None = None
