"""From a frame of the client to a command: `{"message_type": …, "data": {…}}` as JSON, in text or in binary frames."""

import binascii
from dataclasses import dataclass
from typing import Any

import msgspec

from dragoman.server.failures import quoted

AUDIO = "input_audio_data"


@dataclass(frozen=True, slots=True)
class Command:
    """A message whose fields are not looked at yet."""

    kind: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AudioIn:
    """The next chunk of the client's audio."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What is no command; the text says why."""

    text: str


Parsed = Command | AudioIn | Unreadable


def parse(frame: str | bytes) -> Parsed:
    """Read one frame."""
    try:
        fields = msgspec.json.decode(frame)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        return Unreadable(f"message is not JSON: {error}")
    if not isinstance(fields, dict):
        return Unreadable("message is not a JSON object")
    kind = fields.get("message_type")
    if not isinstance(kind, str):
        return Unreadable("message_type: must be a string")
    data = fields.get("data")
    if isinstance(data, str):  # the vendor itself writes it so at times
        try:
            data = msgspec.json.decode(data)
        except (msgspec.DecodeError, RecursionError):
            data = ""
    if data is None:
        data = {}
    if not isinstance(data, dict):
        return Unreadable(f"data: must be an object (in '{quoted(kind)}')")
    return _audio(data) if kind == AUDIO else Command(kind, data)


def _audio(data: dict[str, Any]) -> AudioIn | Unreadable:
    text = data.get("data")
    if not isinstance(text, str):
        return Unreadable("data.data: must be base64 text")
    try:
        return AudioIn(binascii.a2b_base64(text, strict_mode=True))
    except ValueError:
        return Unreadable("data.data: is not base64")
