"""Which code, type and text a failure gets on this wire. The socket always closes with 1000 behind it."""

from dragoman.models.errors import EngineFailed, EngineUnavailable, OutOfMemory, Overloaded, Superseded
from dragoman.pipeline.audio.errors import UnknownAudio
from dragoman.server.failures import (
    AuthenticationFailed,
    BadMessage,
    Fault,
    IdleTooLong,
    InternalError,
    MessageTooLarge,
    NotReady,
    OutputNotRead,
    ShuttingDown,
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

_UNAVAILABLE = (EngineUnavailable, OutOfMemory, Overloaded, Superseded, NotReady, OutputNotRead, ShuttingDown)


def error_of(error: Exception) -> tuple[int, str, str]:
    """Code, type and message for what ended a stream.

    What may pass by itself is 503, on which clients connect again; what the client must change is 400.
    """
    text = str(error)
    if isinstance(error, BadMessage) and error.kind is Fault.MODEL:
        return INVALID_REQUEST, "model_not_available", text
    if isinstance(error, AuthenticationFailed):
        return UNAUTHENTICATED, "unauthenticated", text
    if isinstance(error, IdleTooLong | UnknownAudio):
        return REQUEST_TIMEOUT, "request_timeout", text
    if isinstance(error, MessageTooLarge):
        return TOO_LARGE, "invalid_request", text
    if isinstance(error, TooManySessions):
        return LIMIT_EXCEEDED, "limit_exceeded", text
    if isinstance(error, _UNAVAILABLE):
        return SERVICE_UNAVAILABLE, "service_unavailable", text
    if isinstance(error, EngineFailed | InternalError):
        return INTERNAL_ERROR, "internal_error", text
    return INVALID_REQUEST, "invalid_request", text


def session_expired(limit_s: float) -> tuple[int, str, str]:
    """The session of a temporary key has lasted as long as its maker allowed."""
    return PERMISSION, "temp_api_key_session_expired", f"the temporary API key allows sessions of {limit_s:g} s"
