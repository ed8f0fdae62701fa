"""From a frame to a message: everything that takes long for a large one, and touches no state."""

from dataclasses import dataclass
from typing import Any

from dragoman.server import wire
from dragoman.server.failures import BadMessage, Failure, Fault, MessageTooLarge, quoted
from dragoman.server.protocols.soniox.messages import Control, convert
from dragoman.server.protocols.soniox.start import Request, parse_start


@dataclass(frozen=True, slots=True)
class AudioIn:
    """The next bytes of the input. `text`: they came as base64, so as a first message they are no start."""

    data: bytes
    text: bool = False


@dataclass(frozen=True, slots=True)
class EndOfAudio:
    """The input is complete."""


@dataclass(frozen=True, slots=True)
class ObjectIn:
    """A JSON object, as both of what it may be: when it comes decides which. `api_key` is not looked at yet."""

    start: Request | BadMessage
    control: Control | BadMessage
    api_key: object


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A frame that is no message."""

    error: Failure


Parsed = ObjectIn | AudioIn | EndOfAudio | Unreadable

_KINDS = ("finalize", "keepalive")
AGENT = "agent"
"""What is understood to be the text of a program that talks with the speaker: newer packages may send it, and its form
is not known. It helps recognition, and means nothing here."""
_BLANKS = "\ufeff \t\r\n"


def parse(frame: str | bytes, control_bytes: int = wire.CONTROL_BYTES) -> Parsed:
    """Read one frame: a JSON object, other text is base64 of audio, nothing is the end."""
    if not frame:
        return EndOfAudio()
    if isinstance(frame, bytes):
        return AudioIn(frame)
    if not frame.lstrip(_BLANKS).startswith("{"):
        try:
            return AudioIn(wire.decode_base64(frame), text=True)
        except ValueError:
            return Unreadable(BadMessage("text is neither a JSON object nor audio in base64", Fault.AUDIO))
    try:
        fields = wire.read_object(frame, control_bytes)
    except (BadMessage, MessageTooLarge) as error:
        return Unreadable(error)
    return ObjectIn(_read_start(fields), _read_control(fields), fields.get("api_key"))


def _read_start(fields: dict[str, Any]) -> Request | BadMessage:
    try:
        return parse_start(fields)
    except BadMessage as error:
        return error


def _read_control(fields: dict[str, Any]) -> Control | BadMessage:
    kind = fields.get("type")
    if kind not in _KINDS and ("text" in fields or "end_of_segment" in fields or AGENT in str(kind)[:64]):
        return Control(type=AGENT)
    try:
        control = convert(fields, Control, "control message")
    except BadMessage as error:
        return error
    if control.type not in _KINDS:
        return BadMessage(f"unknown control message type '{quoted(control.type)}': use finalize or keepalive")
    return control
