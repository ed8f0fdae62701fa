"""From a WebSocket frame to a message, without any state. What is wrong with a frame is part of the result."""

import binascii
from dataclasses import dataclass
from typing import Any

import msgspec

from dragoman.server.failures import BadMessage, Fault

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
    """What to expect from now on."""

    prompt: str


@dataclass(frozen=True, slots=True)
class FlushIn:
    """End the utterance that is being spoken."""


Parsed = AudioIn | ConfigIn | FlushIn | BadMessage


def parse(frame: str | bytes) -> Parsed:
    """Read one frame. Messages with `audio` have no type."""
    if isinstance(frame, bytes):
        return AudioIn(frame, binary=True)
    try:
        fields = read_object(frame)
        if "audio" in fields:
            return _audio(fields["audio"])
        match fields.get("type"):
            case "config":
                return _config(fields)
            case "flush":
                return FlushIn()
    except BadMessage as error:
        return error
    return BadMessage("message is none of audio, config and flush", Fault.ORDER)


def read_object(frame: str) -> dict[str, Any]:
    """A JSON object. Raises BadMessage."""
    try:
        fields = msgspec.json.decode(frame)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadMessage(f"message is not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise BadMessage("message is not a JSON object")
    return fields


def decode_base64(value: object, name: str) -> bytes:
    """The bytes of a field. Raises BadMessage."""
    if not isinstance(value, str):
        raise BadMessage(f"{name} is missing: it must be a base64 string", Fault.AUDIO)
    try:
        return binascii.a2b_base64(value, strict_mode=True)
    except ValueError as error:
        raise BadMessage(f"{name} is not base64", Fault.AUDIO) from error


def _audio(audio: object) -> AudioIn:
    if not isinstance(audio, dict):
        raise BadMessage("audio must be an object with the field 'data'", Fault.AUDIO)
    return AudioIn(decode_base64(audio.get("data"), "audio.data"), _rate(audio.get("sample_rate")))


def _rate(value: object) -> int | None:
    """Old clients say the rate here; they write it as a number or as text."""
    text = str(value) if isinstance(value, int | str) else ""
    rate = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0
    return rate if MIN_RATE_HZ <= rate <= MAX_RATE_HZ else None


def _config(fields: dict[str, Any]) -> ConfigIn:
    prompt = fields.get("prompt")
    if prompt is not None and not isinstance(prompt, str):
        raise BadMessage("config.prompt must be a string", Fault.ORDER)
    return ConfigIn(prompt or "")
