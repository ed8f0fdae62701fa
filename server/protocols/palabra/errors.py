"""Which code and text a failure gets on this wire, and with which code the socket closes where it does."""

from dragoman.models.errors import (
    EngineFailed,
    EngineUnavailable,
    ModelError,
    NoRecognizer,
    NoTranslator,
    NoVoice,
    Overloaded,
    RouteError,
    Superseded,
    VoiceMismatch,
)
from dragoman.server.commands import Send
from dragoman.server.failures import (
    AuthenticationFailed,
    IdleTooLong,
    InternalError,
    NotReady,
    OutputNotRead,
    SessionTooLong,
    ShuttingDown,
    TooManySessions,
)
from dragoman.server.protocols.palabra import messages
from dragoman.server.protocols.palabra.job import Job

NOT_FOUND = "NOT_FOUND"
VALIDATION_ERROR = "VALIDATION_ERROR"
BAD_REQUEST = "BAD_REQUEST"
UNAUTHORIZED = "UNAUTHORIZED"
RATE_LIMIT_EXCEEDED = "RATE_LIMIT_EXCEEDED"
SERVICE_TIMEOUT = "SERVICE_TIMEOUT"
SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"
SERVER_ERROR = "SERVER_ERROR"

NORMAL = 1000
GOING_AWAY = 1001
POLICY = 1008
SERVER_FAULT = 1011

_CODES: tuple[tuple[tuple[type[Exception], ...], str, int], ...] = (
    ((AuthenticationFailed,), UNAUTHORIZED, POLICY),
    ((IdleTooLong, SessionTooLong), SERVICE_TIMEOUT, POLICY),
    ((OutputNotRead,), BAD_REQUEST, POLICY),
    ((ShuttingDown,), SERVICE_UNAVAILABLE, GOING_AWAY),
    ((TooManySessions, NotReady, Overloaded, Superseded), SERVICE_UNAVAILABLE, SERVER_FAULT),
    ((EngineFailed, EngineUnavailable, InternalError), SERVER_ERROR, SERVER_FAULT),
)


class Refused(Exception):
    """A command is answered with an error; the session goes on."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        super().__init__(text)


def error_of(error: Exception) -> tuple[str, str, int]:
    """Code and text, and the close code where the connection ends with it.

    What the client must change is VALIDATION_ERROR, and so is whatever is not in the table.
    """
    for kinds, code, close in _CODES:
        if isinstance(error, kinds):
            return code, str(error), close
    return VALIDATION_ERROR, str(error), POLICY


def placed(error: ModelError, job: Job) -> str:
    """What is missing for a task, with the path of the field that asks for it."""
    path = _path(error, job) if isinstance(error, RouteError) else None
    return f"{path}: {error}" if path else str(error)


def _path(error: RouteError, job: Job) -> str | None:
    if isinstance(error, NoRecognizer):
        detected = job.opening.source is None and job.opening.candidates
        return f"pipeline.transcription.{'detectable_languages' if detected else 'source_language'}"
    if isinstance(error, NoTranslator):
        return _target(job, error.pair.target, "target_language")
    if isinstance(error, NoVoice | VoiceMismatch):
        return _target(job, error.language, "speech_generation")
    return None


def _target(job: Job, language: str, field: str) -> str | None:
    places = (place for place, tongue in enumerate(job.tongues) if tongue.language == language)
    place = next(places, None)
    return None if place is None else f"pipeline.translations[{place}].{field}"


def close_reason(text: str) -> str:
    """A close frame holds at most 123 bytes of UTF-8 (RFC 6455, 5.5)."""
    return text.encode()[:123].decode(errors="ignore")


def error_message(code: str, text: str) -> Send:
    """The message that tells an error."""
    return Send(messages.error(code, text), error=code)
