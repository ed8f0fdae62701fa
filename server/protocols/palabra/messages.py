"""Every message of the server: `{"message_type": …, "data": {…}}`, each as the text that is sent."""

import zlib
from typing import Any

import msgspec

from dragoman.server.wire import encode_base64


def _message(kind: str, data: object) -> str:
    return msgspec.json.encode({"message_type": kind, "data": data}).decode()


class Segment(msgspec.Struct, kw_only=True):
    """Where a text was spoken: seconds on the input clock, and Unix times."""

    text: str
    start: float
    end: float
    start_timestamp: float
    end_timestamp: float


class Transcription(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A text that was said or translated. `translation_part_id` counts the parts of a translation."""

    transcription_id: str
    language: str
    text: str
    segments: list[Segment]
    translation_part_id: int | None = None


def transcription(kind: str, text: Transcription) -> str:
    """One of the four types of texts."""
    return _message(kind, {"transcription": text})


def output_audio(
    samples: bytes, *, packed: bool, language: str, last: bool, transcription_id: str, part_id: int
) -> str:
    """The next samples of a target: s16le, 24 kHz, mono; none where only the end is to be told.

    `packed`: each message is compressed by itself.
    """
    if packed and samples:
        samples = zlib.compress(samples)
    return _message(
        "output_audio_data",
        {
            "data": encode_base64(samples),
            "language": language,
            "last_chunk": last,
            "transcription_id": transcription_id,
            "translation_part_id": str(part_id),
        },
    )


def task_status(command: str, event: str, status: str, transcription_id: str | None = None) -> str:
    """A command was carried out; a text was taken in under this id."""
    data = {"command": command, "event": event, "task_status": status}
    return _message("task_status", data if transcription_id is None else {**data, "transcription_id": transcription_id})


def current_task(status: str, task: dict[str, Any]) -> str:
    """The task as it is carried out."""
    return _message("current_task", {"task_status": status, **task})


def end_of_stream() -> str:
    """Nothing follows."""
    return _message("end_of_stream", {})


def eos() -> str:
    """The same, for clients of the time before `end_of_stream`."""
    return _message("eos", {})


def error(code: str, text: str) -> str:
    """Something is wrong."""
    return _message("error", {"code": code, "desc": text, "param": None})


def warning(code: str, text: str) -> str:
    """Something is not done as it was asked for."""
    return _message("warning", {"code": code, "message": text})
