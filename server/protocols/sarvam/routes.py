"""Where the vendor's clients look. The SDK puts its path behind whatever base it is given, so a base that ends in a
slash makes two of them."""

from fastapi import APIRouter, WebSocket
from starlette.responses import JSONResponse

from dragoman.server.connection import Connection
from dragoman.server.failures import AuthenticationFailed, BadMessage, Fault
from dragoman.server.origins import check_page
from dragoman.server.protocols.sarvam.adapter import SarvamAdapter
from dragoman.server.protocols.sarvam.credentials import credentials, offered_subprotocol
from dragoman.server.protocols.sarvam.query import TRANSCRIPTION, TRANSLATION, Wire, parse_query
from dragoman.server.protocols.sarvam.realtime.adapter import Begin, RealtimeAdapter
from dragoman.server.protocols.sarvam.realtime.config import parse_config
from dragoman.server.protocols.sarvam.rest.routes import rest_routes
from dragoman.server.protocols.sarvam.speech.adapter import SpeechAdapter
from dragoman.server.protocols.sarvam.speech.speakers import EngineSpeakers
from dragoman.server.protocols.sarvam.unserved import SOCKETS, UnservedAdapter, unserved_routes
from dragoman.server.services import Services
from dragoman.server.websocket import transport_of

SLASHES = ("/", "//")
SPEECH = ("text-to-speech/ws", "text-to-speech/ws/v2")
"""LiveKit's plug-in dials the second for one of the models."""


def sarvam_routes(services: Services) -> APIRouter:
    """All sockets of this vendor, and what is told where it has more than is served here."""
    router = APIRouter()

    async def translate(socket: WebSocket) -> None:
        await _serve(socket, services, TRANSLATION)

    async def transcribe(socket: WebSocket) -> None:
        await _serve(socket, services, TRANSCRIPTION)

    async def realtime(socket: WebSocket) -> None:
        if not await _denied(socket, services):
            await _serve_realtime(socket, services)

    async def speak(socket: WebSocket) -> None:
        # The vendor's clients are told so by the status with which its REST refuses a key.
        if not await _denied(socket, services, bad_key=403):
            await _serve_speech(socket, services)

    async def not_served(socket: WebSocket) -> None:
        if not await _denied(socket, services):
            refusal = BadMessage(f"{socket.url.path} is not served by this server", Fault.SETUP)
            offered = offered_subprotocol(socket.scope["subprotocols"])
            await Connection(socket, UnservedAdapter(), services).serve(refusal, offered)

    router.include_router(rest_routes(services, SLASHES))
    router.include_router(unserved_routes(services, SLASHES))
    for slash in SLASHES:
        router.add_api_websocket_route(f"{slash}speech-to-text-realtime/ws", realtime)
        router.add_api_websocket_route(f"{slash}speech-to-text-translate/ws", translate)
        router.add_api_websocket_route(f"{slash}speech-to-text/ws", transcribe)
        for path in SPEECH:
            router.add_api_websocket_route(f"{slash}{path}", speak)
        for path in SOCKETS:
            router.add_api_websocket_route(f"{slash}{path}", not_served)
    return router


async def _serve(socket: WebSocket, services: Services, wire: Wire) -> None:
    if await _denied(socket, services):
        return
    # The address says all that a session needs: the first message is audio.
    transport_of(socket.scope).admit()
    listen, refusal = services.settings.listen, None
    try:
        options = parse_query(socket.query_params, wire, listen)
    except BadMessage as error:
        options, refusal = parse_query({}, wire, listen), error
    adapter = SarvamAdapter(options, control_bytes=services.settings.limits.control_bytes)
    connection = Connection(socket, adapter, services)
    await connection.serve(refusal, offered_subprotocol(socket.scope["subprotocols"]))


async def _serve_realtime(socket: WebSocket, services: Services) -> None:
    refusal = None
    try:
        config = parse_config(socket.query_params)
    except BadMessage as error:
        config, refusal = parse_config({"language_code": "auto"}), error
    settings = services.settings
    adapter = RealtimeAdapter(config, settings.listen, control_bytes=settings.limits.control_bytes)
    connection = Connection(socket, adapter, services)
    await connection.serve(refusal, offered_subprotocol(socket.scope["subprotocols"]), first=Begin())


async def _serve_speech(socket: WebSocket, services: Services) -> None:
    query, settings = socket.query_params, services.settings
    adapter = SpeechAdapter(
        EngineSpeakers(lambda: services.engines, strict=settings.voices.strict),
        model=query.get("model"),
        completes=query.get("send_completion_event", "").lower() in ("true", "1"),
        control_bytes=settings.limits.control_bytes,
    )
    await Connection(socket, adapter, services).serve(subprotocol=offered_subprotocol(socket.scope["subprotocols"]))


async def _denied(socket: WebSocket, services: Services, *, bad_key: int = 401) -> bool:
    """Answer the upgrade with an HTTP status where the client may not come in."""
    try:
        check_page(socket.scope)
    except AuthenticationFailed as error:
        await _deny(socket, 403, "forbidden", str(error))
        return True
    try:
        services.gatekeeper.check(credentials(socket.headers, socket.scope["subprotocols"]).key)
    except AuthenticationFailed as error:
        await _deny(socket, bad_key, "invalid_api_key", str(error))
        return True
    return False


async def _deny(socket: WebSocket, status: int, code: str, message: str) -> None:
    await socket.send_denial_response(JSONResponse({"error": {"message": message, "code": code}}, status))
