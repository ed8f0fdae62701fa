"""Status, code and form of an error by REST.

The vendor's client repeats what is answered with 408, 409, 429 and everything from 500 on. So those are kept for what
may succeed the next time; what only the client or the operator can change is 400, 403, 413 or 422.
"""

import math
import uuid

from fastapi.responses import JSONResponse
from starlette.responses import Response

from dragoman.models.errors import EngineFailed, ModelError, Overloaded, RouteError, TextRefused
from dragoman.pipeline.audio.errors import AudioError, AudioTooLong, UnsupportedFormat
from dragoman.server import wire
from dragoman.server.failures import (
    AuthenticationFailed,
    Failure,
    MessageTooLarge,
    NotReady,
    SessionTooLong,
    ShuttingDown,
    TooManySessions,
)

INVALID = "invalid_request_error"
UNPROCESSABLE = "unprocessable_entity_error"
NOT_FOUND = "not_found_error"
_BAD_KEY = "invalid_api_key_error"
_BUSY = "rate_limit_exceeded_error"

_KINDS = (
    (AuthenticationFailed, (403, _BAD_KEY)),
    (MessageTooLarge, (413, INVALID)),
    ((AudioTooLong, UnsupportedFormat, RouteError, SessionTooLong), (400, INVALID)),
    ((AudioError, TextRefused), (422, UNPROCESSABLE)),
    (TooManySessions, (429, _BUSY)),
    ((NotReady, Overloaded, ShuttingDown), (503, _BUSY)),
    (EngineFailed, (500, "model_call_error")),
)
_CODES = {403: _BAD_KEY, 404: NOT_FOUND, 422: UNPROCESSABLE, 429: _BUSY}


class Unprocessable(Exception):
    """A field is missing, or holds nothing that can be worked on."""


OURS = (Failure, ModelError, AudioError, Unprocessable)
"""What is answered as it is; everything else is a fault of ours."""


def status_of(error: Exception) -> tuple[int, str]:
    """Status and code of what went wrong."""
    if isinstance(error, Unprocessable):
        return 422, UNPROCESSABLE
    return wire.answer(error, _KINDS, clients=(400, INVALID), ours=(500, "internal_server_error"))


def fault(status: int, code: str, message: str, request_id: str = "", retry_after_s: float | None = None) -> Response:
    """An error as it is sent."""
    error = {"message": message, "code": code, "request_id": request_id or uuid.uuid4().hex}
    headers = {"retry-after": str(math.ceil(retry_after_s))} if retry_after_s is not None else None
    return JSONResponse({"error": error}, status, headers)


def answer(error: Exception, request_id: str = "") -> Response:
    """What the client is told of a failure."""
    status, code = status_of(error)
    return fault(status, code, str(error), request_id, getattr(error, "retry_after_s", None))


def refusal(status: int, message: str) -> Response:
    """What a request is told that no route has seen."""
    return fault(status, _CODES.get(status, INVALID), message)
