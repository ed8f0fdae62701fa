"""Which code, type and text a failure gets on this wire. The socket always closes with 1000 behind it."""

from dragoman.models.errors import EngineUnavailable
from dragoman.pipeline.audio.errors import UnknownAudio
from dragoman.server import wire
from dragoman.server.failures import (
    AuthenticationFailed,
    BadMessage,
    Fault,
    IdleTooLong,
    MessageTooLarge,
    OutputNotRead,
    TooManySessions,
)

INVALID_REQUEST = 400
UNAUTHENTICATED = 401
PERMISSION = 403
REQUEST_TIMEOUT = 408
TOO_LARGE = 413
LIMIT_EXCEEDED = 429
INTERNAL_ERROR = 500
SERVICE_UNAVAILABLE = 503

_INVALID = INVALID_REQUEST, "invalid_request"
_BUSY = SERVICE_UNAVAILABLE, "service_unavailable"
_BROKEN = INTERNAL_ERROR, "internal_error"
_ANSWERS = (
    (AuthenticationFailed, (UNAUTHENTICATED, "unauthenticated")),
    ((IdleTooLong, UnknownAudio), (REQUEST_TIMEOUT, "request_timeout")),
    (MessageTooLarge, (TOO_LARGE, "invalid_request")),
    (TooManySessions, (LIMIT_EXCEEDED, "limit_exceeded")),
    ((EngineUnavailable, OutputNotRead), _BUSY),
)


def error_of(error: Exception) -> tuple[int, str, str]:
    """Code, type and message for what ended a stream.

    What may pass by itself is 503, on which clients connect again; what the client must change is 400.
    """
    if isinstance(error, BadMessage) and error.kind is Fault.MODEL:
        return INVALID_REQUEST, "model_not_available", str(error)
    return *wire.answer(error, _ANSWERS, clients=_INVALID, ours=_BROKEN, later=_BUSY), str(error)


def session_expired(limit_s: float) -> tuple[int, str, str]:
    """The session of a temporary key has lasted as long as its maker allowed."""
    return PERMISSION, "temp_api_key_session_expired", f"the temporary API key allows sessions of {limit_s:g} s"
