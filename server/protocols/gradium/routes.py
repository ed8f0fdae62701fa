"""Where the vendor's clients look: everything at `/api/…` and at `/…`."""

from fastapi import APIRouter, WebSocket

from dragoman.server.connection import Connection
from dragoman.server.failures import AuthenticationFailed, Failure
from dragoman.server.origins import check_page
from dragoman.server.protocols.gradium.adapter import GradiumAdapter
from dragoman.server.protocols.gradium.asr import AsrAdapter
from dragoman.server.protocols.gradium.credentials import socket_credentials
from dragoman.server.protocols.gradium.rest import rest_routes
from dragoman.server.protocols.gradium.unserved import UnservedAdapter
from dragoman.server.services import Services

PREFIXES = ("/api", "")
ELSEWHERE = ("speech/tts",)
"""Sockets of the vendor that are not served here; their clients are told so in a form that they show."""


def gradium_routes(services: Services) -> APIRouter:
    """All routes of this vendor."""
    router = APIRouter()
    for prefix in PREFIXES:
        router.include_router(_sockets(services), prefix=prefix)
        router.include_router(rest_routes(services), prefix=prefix)
    return router


def _sockets(services: Services) -> APIRouter:
    router = APIRouter()
    control_bytes = services.settings.limits.control_bytes

    # Some self-hosted set-ups dial the base path itself.
    @router.websocket("/")
    @router.websocket("/speech/s2s")
    async def speech_to_speech(socket: WebSocket) -> None:
        await Connection(socket, GradiumAdapter(control_bytes), services).serve(_refusal(socket, services))

    @router.websocket("/speech/asr")
    @router.websocket("/speech/stt")
    async def recognition(socket: WebSocket) -> None:
        await Connection(socket, AsrAdapter(control_bytes), services).serve(_refusal(socket, services))

    async def not_served(socket: WebSocket) -> None:
        adapter = UnservedAdapter(socket.url.path, control_bytes)
        await Connection(socket, adapter, services).serve(_refusal(socket, services))

    for path in ELSEWHERE:
        router.add_api_websocket_route(f"/{path}", not_served)
    return router


def _refusal(socket: WebSocket, services: Services) -> Failure | None:
    try:
        check_page(socket.scope)
        services.gatekeeper.check(socket_credentials(socket.headers, socket.query_params))
    except AuthenticationFailed as error:
        return error
    return None
