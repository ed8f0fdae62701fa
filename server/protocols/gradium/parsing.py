"""From a frame to a message: everything that takes long for a large one, and touches no state."""

import binascii
import re
from dataclasses import dataclass
from typing import Any

import msgspec

from dragoman.server.failures import BadMessage, Fault
from dragoman.server.protocols.gradium import messages


@dataclass(frozen=True, slots=True)
class AudioIn:
    """An `audio` message with its bytes decoded."""

    data: bytes
    client_req_id: str | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A frame that is no message, which is fatal to the connection, or a message with a fault."""

    error: BadMessage
    client_req_id: str | None = None
    fatal: bool = False


Parsed = dict[str, Any] | AudioIn | messages.EndOfStreamIn | messages.FlushIn | Unreadable | None


def parse(frame: str | bytes) -> Parsed:
    """Read one frame. A setup stays a dictionary, a message of an unknown type is None."""
    try:
        fields = _fields(frame)
    except BadMessage as error:
        return Unreadable(error, fatal=True)
    try:
        match fields["type"]:
            case "setup":
                return fields
            case "audio":
                message = msgspec.convert(fields, messages.AudioIn)
                return AudioIn(decode_base64(message.audio), message.client_req_id)
            case "end_of_stream":
                return msgspec.convert(fields, messages.EndOfStreamIn)
            case "flush":
                return msgspec.convert(fields, messages.FlushIn)
            case _:
                return None
    except msgspec.ValidationError as error:
        fault = BadMessage(f"invalid {fields['type']} message: {error}")
    except ValueError:
        fault = BadMessage("audio is not base64", Fault.AUDIO)
    named = fields.get("client_req_id")
    return Unreadable(fault, named if isinstance(named, str) else None)


def _fields(frame: str | bytes) -> dict[str, Any]:
    if isinstance(frame, bytes):
        raise BadMessage("messages must be JSON objects in text frames, not binary frames")
    try:
        fields = msgspec.json.decode(frame)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadMessage(f"message is not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise BadMessage("message is not a JSON object")
    if not isinstance(fields.get("type"), str):
        raise BadMessage("message has no string field 'type'")
    return fields


_URL_SAFE = str.maketrans("-_", "+/")
_BLANKS = re.compile(r"\s+")


def decode_base64(text: str) -> bytes:
    """Decode base64; the URL-safe alphabet, missing padding and line breaks are understood too. Raises ValueError."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        text = _BLANKS.sub("", text).translate(_URL_SAFE).rstrip("=")
    return binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
