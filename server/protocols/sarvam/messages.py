"""Every message of the server. All of them are an envelope of a type and its data; the SDK needs both.

The fields are named as on the wire (`occured_at` with one r). A field of the wrong type, or one that is missing, makes
the SDK take the message for another kind, so every field is written whatever it holds.
"""

from dataclasses import dataclass

import msgspec


class Metrics(msgspec.Struct):
    """Seconds of audio in the utterance, and seconds from the end of its speech to this message."""

    audio_duration: float
    processing_latency: float


class Data(msgspec.Struct, kw_only=True):
    """One utterance. `language_code` is what was spoken; `language_probability` is null where the client said it.
    `speech_start` and `speech_end` are seconds of the input."""

    request_id: str
    transcript: str
    language_code: str | None
    language_probability: float | None
    metrics: Metrics
    speech_start: float
    speech_end: float


class FullData(Data, kw_only=True):
    """The same with the fields that the vendor has elsewhere and that are null on sockets."""

    timestamps: None = None
    diarized_transcript: None = None


class Event(msgspec.Struct, kw_only=True):
    """Speech begins or has ended. `occured_at` is seconds since 1970."""

    signal_type: str
    occured_at: float
    event_type: str = "vad"


class Error(msgspec.Struct, kw_only=True):
    """What is wrong, and a short word for programs; always text. `message` is the same as `error`: the plug-ins of
    LiveKit for JavaScript and of Vision Agents look for it there."""

    error: str
    code: str
    message: str


def error(text: str, code: str) -> Error:
    """The message that tells an error."""
    return Error(error=text, code=code, message=text)


@dataclass(frozen=True, slots=True)
class _Envelope:
    type: str
    data: Data | Event | Error


def to_json(message: Data | Event | Error) -> str:
    """The message as it is sent."""
    kind = "data" if isinstance(message, Data) else "events" if isinstance(message, Event) else "error"
    return msgspec.json.encode(_Envelope(kind, message)).decode()
