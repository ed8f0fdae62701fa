"""Which code and text a failure gets on this wire, and with which code the socket closes where it does."""

from dragoman.models.errors import (
    EngineFailed,
    ModelError,
    NoRecognizer,
    NoTranslator,
    NoVoice,
    Overloaded,
    RouteError,
    VoiceMismatch,
)
from dragoman.server import wire
from dragoman.server.commands import Send
from dragoman.server.failures import (
    AuthenticationFailed,
    IdleTooLong,
    OutputNotRead,
    SessionTooLong,
    ShuttingDown,
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

_CODES = (
    (AuthenticationFailed, (UNAUTHORIZED, POLICY)),
    ((IdleTooLong, SessionTooLong), (SERVICE_TIMEOUT, POLICY)),
    (OutputNotRead, (BAD_REQUEST, POLICY)),
    (ShuttingDown, (SERVICE_UNAVAILABLE, GOING_AWAY)),
    (EngineFailed, (SERVER_ERROR, SERVER_FAULT)),
)
_INVALID = VALIDATION_ERROR, POLICY
_BUSY = SERVICE_UNAVAILABLE, SERVER_FAULT
_BROKEN = SERVER_ERROR, SERVER_FAULT


class Refused(Exception):
    """A command is answered with an error; the session goes on."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        super().__init__(text)


def error_of(error: Exception) -> tuple[str, str, int]:
    """Code and text, and the close code where the connection ends with it.

    What the client must change is VALIDATION_ERROR.
    """
    code, close = wire.answer(error, _CODES, clients=_INVALID, ours=_BROKEN, later=_BUSY)
    return code, str(error), close


def refusal_of(error: ModelError) -> Send:
    """The message about a text that is not said; the connection goes on."""
    if isinstance(error, Overloaded):
        text = f"too many texts wait to be said; try again in {error.retry_after_s:g} s"
        return error_message(RATE_LIMIT_EXCEEDED, text)
    if isinstance(error, RouteError):
        return error_message(VALIDATION_ERROR, f"language: {error}")
    return error_message(*error_of(error)[:2])


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


def error_message(code: str, text: str) -> Send:
    """The message that tells an error."""
    return Send(messages.error(code, text), error=code)
