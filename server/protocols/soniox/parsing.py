"""From a frame to a message: everything that takes long for a large one, and touches no state."""

import binascii
from dataclasses import dataclass
from typing import Any

import msgspec

from dragoman.server.failures import BadMessage, Fault


@dataclass(frozen=True, slots=True)
class AudioIn:
    """The next bytes of the input. `text`: they came as base64, so as a first message they are no start."""

    data: bytes
    text: bool = False


@dataclass(frozen=True, slots=True)
class EndOfAudio:
    """The input is complete."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A frame that is no message."""

    error: BadMessage


Parsed = dict[str, Any] | AudioIn | EndOfAudio | Unreadable


def parse(frame: str | bytes) -> Parsed:
    """Read one frame: an object stays a dictionary, other text is base64 of audio, nothing is the end."""
    if not frame:
        return EndOfAudio()
    if isinstance(frame, bytes):
        return AudioIn(frame)
    if not frame.lstrip().startswith("{"):
        try:
            return AudioIn(binascii.a2b_base64(frame.strip(), strict_mode=True), text=True)
        except ValueError:  # binascii.Error, and text that is not ASCII
            return Unreadable(BadMessage("text is neither a JSON object nor audio in base64", Fault.AUDIO))
    try:
        fields: dict[str, Any] = msgspec.json.decode(frame, type=dict)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        return Unreadable(BadMessage(f"message is not JSON: {error}"))
    return fields


def convert(fields: dict[str, Any], kind: type[msgspec.Struct], called: str) -> Any:
    """The fields as a message of this kind. Raises BadMessage naming the field that is wrong."""
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        # msgspec names the place as `$.field`; clients know the field.
        plain = str(error).replace("`", "").replace(" - at $.", " in ").replace(" - at $", "")
        raise BadMessage(f"invalid {called}: {plain}", Fault.SETUP) from error
