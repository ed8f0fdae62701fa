"""From a frame to a message: everything that takes long for a large one, and touches no state."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from dragoman.server import wire
from dragoman.server.failures import BadMessage, Failure, Fault, MessageTooLarge
from dragoman.server.protocols.gradium import messages
from dragoman.server.protocols.gradium.setup import Asked, parse_setup

AskedT = TypeVar("AskedT", bound=Asked)
ReadSetup = Callable[[dict[str, Any]], AskedT]
"""What a socket's setup asks for. Raises BadMessage."""


@dataclass(frozen=True, slots=True)
class SetupIn(Generic[AskedT]):
    """A `setup` message: what it asks for, or what is wrong with it."""

    request: AskedT | BadMessage
    client_req_id: str | None


@dataclass(frozen=True, slots=True)
class AudioIn:
    """An `audio` message with its bytes decoded."""

    data: bytes
    client_req_id: str | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A frame that is no message, which is fatal to the connection, or a message with a fault.

    `nobodys`: it names a request that cannot exist.
    """

    error: Failure
    client_req_id: str | None = None
    fatal: bool = False
    nobodys: bool = False


Parsed = SetupIn[Any] | AudioIn | messages.TextIn | messages.EndOfStreamIn | messages.FlushIn | Unreadable | None


class _Carrier(msgspec.Struct, tag_field="type", tag="audio"):
    audio: msgspec.Raw = msgspec.Raw()

    def sound(self) -> msgspec.Raw:
        return self.audio


_carrier = msgspec.json.Decoder(_Carrier)
HEARS = ("setup", "audio", "flush", "end_of_stream")
READS = ("setup", "text", "flush", "end_of_stream")
"""What the sockets take whose input is audio, or text."""


def parse(
    frame: str | bytes,
    control_bytes: int = wire.CONTROL_BYTES,
    read_setup: ReadSetup[Any] = parse_setup,
    kinds: tuple[str, ...] = HEARS,
) -> Parsed:
    """Read one frame; a message of an unknown type is None."""
    try:
        fields = _fields(frame, control_bytes)
    except (BadMessage, MessageTooLarge) as error:
        return Unreadable(error, fatal=True)
    if fields["type"] not in kinds:
        return None
    named = fields.get("client_req_id")
    named = named if isinstance(named, str) else None
    if named is not None and len(named) > wire.MAX_ID:
        fault = BadMessage(f"client_req_id is longer than {wire.MAX_ID} characters", Fault.SETUP)
        return Unreadable(fault, nobodys=True)
    try:
        match fields["type"]:
            case "setup":
                return SetupIn(_asked(fields, read_setup), named)
            case "audio":
                message = wire.convert(fields, messages.AudioIn)
                return AudioIn(wire.decode_base64(message.audio), message.client_req_id)
            case "text":
                return wire.convert(fields, messages.TextIn)
            case "end_of_stream":
                return wire.convert(fields, messages.EndOfStreamIn)
            case _:
                return wire.convert(fields, messages.FlushIn)
    except wire.WrongKind as error:
        return Unreadable(BadMessage(f"invalid {fields['type']} message: {error}"), named)
    except ValueError:
        return Unreadable(BadMessage("audio is not base64", Fault.AUDIO), named)


def _fields(frame: str | bytes, control_bytes: int) -> dict[str, Any]:
    if isinstance(frame, bytes):
        raise BadMessage("messages must be JSON objects in text frames, not binary frames")
    fields = wire.read_object(frame, control_bytes, _carrier)
    if not isinstance(fields.get("type"), str):
        raise BadMessage("message has no string field 'type'")
    return fields


def _asked(fields: dict[str, Any], read_setup: ReadSetup[AskedT]) -> AskedT | BadMessage:
    try:
        return read_setup(fields)
    except BadMessage as error:
        return error
