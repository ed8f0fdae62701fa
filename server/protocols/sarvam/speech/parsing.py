"""From a frame of the speech socket to a message, without any state. What is wrong with it is part of the result."""

from dataclasses import dataclass
from typing import Any

import msgspec

from dragoman.server import wire
from dragoman.server.failures import BadMessage, Failure, Fault, MessageTooLarge, quoted
from dragoman.server.protocols.sarvam.speech.orders import SpeechWish

MAX_TEXT = 2_500
"""Characters of one message."""


@dataclass(frozen=True, slots=True)
class Configure:
    """How what follows is to be spoken."""

    wish: SpeechWish


@dataclass(frozen=True, slots=True)
class Text:
    """More to speak."""

    text: str


@dataclass(frozen=True, slots=True)
class Flush:
    """Speak all that came, and say when that is done."""


@dataclass(frozen=True, slots=True)
class Ping:
    """The client is still there. It gets no answer."""


Parsed = Configure | Text | Flush | Ping | Failure

_object: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict)


def parse(frame: str | bytes, control_bytes: int = wire.CONTROL_BYTES) -> Parsed:
    """Read one frame."""
    try:
        wire.check_size(frame, control_bytes)
        fields = wire.decode(frame, _object)
        return _message(fields.get("type"), fields.get("data"))
    except wire.NotJson as error:
        return BadMessage(f"message is not a JSON object: {error}")
    except (BadMessage, MessageTooLarge) as error:
        return error


def _message(kind: object, data: object) -> Parsed:
    match kind:
        case "config":
            try:
                return Configure(wire.convert(data, SpeechWish))
            except wire.WrongKind as error:
                raise BadMessage(f"config cannot be read: {error}", Fault.SETUP) from error
        case "text":
            text = data.get("text") if isinstance(data, dict) else None
            if not isinstance(text, str):
                raise BadMessage("text must have data.text, a string", Fault.ORDER)
            if len(text) > MAX_TEXT:
                raise BadMessage(f"text has {len(text)} characters: at most {MAX_TEXT} are allowed", Fault.ORDER)
            return Text(text)
        case "flush":
            return Flush()
        case "ping":
            return Ping()
        case str():
            raise BadMessage(f"type '{quoted(kind)}' is none of config, text, flush and ping", Fault.ORDER)
    raise BadMessage("type must be config, text, flush or ping", Fault.ORDER)
