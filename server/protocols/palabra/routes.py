"""Where the vendor's clients look: sockets below `streaming-api`, `asr` and `tts-api`, REST below two more paths."""

import asyncio

from fastapi import APIRouter, WebSocket
from starlette.responses import PlainTextResponse

from dragoman.server.connection import Connection
from dragoman.server.failures import AuthenticationFailed, BadMessage, StateAway
from dragoman.server.origins import check_page
from dragoman.server.protocols.palabra.adapter import PalabraAdapter
from dragoman.server.protocols.palabra.credentials import check_token
from dragoman.server.protocols.palabra.job import Operator
from dragoman.server.protocols.palabra.rest import management_routes, session_routes
from dragoman.server.protocols.palabra.sessions import Sessions
from dragoman.server.protocols.palabra.stt import SttAdapter, parse_query
from dragoman.server.protocols.palabra.tts import TtsAdapter
from dragoman.server.protocols.palabra.voices import EngineAbilities
from dragoman.server.services import Services
from dragoman.server.websocket import transport_of

HANDSHAKE_S = 8.0
"""Clients wait ten seconds for the upgrade. So long may the engines be waited for; who comes later is told."""


def palabra_routes(services: Services) -> APIRouter:
    """All routes of this vendor."""
    router = APIRouter()
    sessions = Sessions(services.settings.limits.session_s, services.state, services.settings.keys)
    router.include_router(_sockets(services, sessions))
    router.include_router(session_routes(services, sessions))
    router.include_router(management_routes(services))
    return router


def _sockets(services: Services, sessions: Sessions) -> APIRouter:
    router = APIRouter()
    settings = services.settings
    abilities = EngineAbilities(lambda: services.engines)
    operator = Operator(settings.listen, settings.latency)
    control_bytes = settings.limits.control_bytes

    async def admitted(socket: WebSocket, status: int) -> bool:
        """Whether a socket may be opened; who may not is told by the status of the upgrade."""
        try:
            check_page(socket.scope)
            await check_token(socket.scope["query_string"], services.gatekeeper, sessions)
        except AuthenticationFailed as error:
            await socket.send_denial_response(PlainTextResponse(str(error), status))
            return False
        except StateAway as error:
            await socket.send_denial_response(PlainTextResponse(str(error), 503))
            return False
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                await services.until_loaded()
        except TimeoutError:
            pass
        return True

    @router.websocket("/streaming-api/v1/speech-to-speech/stream")
    @router.websocket("/streaming-api/{random_hash}/v1/speech-to-speech/stream")
    async def speech_to_speech(socket: WebSocket) -> None:
        if await admitted(socket, 403):
            adapter = PalabraAdapter(abilities, operator, control_bytes=control_bytes)
            await Connection(socket, adapter, services).serve()

    @router.websocket("/asr/v1/speech-to-text/stream")
    async def speech_to_text(socket: WebSocket) -> None:
        if not await admitted(socket, 401):
            return
        # The address says all that a session needs: the first message is audio.
        transport_of(socket.scope).admit()
        refusal, request = None, parse_query({})
        try:
            request = parse_query(socket.query_params)
        except BadMessage as error:
            refusal = error
        await Connection(socket, SttAdapter(request, settings.latency, control_bytes), services).serve(refusal)

    @router.websocket("/tts-api/v1/text-to-speech/stream")
    async def text_to_speech(socket: WebSocket) -> None:
        if await admitted(socket, 403):
            await Connection(socket, TtsAdapter(abilities, control_bytes=control_bytes), services).serve()

    return router
