"""Sockets that are dialled wrongly: without an upgrade, which is what a proxy makes of one, or where there is none.

Starlette alone answers the one with 404, which looks like a wrong address, and the other with 403, which looks like a
wrong key.
"""

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.routing import Match, Router
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from dragoman.server.failures import AuthenticationFailed
from dragoman.server.origins import check_page

REQUIRED = (
    "this is a WebSocket: the request needs an upgrade. A proxy in front of the server must speak HTTP/1.1 with it and "
    "pass the headers Upgrade and Connection on"
)
NOWHERE = "there is no WebSocket at this path"


def guide_upgrades(app: FastAPI) -> None:
    """Answer a plain GET where a socket is with 426 (RFC 9110, 15.5.22), and an upgrade where none is with 404."""
    app.router.default = _Nowhere(app.router)


class _Nowhere:
    """What is called where no route is."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._otherwise = router.default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or upgrade."""
        if scope["type"] == "websocket":
            answer = JSONResponse({"detail": NOWHERE}, 404)
            try:
                check_page(scope)
            except AuthenticationFailed as error:
                answer = JSONResponse({"detail": str(error)}, 403)
            await WebSocket(scope, receive, send).send_denial_response(answer)
        elif scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and self._is_socket(scope):
            headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
            await JSONResponse({"detail": REQUIRED}, 426, headers)(scope, receive, send)
        else:
            await self._otherwise(scope, receive, send)

    def _is_socket(self, scope: Scope) -> bool:
        upgraded = {**scope, "type": "websocket"}
        return any(route.matches(upgraded)[0] is Match.FULL for route in self._router.routes)
