"""Which code and which close a failure gets on this wire. The vendor documents few codes; these are ours where it does
not. Close codes are those that its realtime socket documents."""

from dataclasses import dataclass

from dragoman.models.errors import EngineUnavailable, Overloaded, RouteError
from dragoman.pipeline.audio.errors import AudioError
from dragoman.server import wire
from dragoman.server.failures import (
    AuthenticationFailed,
    BadMessage,
    Fault,
    IdleTooLong,
    MessageTooLarge,
    NotReady,
    OutputNotRead,
    SessionTooLong,
    ShuttingDown,
    TooManySessions,
)

GOING_AWAY = 1001
UNSUPPORTED = 1003
POLICY = 1008
TOO_LARGE = 1009
SERVER_FAULT = 1011
REJECTED = 4000


@dataclass(frozen=True, slots=True)
class Told:
    """How a client is told. `close` None: the connection goes on."""

    code: str
    message: str
    close: int | None


_FAULTS = {
    Fault.SYNTAX: ("invalid_message", None),
    Fault.ORDER: ("invalid_message", None),
    Fault.AUDIO: ("invalid_audio", None),
    Fault.SETUP: ("invalid_config", REJECTED),
    Fault.MODEL: ("invalid_config", REJECTED),
}
_KINDS = (
    (AuthenticationFailed, ("invalid_api_key", UNSUPPORTED)),
    (AudioError, ("invalid_audio", UNSUPPORTED)),
    (RouteError, ("unsupported_language", REJECTED)),
    (TooManySessions, ("rate_limit_exceeded", UNSUPPORTED)),
    (SessionTooLong, ("session_too_long", POLICY)),
    (IdleTooLong, ("idle_timeout", POLICY)),
    (OutputNotRead, ("output_not_read", POLICY)),
    (MessageTooLarge, ("message_too_large", TOO_LARGE)),
    ((NotReady, Overloaded, EngineUnavailable), ("service_unavailable", SERVER_FAULT)),
    (ShuttingDown, ("shutting_down", GOING_AWAY)),
)
_INVALID = "invalid_message", POLICY
_BROKEN = "internal_error", SERVER_FAULT


STATUS = {
    "invalid_config": 400,
    "invalid_message": 400,
    "invalid_audio": 400,
    "unsupported_language": 400,
    "invalid_api_key": 401,
    "idle_timeout": 408,
    "session_too_long": 408,
    "output_not_read": 408,
    "message_too_large": 413,
    "rate_limit_exceeded": 429,
    "internal_error": 500,
    "service_unavailable": 503,
    "shutting_down": 503,
}
"""What HTTP would have said; the realtime socket tells it too."""


def told(error: Exception) -> Told:
    """Code, text and close of what went wrong. A message that is not read leaves the connection as it was."""
    if isinstance(error, BadMessage):
        return Told(_FAULTS[error.kind][0], str(error), _FAULTS[error.kind][1])
    code, close = wire.answer(error, _KINDS, clients=_INVALID, ours=_BROKEN)
    unread = isinstance(error, MessageTooLarge) and error.without_audio
    return Told(code, str(error), None if unread else close)
