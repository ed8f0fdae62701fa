"""The REST endpoints that matter for a stream: temporary keys, models, limits. The rest answers 501 and says so."""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field, ValidationError

from dragoman.models.registry import Engines
from dragoman.server import wire
from dragoman.server.auth import Credentials
from dragoman.server.failures import AuthenticationFailed, NotReady, quoted
from dragoman.server.protocols.soniox.credentials import bearer
from dragoman.server.protocols.soniox.endpoints import LEVELS
from dragoman.server.protocols.soniox.languages import LANGUAGES
from dragoman.server.protocols.soniox.models import MODELS, Model
from dragoman.server.protocols.soniox.start import MAX_REFERENCE
from dragoman.server.protocols.soniox.temporary_keys import TemporaryKeys
from dragoman.server.services import Services

CONTEXT_VERSION = 2
"""The context is an object with terms; version 1 was plain text."""

SPEECH = "tts"
UNSERVED = (SPEECH, "files", "transcriptions", "voices", "shared-voices", "tts-models", "usage", "usage-logs",
            "concurrent-streams-history")  # fmt: skip


NOT_SERVED = 400
"""Clients repeat what is answered with 5xx, and the package for JavaScript takes 404 for something that is gone."""


class _KeyOrder(BaseModel):
    """Body of `POST /auth/temporary-api-key`."""

    usage_type: Literal["transcribe_websocket", "tts_rt"]
    expires_in_seconds: Annotated[int, Field(ge=1, le=3_600)]
    client_reference_id: Annotated[str, Field(max_length=MAX_REFERENCE)] | None = None
    single_use: bool | None = None
    max_session_duration_seconds: Annotated[int, Field(ge=1, le=18_000)] | None = None


class _ApiError(Exception):
    """An answer in the vendor's form."""

    def __init__(self, status: int, kind: str, message: str, faults: list[dict[str, str]] | None = None) -> None:
        self.status = status
        self.kind = kind
        self.faults = faults or []
        super().__init__(message)

    def response(self) -> JSONResponse:
        body = {
            "status_code": self.status,
            "error_type": self.kind,
            "message": str(self),
            "validation_errors": self.faults,
            "request_id": uuid.uuid4().hex,
        }
        return JSONResponse(body, self.status)


class _Route(APIRoute):
    """Answers with the vendor's errors."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        handle = super().get_route_handler()

        async def handle_errors(request: Request) -> Response:
            try:
                return await handle(request)
            except _ApiError as error:
                return error.response()
            except AuthenticationFailed as error:
                return _ApiError(401, "unauthenticated", str(error)).response()
            except NotReady as error:
                return _ApiError(503, "service_unavailable", str(error)).response()

        return handle_errors


def rest_routes(services: Services, temporary: TemporaryKeys) -> APIRouter:
    """Temporary keys, models and limits over `services`; every endpoint asks for the API key."""
    router = APIRouter(route_class=_Route, tags=["soniox"])

    def authorize(request: Request) -> None:
        services.gatekeeper.check(Credentials(key=bearer(request.headers)))

    @router.post("/auth/temporary-api-key", status_code=201)
    async def temporary_api_key(request: Request) -> dict[str, str]:
        """A key for a browser: for one use or for as many as there are until it expires."""
        authorize(request)
        order = _read_order(await request.body())
        key = temporary.issue(
            order.usage_type,
            order.expires_in_seconds,
            single_use=order.single_use is True,
            session_s=order.max_session_duration_seconds,
        )
        expires = datetime.now(UTC) + timedelta(seconds=order.expires_in_seconds)
        return {"api_key": key, "expires_at": expires.isoformat(timespec="seconds").replace("+00:00", "Z")}

    @router.get("/models")
    async def models(request: Request) -> dict[str, Any]:
        """Every model id, with what the installed engines hear and translate."""
        authorize(request)
        served = _served(services.engines)
        return {"models": [_model(model, served) for model in MODELS.values()]}

    @router.get("/concurrency-limits")
    async def concurrency_limits(request: Request) -> dict[str, Any]:
        """Sessions of all protocols that run now, and how many may."""
        authorize(request)
        admission = services.admission
        scope = {
            "current": {"transcribe_concurrent": admission.running, "tts_concurrent": 0},
            "limits": {"transcribe_concurrent": admission.limit, "tts_concurrent": 0},
        }
        return {"project": scope, "organization": scope}

    _refuse(router, services, UNSERVED)
    return router


def speech_routes(services: Services) -> APIRouter:
    """Where clients that speak by REST look, at the root: that it is not served."""
    router = APIRouter(route_class=_Route, tags=["soniox"])
    _refuse(router, services, (SPEECH,))
    return router


def _refuse(router: APIRouter, services: Services, names: Sequence[str]) -> None:
    """Endpoints, and all below them, that say that they are not served."""

    async def not_served(request: Request) -> Response:
        services.gatekeeper.check(Credentials(key=bearer(request.headers)))
        text = f"{request.method} {quoted(request.url.path)} is not served by this server"
        raise _ApiError(NOT_SERVED, "not_implemented", text)

    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    for name in names:
        for path in (f"/{name}", f"/{name}/{{rest:path}}"):
            router.add_api_route(path, not_served, methods=methods, include_in_schema=False, response_model=None)


def _read_order(body: bytes) -> _KeyOrder:
    try:
        return _KeyOrder.model_validate(wire.decode(body or b"{}"), strict=True)
    except wire.NotJson as error:
        raise _ApiError(400, "invalid_request", f"body is not JSON: {error}") from error
    except ValidationError as error:
        faults = [
            {
                "error_type": fault["type"],
                "location": ".".join(["body", *map(str, fault["loc"])]),
                "message": fault["msg"],
            }
            for fault in error.errors()
        ]
        said = "; ".join(f"{fault['location']}: {fault['message']}" for fault in faults)
        raise _ApiError(400, "invalid_request", said, faults) from error


def _served(engines: Engines) -> dict[str, Any]:
    """What is heard and translated here, in the vendor's form."""
    heard = sorted(engines.source_languages & set(LANGUAGES))
    pairs = {tuple(pair.split("→")) for pair in engines.describe()["translate"]}
    targets: dict[str, list[str]] = {}
    for source, target in sorted(pairs):
        if source in LANGUAGES and target in LANGUAGES:
            targets.setdefault(target, []).append(source)
    both = [f"{one}:{two}" for one, two in combinations(heard, 2) if {(one, two), (two, one)} <= pairs]
    return {
        "languages": [{"code": code, "name": LANGUAGES[code]} for code in heard],
        "translation_targets": [
            {"target_language": target, "source_languages": sources, "exclude_source_languages": []}
            for target, sources in sorted(targets.items())
        ],
        "two_way_translation_pairs": both,
        # Said by the vendor where every language goes to every other; here the lists say what is installed.
        "one_way_translation": None,
        "two_way_translation": None,
    }


def _model(model: Model, served: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": model.model_id,
        "aliased_model_id": model.alias_of,
        "name": model.name,
        "context_version": CONTEXT_VERSION,
        "transcription_mode": "real_time",
        "supports_language_hints_strict": True,
        "supports_max_endpoint_delay": True,
        "supports_endpoint_sensitivity": model.tunes_endpoints,
        "supports_endpoint_latency_adjustment": model.tunes_endpoints,
        "endpoint_latency_adjustment_max_level": LEVELS[1] if model.tunes_endpoints else 0,
        **served,
    }


_REFUSED = {403: "permission_denied", 413: "invalid_request", 429: "limit_exceeded"}


def refusal(status: int, message: str) -> Response:
    """What a request is told that no route has seen."""
    return _ApiError(status, _REFUSED[status], message).response()


def unserved_refusal(status: int, message: str) -> Response:
    """The same for what is not served: a file that is too large is none that would be taken."""
    if status == 413:
        return _ApiError(NOT_SERVED, "not_implemented", "this path is not served by this server").response()
    return refusal(status, message)
