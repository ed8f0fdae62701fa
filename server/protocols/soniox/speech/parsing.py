"""From a frame to a message of the speech socket; touches no state."""

from dataclasses import dataclass

from dragoman.server import wire
from dragoman.server.failures import BadMessage, Failure, Fault, MessageTooLarge
from dragoman.server.protocols.soniox.messages import convert
from dragoman.server.protocols.soniox.speech.messages import Cancel, Config, Text


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """The client is still there."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A message that is wrong, for the stream that it names."""

    stream_id: str
    error: BadMessage


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A frame that concerns no stream because it is no message."""

    error: Failure


Parsed = Config | Text | Cancel | KeepAlive | Wrong | Unreadable


def parse(frame: str | bytes, control_bytes: int = wire.CONTROL_BYTES) -> Parsed:
    """Read one frame. What kind of message it is, its fields say."""
    try:
        fields = wire.read_object(frame, control_bytes)
    except (BadMessage, MessageTooLarge) as error:
        return Unreadable(error)
    if fields.get("keep_alive") is not None:
        return KeepAlive()
    stream_id = fields.get("stream_id")
    if not isinstance(stream_id, str) or not 1 <= len(stream_id) <= wire.MAX_ID:
        text = f"stream_id must be a text of 1 to {wire.MAX_ID} characters"
        return Unreadable(BadMessage(text, Fault.SETUP))
    try:
        if fields.get("cancel") is not None:
            return convert(fields, Cancel, "cancel message")
        if fields.get("text") is not None or fields.get("text_end") is not None:
            return convert(fields, Text, "text message")
        return convert(fields, Config, "stream configuration")
    except BadMessage as error:
        return Wrong(stream_id, error)
