"""From a WebSocket frame to a message, without any state. What is wrong with a frame is part of the result."""

from dataclasses import dataclass
from typing import Any

import msgspec

from dragoman.server import wire
from dragoman.server.failures import BadMessage, Failure, Fault, MessageTooLarge
from dragoman.server.protocols.sarvam.prompts import terms_of

MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 48_000


@dataclass(frozen=True, slots=True)
class AudioIn:
    """The next audio. `sample_rate_hz` is what the message says of it; None: nothing, or nothing that can be."""

    data: bytes
    sample_rate_hz: int | None = None
    binary: bool = False
    """It came in a binary frame, without base64."""


@dataclass(frozen=True, slots=True)
class ConfigIn:
    """Terms to expect from now on."""

    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FlushIn:
    """End the utterance that is being spoken."""


@dataclass(frozen=True, slots=True)
class EndIn:
    """Nothing follows. The last audio may come with it; clients that send none write it empty."""

    audio: AudioIn | Failure | None


Parsed = AudioIn | ConfigIn | FlushIn | EndIn | Failure


class _Audio(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw()


class _Carrier(msgspec.Struct):
    audio: _Audio

    def sound(self) -> msgspec.Raw:
        return self.audio.data


_carrier = msgspec.json.Decoder(_Carrier)


def parse(frame: str | bytes, control_bytes: int = wire.CONTROL_BYTES) -> Parsed:
    """Read one frame. Messages with `audio` have no type, unless they are the last."""
    if isinstance(frame, bytes):
        return AudioIn(frame, binary=True)
    try:
        fields = wire.read_object(frame, control_bytes, _carrier)
        if fields.get("type") == "end_of_stream":
            return _end(fields.get("audio"))
        if "audio" in fields:
            return _audio(fields["audio"])
        match fields.get("type"):
            case "config":
                return _config(fields)
            case "flush":
                return FlushIn()
    except (BadMessage, MessageTooLarge) as error:
        return error
    return BadMessage("message is none of audio, config, flush and end_of_stream", Fault.ORDER)


def decode_base64(value: object, name: str) -> bytes:
    """The bytes of a field. Raises BadMessage."""
    if not isinstance(value, str):
        raise BadMessage(f"{name} is missing: it must be a base64 string", Fault.AUDIO)
    try:
        return wire.decode_base64(value)
    except ValueError as error:
        raise BadMessage(f"{name} is not base64", Fault.AUDIO) from error


def _audio(audio: object) -> AudioIn:
    if not isinstance(audio, dict):
        raise BadMessage("audio must be an object with the field 'data'", Fault.AUDIO)
    return AudioIn(decode_base64(audio.get("data"), "audio.data"), _rate(audio.get("sample_rate")))


def _end(audio: object) -> EndIn:
    if audio is None or (isinstance(audio, dict) and not audio.get("data")):
        return EndIn(None)
    try:
        return EndIn(_audio(audio))
    except BadMessage as error:
        return EndIn(error)


def _rate(value: object) -> int | None:
    """Old clients say the rate here; they write it as a number or as text."""
    text = str(value) if isinstance(value, int | str) else ""
    rate = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0
    return rate if MIN_RATE_HZ <= rate <= MAX_RATE_HZ else None


def _config(fields: dict[str, Any]) -> ConfigIn:
    prompt = fields.get("prompt")
    if prompt is not None and not isinstance(prompt, str):
        raise BadMessage("config.prompt must be a string", Fault.ORDER)
    return ConfigIn(terms_of(prompt or ""))
