"""Where the vendor's clients look: the sockets at `/transcribe-websocket` and `/tts-websocket`, REST at `/v1/…` and
`/tts`."""

import uuid

from fastapi import APIRouter, WebSocket

from dragoman.server.connection import Connection
from dragoman.server.failures import AuthenticationFailed, BadMessage, Failure, Fault, StateAway
from dragoman.server.protocols.soniox.adapter import SonioxAdapter
from dragoman.server.protocols.soniox.api import Desk
from dragoman.server.protocols.soniox.credentials import SUBPROTOCOL, Grant, bearer, offered
from dragoman.server.protocols.soniox.files.jobs import SonioxFiles
from dragoman.server.protocols.soniox.files.orders import transcription_routes
from dragoman.server.protocols.soniox.files.rest import file_routes
from dragoman.server.protocols.soniox.rest import rest_routes
from dragoman.server.protocols.soniox.speech.adapter import SpeechAdapter
from dragoman.server.protocols.soniox.speech.rest import speech_routes
from dragoman.server.protocols.soniox.temporary_keys import SPEAK, TRANSCRIBE
from dragoman.server.protocols.soniox.usage_rest import usage_routes
from dragoman.server.services import Services
from dragoman.server.uploads.uploads import Uploads

TRANSCRIBING, SPEAKING = "/transcribe-websocket", "/tts-websocket"


def soniox_routes(services: Services, uploads: Uploads) -> APIRouter:
    """All routes of this vendor."""
    desk, limits = Desk.of(services), services.settings.limits
    uploads.transcriber.serve("soniox", SonioxFiles(uploads.store, desk.ledger))
    router = APIRouter()

    @router.websocket(TRANSCRIBING)
    async def transcribe(socket: WebSocket) -> None:
        grant, refusal = await _granted(socket, desk, TRANSCRIBE)
        settings = services.settings
        adapter = SonioxAdapter(
            grant,
            settings.listen,
            uuid.uuid4().hex,
            control_bytes=settings.limits.control_bytes,
            ledger=desk.ledger,
        )
        await _serve(socket, adapter, desk, TRANSCRIBE, refusal)

    @router.websocket(SPEAKING)
    async def speak(socket: WebSocket) -> None:
        grant, refusal = await _granted(socket, desk, SPEAK)
        adapter = SpeechAdapter(
            grant,
            desk.voices,
            desk.ledger,
            uuid.uuid4().hex,
            limits.texts_bytes,
            limits.control_bytes,
        )
        await _serve(socket, adapter, desk, SPEAK, refusal)

    files = file_routes(desk, uploads.store), transcription_routes(desk, uploads)
    for routes in (rest_routes(desk), usage_routes(desk), *files):
        router.include_router(routes, prefix="/v1")
    for prefix in ("", "/v1"):
        router.include_router(speech_routes(desk), prefix=prefix)
    return router


UPLOADS = "/v1/files"
"""Where clients send files; the route reads them, behind the key."""


async def _serve(
    socket: WebSocket, adapter: SonioxAdapter | SpeechAdapter, desk: Desk, usage: str, refusal: Failure | None
) -> None:
    offers = socket.scope.get("subprotocols", [])
    try:
        connection = Connection(socket, adapter, desk.services, lambda key: desk.door.admit(key, usage))
        await connection.serve(refusal, SUBPROTOCOL if SUBPROTOCOL in offers else None)
    finally:
        adapter.leave()


async def _granted(socket: WebSocket, desk: Desk, usage: str) -> tuple[Grant | None, Failure | None]:
    """What the key of the handshake allows, None where there is none; why the client is refused, if it is."""
    try:
        header, protocol = bearer(socket.headers), offered(socket.scope.get("subprotocols", []))
        if header is not None and protocol is not None:
            raise BadMessage("the API key came in a header and as a subprotocol: send it once", Fault.SETUP)
        key = header or protocol
        return (await desk.door.admit(key, usage) if key is not None else None), None
    except (AuthenticationFailed, BadMessage, StateAway) as error:
        return None, error
