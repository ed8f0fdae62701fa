"""Where the vendor's clients look: the socket at `/transcribe-websocket`, REST at `/v1/…`."""

import uuid

from fastapi import APIRouter, WebSocket

from dragoman.server.connection import Connection
from dragoman.server.failures import AuthenticationFailed, BadMessage, Failure, Fault
from dragoman.server.origins import check_page
from dragoman.server.protocols.soniox.adapter import SonioxAdapter
from dragoman.server.protocols.soniox.credentials import SUBPROTOCOL, Door, Grant, bearer, offered
from dragoman.server.protocols.soniox.rest import rest_routes, speech_routes
from dragoman.server.protocols.soniox.temporary_keys import TemporaryKeys
from dragoman.server.services import Services

ELSEWHERE = "/tts-websocket"
"""The vendor's socket for speech is not served here; its clients are told so in a form that they show."""


def soniox_routes(services: Services) -> APIRouter:
    """All routes of this vendor."""
    router = APIRouter()
    temporary = TemporaryKeys()
    door = Door(services.gatekeeper, temporary)

    async def serve(socket: WebSocket, refusal: Failure | None = None) -> None:
        grant: Grant | None = None
        try:
            grant = _grant(socket, door)
        except (AuthenticationFailed, BadMessage) as error:
            refusal = error
        offers = socket.scope.get("subprotocols", [])
        settings = services.settings
        adapter = SonioxAdapter(
            grant, door.admit, settings.listen, uuid.uuid4().hex, control_bytes=settings.limits.control_bytes
        )
        await Connection(socket, adapter, services).serve(refusal, SUBPROTOCOL if SUBPROTOCOL in offers else None)

    @router.websocket("/transcribe-websocket")
    async def transcribe(socket: WebSocket) -> None:
        await serve(socket)

    @router.websocket(ELSEWHERE)
    async def not_served(socket: WebSocket) -> None:
        await serve(socket, BadMessage(f"{ELSEWHERE} is not served here; use /transcribe-websocket", Fault.SETUP))

    router.include_router(rest_routes(services, temporary), prefix="/v1")
    router.include_router(speech_routes(services))
    return router


def _grant(socket: WebSocket, door: Door) -> Grant | None:
    """What the key of the handshake allows; None where there is none. Raises AuthenticationFailed or BadMessage."""
    check_page(socket.scope)
    header, protocol = bearer(socket.headers), offered(socket.scope.get("subprotocols", []))
    if header is not None and protocol is not None:
        raise BadMessage("the API key came in a header and as a subprotocol: send it once", Fault.SETUP)
    key = header or protocol
    return door.admit(key) if key is not None else None
