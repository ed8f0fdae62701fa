"""From a frame of the client to a command: `{"message_type": …, "data": {…}}` as JSON, in text or in binary frames.

Everything that takes long for a large message is done here, and no state is touched.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from dragoman.server import wire
from dragoman.server.failures import BadMessage, MessageTooLarge, quoted
from dragoman.server.protocols.palabra.fields import BadTask, Table
from dragoman.server.protocols.palabra.requests import Ending, Interruption, RequestT, Text, read
from dragoman.server.protocols.palabra.task import parse_task

AUDIO = "input_audio_data"


@dataclass(frozen=True, slots=True)
class Command:
    """A command. `fields` is what stands in its data, or what is wrong with that; None where nothing is looked at."""

    kind: str
    fields: Table | BadTask | None = None

    def read(self, kind: type[RequestT]) -> RequestT:
        """The fields of a command that has some. Raises BadTask."""
        if isinstance(self.fields, BadTask):
            raise self.fields
        assert isinstance(self.fields, kind)  # noqa: S101
        return self.fields


@dataclass(frozen=True, slots=True)
class AudioIn:
    """The next chunk of the client's audio."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What is no command; the text says why."""

    text: str


Parsed = Command | AudioIn | Unreadable

_READERS: Mapping[str, Callable[[dict[str, Any]], Table]] = {
    "set_task": parse_task,
    "tts_task": partial(read, Text),
    "interrupt_task": partial(read, Interruption),
    "flush_task": partial(read, Interruption),
    "end_task": partial(read, Ending),
}


class _Data(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw()


_data = msgspec.json.Decoder(_Data)
_text = msgspec.json.Decoder(str)


class _Carrier(msgspec.Struct, tag_field="message_type", tag=AUDIO):
    data: msgspec.Raw = msgspec.Raw()

    def sound(self) -> msgspec.Raw:
        inner = bytes(self.data)
        if not inner:
            return self.data
        return wire.scan(wire.scan(inner, _text) if inner[:1] == b'"' else inner, _data).data


_carrier = msgspec.json.Decoder(_Carrier)


def parse(frame: str | bytes, control_bytes: int = wire.CONTROL_BYTES) -> Parsed:
    """Read one frame."""
    try:
        fields = wire.read_object(frame, control_bytes, _carrier)
    except (BadMessage, MessageTooLarge) as error:
        return Unreadable(str(error))
    kind = fields.get("message_type")
    if not isinstance(kind, str):
        return Unreadable("message_type: must be a string")
    data = fields.get("data")
    if isinstance(data, str):  # the vendor itself writes it so at times
        try:
            data = wire.decode(data)
        except wire.NotJson:
            data = ""
    if data is None:
        data = {}
    if not isinstance(data, dict):
        return Unreadable(f"data: must be an object (in '{quoted(kind)}')")
    return _audio(data) if kind == AUDIO else _command(kind, data)


def _command(kind: str, data: dict[str, Any]) -> Command:
    reader = _READERS.get(kind)
    try:
        return Command(kind, reader(data) if reader is not None else None)
    except BadTask as error:
        return Command(kind, error)


def _audio(data: dict[str, Any]) -> AudioIn | Unreadable:
    text = data.get("data")
    if not isinstance(text, str):
        return Unreadable("data.data: must be base64 text")
    try:
        return AudioIn(wire.decode_base64(text))
    except ValueError:
        return Unreadable("data.data: is not base64")
