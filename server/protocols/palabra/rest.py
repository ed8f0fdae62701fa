"""The REST endpoints that the vendor's clients touch: sessions of the older ones, voices, glossaries.

What is not served answers 501 and says so, in the form that the client shows.
"""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from dragoman.models.base import Voice
from dragoman.models.errors import UnknownVoice
from dragoman.server import wire
from dragoman.server.auth import caller
from dragoman.server.failures import AuthenticationFailed, NotReady, StateAway, quoted
from dragoman.server.protocols.palabra.credentials import check_bearer, check_secret
from dragoman.server.protocols.palabra.errors import BAD_REQUEST, RATE_LIMIT_EXCEEDED, SERVICE_UNAVAILABLE, UNAUTHORIZED
from dragoman.server.protocols.palabra.sessions import RestSession, Sessions
from dragoman.server.proxies import public_url
from dragoman.server.services import Services

STREAM = "/streaming-api/v1/speech-to-speech/stream"
NO_WEBRTC = "webrtc-is-not-served://use-ws_url"
"""Clients of the older flow refuse a session without some URL here."""

SESSION_NOT_FOUND = "SESSION_NOT_FOUND"
VOICE_NOT_FOUND = "VOICE_NOT_FOUND"
NOT_SERVED = "NOT_SERVED"

UNSERVED = {
    "POST": [
        "voice/clone",
        "voice/m/{voice_id}",
        "glossary",
        "glossary/{glossary_id}/upload",
        "glossary/{glossary_id}",
    ],
    "GET": ["glossary/{glossary_id}/upload", "glossary/{glossary_id}"],
    "DELETE": ["voice/m/{voice_id}", "glossary/{glossary_id}"],
}


def session_routes(services: Services, sessions: Sessions) -> APIRouter:
    """Sessions of SDK 0.x and 1.x: an id, a token and where to dial."""
    router = APIRouter(prefix="/session-storage", tags=["palabra"])

    def refusal(request: Request) -> JSONResponse | None:
        try:
            check_secret(request.headers, services.gatekeeper)
        except AuthenticationFailed as error:
            return _fault(401, UNAUTHORIZED, "Unauthorized", str(error))
        return None

    @router.post("/session", response_model=None)
    async def create(request: Request) -> Response:
        """A session. What the body asks for beside it (subscribers, rooms) belongs to WebRTC."""
        if (refused := refusal(request)) is not None:
            return refused
        try:
            fields: Any = wire.decode(await request.body() or b"{}")
        except wire.NotJson as error:
            return _fault(400, BAD_REQUEST, "Bad request", f"the body is not JSON: {error}")
        data = fields.get("data") if isinstance(fields, dict) else None
        intent = data.get("intent") if isinstance(data, dict) else None
        if intent is not None and not (isinstance(intent, str) and len(intent) <= wire.MAX_ID):
            told = f"data.intent: must be a string of at most {wire.MAX_ID} characters"
            return _fault(400, BAD_REQUEST, "Bad request", told)
        try:
            session = await sessions.create(caller.get())
        except StateAway as error:
            return _not_ready(error)
        described = _session(session, _base(request, services))
        return JSONResponse({"ok": True, "data": {**described, "intent": intent or "api"}}, 201)

    @router.get("/sessions", response_model=None)
    async def every(request: Request) -> Response:
        """The sessions that there are."""
        if (refused := refusal(request)) is not None:
            return refused
        base = _base(request, services)
        try:
            found = await sessions.all()
        except StateAway as error:
            return _not_ready(error)
        return JSONResponse({"ok": True, "data": [_session(session, base) for session in found]})

    @router.delete("/sessions/{session_id}", response_model=None)
    async def delete(session_id: str, request: Request) -> Response:
        """Its token opens nothing any more."""
        if (refused := refusal(request)) is not None:
            return refused
        try:
            if not await sessions.delete(session_id):
                return _fault(404, SESSION_NOT_FOUND, "Not found", "there is no such session")
        except StateAway as error:
            return _not_ready(error)
        return Response(status_code=204)

    return router


def management_routes(services: Services) -> APIRouter:
    """Voices that are there, and the honest answer about those, and glossaries, that cannot be made."""
    router = APIRouter(prefix="/saas", tags=["palabra"])

    def refusal(request: Request) -> JSONResponse | None:
        try:
            check_bearer(request.headers, services.gatekeeper)
        except AuthenticationFailed as error:
            return _fault(401, UNAUTHORIZED, "Unauthorized", str(error))
        return None

    def listed(request: Request, *, custom: bool) -> JSONResponse:
        if (refused := refusal(request)) is not None:
            return refused
        try:
            engines = services.engines
        except NotReady as error:
            return _not_ready(error)
        items = [_voice(voice) for voice in engines.voices() if engines.catalogue.is_custom(voice) is custom]
        return JSONResponse({"data": {"items": items, "next": None}})

    @router.get("/voice", response_model=None)
    async def voices(request: Request) -> Response:
        """The operator's own voices."""
        return listed(request, custom=True)

    @router.get("/voice/builtin", response_model=None)
    async def builtin(request: Request) -> Response:
        """The voices that come with the engines."""
        return listed(request, custom=False)

    @router.get("/voice/m/{voice_id}", response_model=None)
    async def voice(voice_id: str, request: Request) -> Response:
        """One voice by its id or an alias."""
        if (refused := refusal(request)) is not None:
            return refused
        try:
            return JSONResponse({"data": _voice(services.engines.catalogue.get(voice_id))})
        except NotReady as error:
            return _not_ready(error)
        except UnknownVoice:
            return _fault(404, VOICE_NOT_FOUND, "Not found", f"unknown voice '{quoted(voice_id)}'")

    @router.get("/glossaries", response_model=None)
    async def glossaries(request: Request) -> Response:
        """None can be made, so there are none."""
        return refusal(request) or JSONResponse({"data": {"items": [], "next": None}})

    async def not_served(request: Request) -> Response:
        text = f"{request.method} {quoted(request.url.path)} is not served by this server"
        return refusal(request) or _fault(501, NOT_SERVED, "Not served", text)

    for method, paths in UNSERVED.items():
        for path in paths:
            router.add_api_route(f"/{path}", not_served, methods=[method], include_in_schema=False, response_model=None)
    return router


def _base(request: Request, services: Services) -> str:
    """Where sockets are dialled."""
    return public_url(request, services.settings.public_url).replace("http", "ws", 1)


def _session(session: RestSession, base: str) -> dict[str, Any]:
    return {
        "id": session.session_id,
        "publisher": session.token,
        "subscriber": [],
        "webrtc_room_name": "",
        "webrtc_url": NO_WEBRTC,
        "ws_url": f"{base}{STREAM}",
    }


def _voice(voice: Voice) -> dict[str, Any]:
    return {
        "voice_id": voice.voice_id,
        "name": voice.name,
        "lang_code": voice.language,
        "description": voice.description,
        "processing_status": "ready",
        "labels": {"gender": voice.gender},
    }


def _fault(status: int, code: str, title: str, detail: str) -> JSONResponse:
    """The form of every error: what the vendor's documentation shows and what its client reads."""
    error = {"title": title, "detail": detail, "status": status, "error_code": code}
    return JSONResponse({"ok": False, "errors": [error]}, status)


def _not_ready(error: NotReady) -> JSONResponse:
    return _fault(503, SERVICE_UNAVAILABLE, "Not ready", str(error))


_REFUSED = {
    403: (UNAUTHORIZED, "Forbidden"),
    413: (BAD_REQUEST, "Content too large"),
    429: (RATE_LIMIT_EXCEEDED, "Too many requests"),
}


def refusal(status: int, message: str) -> Response:
    """What a request is told that no route has seen."""
    code, title = _REFUSED[status]
    return _fault(status, code, title, message)
