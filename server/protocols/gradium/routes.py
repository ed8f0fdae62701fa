"""Where the vendor's clients look: everything at `/api/…` and at `/…`."""

from fastapi import APIRouter, WebSocket

from dragoman.server.connection import Connection
from dragoman.server.failures import AuthenticationFailed, Failure, StateAway
from dragoman.server.protocols.gradium.adapter import GradiumAdapter
from dragoman.server.protocols.gradium.asr import AsrAdapter
from dragoman.server.protocols.gradium.credentials import socket_credentials
from dragoman.server.protocols.gradium.one_shot import ASR_PATH
from dragoman.server.protocols.gradium.rest import rest_routes
from dragoman.server.protocols.gradium.tts import TtsAdapter
from dragoman.server.protocols.gradium.voices import EngineVoices, Voices
from dragoman.server.services import Services

PREFIXES = ("/api", "")
UPLOADS = tuple(f"{prefix}{ASR_PATH}" for prefix in PREFIXES)
"""Where bodies are audio."""


def gradium_routes(services: Services) -> APIRouter:
    """All routes of this vendor."""
    router = APIRouter()
    voices = EngineVoices(lambda: services.engines, strict=services.settings.voices.strict)
    for prefix in PREFIXES:
        router.include_router(_sockets(services, voices), prefix=prefix)
        router.include_router(rest_routes(services, voices), prefix=prefix)
    return router


def _sockets(services: Services, voices: Voices) -> APIRouter:
    router = APIRouter()
    control_bytes = services.settings.limits.control_bytes

    # Some self-hosted set-ups dial the base path itself.
    @router.websocket("/")
    @router.websocket("/speech/s2s")
    async def speech_to_speech(socket: WebSocket) -> None:
        await Connection(socket, GradiumAdapter(control_bytes), services).serve(await _refusal(socket, services))

    @router.websocket("/speech/asr")
    @router.websocket("/speech/stt")
    async def recognition(socket: WebSocket) -> None:
        await Connection(socket, AsrAdapter(control_bytes), services).serve(await _refusal(socket, services))

    @router.websocket("/speech/tts")
    async def synthesis(socket: WebSocket) -> None:
        adapter = TtsAdapter(voices, control_bytes=control_bytes)
        await Connection(socket, adapter, services).serve(await _refusal(socket, services))

    return router


async def _refusal(socket: WebSocket, services: Services) -> Failure | None:
    try:
        await services.gatekeeper.admit(socket_credentials(socket.headers, socket.query_params))
    except (AuthenticationFailed, StateAway) as error:
        return error
    return None
