"""Every message of the speech socket. The SDK checks each and raises where one is none of these three kinds, or where a
field has another type; so nothing else is ever sent, no answer to `ping` among it.
"""

import msgspec

from dragoman.server.commands import Send
from dragoman.server.wire import encode_base64


class Audio(msgspec.Struct, kw_only=True):
    """The next piece of speech in base64."""

    content_type: str
    audio: str
    request_id: str


class Final(msgspec.Struct, kw_only=True):
    """All is spoken that came before a flush."""

    event_type: str = "final"


class SpeechError(msgspec.Struct, kw_only=True):
    """What is wrong. `code` is what HTTP would say: clients do not try again on 4xx but for 408 and 429."""

    message: str
    code: int
    request_id: str


class _Envelope(msgspec.Struct):
    type: str
    data: Audio | Final | SpeechError


def audio(data: bytes, seconds: float, content_type: str, request_id: str) -> Send:
    """The message for a piece of audio."""
    message = Audio(content_type=content_type, audio=encode_base64(data), request_id=request_id)
    return Send(_json("audio", message), seconds)


def final() -> Send:
    """The message behind an utterance."""
    return Send(_json("event", Final()))


def error(text: str, code: int, request_id: str) -> Send:
    """The message that tells an error."""
    return Send(_json("error", SpeechError(message=text, code=code, request_id=request_id)), error=code)


def _json(kind: str, message: Audio | Final | SpeechError) -> str:
    return msgspec.json.encode(_Envelope(kind, message)).decode()
