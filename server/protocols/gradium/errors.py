"""Which code and text a failure gets on this wire. The WebSocket close code equals the error's code."""

from dragoman.models.errors import EngineFailed, EngineUnavailable, Overloaded, Superseded, UnknownVoice
from dragoman.server.failures import (
    BadMessage,
    Fault,
    InternalError,
    MessageTooLarge,
    NotReady,
    OutputNotRead,
    ShuttingDown,
    quoted,
)

PROTOCOL_ERROR = 1002
UNSUPPORTED = 1003
POLICY = 1008
TOO_LARGE = 1009
SERVER_FAULT = 1011
GOING_AWAY = 1001

_FAULTS = {
    Fault.SYNTAX: POLICY,
    Fault.SETUP: POLICY,
    Fault.AUDIO: POLICY,
    Fault.MODEL: UNSUPPORTED,
    Fault.ORDER: PROTOCOL_ERROR,
}
_OURS = (EngineFailed, EngineUnavailable, Overloaded, Superseded, InternalError, NotReady, OutputNotRead, ShuttingDown)


def error_of(error: Exception) -> tuple[int, str]:
    """Code and message for what ended a request.

    Clients retry on 1011, so only what may pass by itself gets it; everything that the client must change, and every
    limit, is 1008. An unknown voice is 1011 with the vendor's own words, because clients look for them.
    """
    if isinstance(error, BadMessage):
        return _FAULTS[error.kind], str(error)
    if isinstance(error, UnknownVoice):
        return SERVER_FAULT, f"Embeddings not found for {quoted(error.voice_id)}"
    if isinstance(error, MessageTooLarge):
        return TOO_LARGE, str(error)
    return (SERVER_FAULT if isinstance(error, _OURS) else POLICY), str(error)


def close_reason(message: str) -> str:
    """A close frame holds at most 123 bytes of UTF-8 (RFC 6455, 5.5)."""
    return message.encode()[:123].decode(errors="ignore")
