"""Which code and which close a failure gets on this wire. The vendor documents few codes; these are ours where it does
not. Close codes are those that its realtime socket documents."""

from dataclasses import dataclass

from dragoman.models.errors import EngineUnavailable, ModelError, Overloaded, RouteError
from dragoman.pipeline.audio.errors import AudioError
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
_KINDS: tuple[tuple[type[Exception], str, int], ...] = (
    (AuthenticationFailed, "invalid_api_key", UNSUPPORTED),
    (AudioError, "invalid_audio", UNSUPPORTED),
    (RouteError, "unsupported_language", REJECTED),
    (TooManySessions, "rate_limit_exceeded", UNSUPPORTED),
    (SessionTooLong, "session_too_long", POLICY),
    (IdleTooLong, "idle_timeout", POLICY),
    (OutputNotRead, "output_not_read", POLICY),
    (MessageTooLarge, "message_too_large", TOO_LARGE),
    (NotReady, "service_unavailable", SERVER_FAULT),
    (Overloaded, "service_unavailable", SERVER_FAULT),
    (EngineUnavailable, "service_unavailable", SERVER_FAULT),
    (ShuttingDown, "shutting_down", GOING_AWAY),
    (ModelError, "internal_error", SERVER_FAULT),
)


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
    """Code, text and close of what went wrong. Whatever is not known is a fault of ours."""
    if isinstance(error, BadMessage):
        return Told(_FAULTS[error.kind][0], str(error), _FAULTS[error.kind][1])
    for kind, code, close in _KINDS:
        if isinstance(error, kind):
            return Told(code, str(error), close)
    return Told("internal_error", str(error), SERVER_FAULT)


def close_reason(message: str) -> str:
    """A close frame holds at most 123 bytes of UTF-8 (RFC 6455, 5.5)."""
    return message.encode()[:123].decode(errors="ignore")
