"""What all REST endpoints of this vendor share: the form of errors, who asks, bodies, pages of a list."""

import base64
import binascii
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from dragoman.models.errors import ModelError
from dragoman.server import wire
from dragoman.server.failures import Failure
from dragoman.server.protocols.soniox.credentials import Door, bearer
from dragoman.server.protocols.soniox.errors import error_of
from dragoman.server.protocols.soniox.speech.voices import EngineVoices
from dragoman.server.protocols.soniox.temporary_keys import TemporaryKeys
from dragoman.server.protocols.soniox.usage import Ledger
from dragoman.server.services import Services

INVALID = "invalid_request"
MAX_PAGE = 1_000
"""Entries of one page of a list."""

BodyT = TypeVar("BodyT", bound=BaseModel)


class ApiError(Exception):
    """An answer in the vendor's form."""

    def __init__(self, status: int, kind: str, message: str, faults: list[dict[str, str]] | None = None) -> None:
        self.status = status
        self.kind = kind
        self.faults = faults or []
        super().__init__(message)

    def response(self) -> JSONResponse:
        """The answer."""
        body = {
            "status_code": self.status,
            "error_type": self.kind,
            "message": str(self),
            "validation_errors": self.faults,
            "request_id": uuid.uuid4().hex,
        }
        return JSONResponse(body, self.status)


class ApiRoute(APIRoute):
    """Answers with the vendor's errors."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        handle = super().get_route_handler()

        async def handle_errors(request: Request) -> Response:
            try:
                return await handle(request)
            except ClientDisconnect:
                return Response(status_code=499)  # nobody reads it
            except ApiError as error:
                return error.response()
            except (Failure, ModelError) as error:
                return ApiError(*error_of(error)).response()

        return handle_errors


@dataclass(frozen=True, slots=True)
class Desk:
    """What the endpoints and sockets of one server share."""

    services: Services
    temporary: TemporaryKeys
    ledger: Ledger
    door: Door
    voices: EngineVoices

    @classmethod
    def of(cls, services: Services) -> "Desk":
        """A desk without entries."""
        temporary = TemporaryKeys(services.state)
        return cls(
            services,
            temporary,
            Ledger(),
            Door(services.gatekeeper, temporary),
            EngineVoices(lambda: services.engines),
        )

    def owner(self, request: Request) -> str:
        """Whose key a request has. Raises AuthenticationFailed."""
        return self.door.owner(bearer(request.headers))


_REFUSED = {403: "permission_denied", 413: INVALID, 429: "limit_exceeded"}


def refusal(status: int, message: str) -> Response:
    """What a request is told that no route has seen."""
    return ApiError(status, _REFUSED[status], message).response()


def read_body(kind: type[BodyT], body: bytes) -> BodyT:
    """A JSON body. Raises ApiError naming the fields that are wrong."""
    try:
        return kind.model_validate(wire.decode(body or b"{}"), strict=True)
    except wire.NotJson as error:
        raise ApiError(400, INVALID, f"body is not JSON: {error}") from error
    except ValidationError as error:
        raise _invalid(error, "body") from error


def read_query(kind: type[BodyT], request: Request) -> BodyT:
    """The parameters of a query, each of them text. Raises ApiError naming those that are wrong."""
    query = request.query_params
    lists = {name: query.getlist(name) for name, field in kind.model_fields.items() if "list" in str(field.annotation)}
    try:
        return kind.model_validate({**query, **{name: values for name, values in lists.items() if values}})
    except ValidationError as error:
        raise _invalid(error, "query") from error


def write_cursor(place: int) -> str:
    """A place in a list, in the form in which a client gives it back."""
    return base64.urlsafe_b64encode(f"v1:{place}".encode()).decode()


def read_cursor(cursor: str | None) -> int | None:
    """The place that a cursor means. Raises ApiError where it is none of ours."""
    if cursor is None:
        return None
    try:
        version, _, place = (
            base64.b64decode(cursor.encode("ascii"), b"-_", validate=True).decode("ascii").partition(":")
        )
        if version == "v1" and place.isdigit() and len(place) < 19:
            return int(place)
    except (ValueError, binascii.Error):
        pass
    raise ApiError(400, "invalid_cursor", "cursor is none that this list has given")


def written(time: datetime) -> str:
    """A time as the vendor writes it."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _invalid(error: ValidationError, where: str) -> ApiError:
    faults = [
        {
            "error_type": fault["type"],
            "location": ".".join([where, *map(str, fault["loc"])])[:200],
            "message": fault["msg"],
        }
        for fault in error.errors(include_url=False, include_input=False, include_context=False)
    ][:20]
    said = "; ".join(f"{fault['location']}: {fault['message']}" for fault in faults)
    return ApiError(400, INVALID, said, faults)
