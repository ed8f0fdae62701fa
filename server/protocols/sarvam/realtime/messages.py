"""Every message of the realtime wire. The field `event` says which it is; fields that do not apply are left out."""

from typing import Any

import msgspec

from dragoman.server import wire
from dragoman.server.failures import BadMessage, Failure, Fault, MessageTooLarge
from dragoman.server.protocols.sarvam.parsing import AudioIn, decode_base64


class _In(msgspec.Struct, tag_field="event"):
    pass


class AudioInput(_In, tag="audio_input"):
    """The next audio, base64."""

    audio: str


class SpeechStart(_In, tag="speech_start"):
    """A turn begins (manual endpointing only)."""


class SpeechEnd(_In, tag="speech_end"):
    """A turn ends (manual endpointing only)."""


class Flush(_In, tag="flush"):
    """Say what was heard of the turn so far (manual endpointing only)."""


class ConfigUpdate(_In, tag="config.update"):
    """Change the configuration. Null counts as absent."""

    language_code: Any = None
    prompt: Any = None
    mode: Any = None
    stream_type: Any = None
    endpointing: Any = None
    threshold: Any = None
    silence_duration_ms: Any = None
    min_speech_duration_ms: Any = None


class Ping(_In, tag="ping"):
    """Answer with pong."""


class End(_In, tag="end"):
    """Say what was heard, then close."""


_Message = AudioInput | SpeechStart | SpeechEnd | Flush | ConfigUpdate | Ping | End
Parsed = AudioIn | SpeechStart | SpeechEnd | Flush | ConfigUpdate | Ping | End | Failure


class _Carrier(msgspec.Struct, tag_field="event", tag="audio_input"):
    audio: msgspec.Raw = msgspec.Raw()

    def sound(self) -> msgspec.Raw:
        return self.audio


_carrier = msgspec.json.Decoder(_Carrier)
_decoder: msgspec.json.Decoder[_Message] = msgspec.json.Decoder(_Message)


def parse(frame: str | bytes, control_bytes: int = wire.CONTROL_BYTES) -> Parsed:
    """Read one frame, faults included. Binary frames are audio without base64."""
    if isinstance(frame, bytes):
        return AudioIn(frame, binary=True)
    try:
        wire.check_size(frame, control_bytes, _carrier)
        message = wire.decode(frame, _decoder)
    except MessageTooLarge as error:
        return error
    except wire.NotJson as error:
        return BadMessage(f"message cannot be read: {error}", Fault.ORDER)
    if not isinstance(message, AudioInput):
        return message
    try:
        return AudioIn(decode_base64(message.audio, "audio"))
    except BadMessage as error:
        return error


class _Out(msgspec.Struct, tag_field="event", omit_defaults=True, kw_only=True):
    def to_json(self) -> str:
        return msgspec.json.encode(self).decode()


class SessionBegin(_Out, tag="session.begin"):
    """The connection is open; `config` is what it came to."""

    request_id: str
    config: dict[str, Any]


class SpeechStarted(_Out, tag="vad.speech_start"):
    """An utterance begins."""

    utterance_idx: int


class SpeechEnded(_Out, tag="vad.speech_end"):
    """An utterance has ended."""

    utterance_idx: int


class Partial(_Out, tag="transcript.partial"):
    """What an utterance is supposed to be so far, in its own language."""

    utterance_idx: int
    text: str
    language: str | None = None


class Final(_Out, tag="transcript.final"):
    """An utterance. Times are seconds from the first audio of the connection."""

    utterance_idx: int
    text: str
    language: str | None = None
    language_confidence: float | None = None
    start_s: float | None = None
    end_s: float | None = None


class ConfigUpdated(_Out, tag="config.updated"):
    """What of an update was taken."""

    applied: list[str]


class Pong(_Out, tag="pong"):
    """The answer to ping."""


class SessionEnd(_Out, tag="session.end"):
    """Nothing follows."""

    request_id: str
    total_duration_s: float
    total_utterances: int
    audio_duration_s: float


class Error(_Out, tag="error"):
    """What is wrong; the connection ends if it `is_fatal`. `status_code` is what HTTP would have said."""

    code: str
    is_fatal: bool
    message: str
    status_code: int | None = None
