"""Which web pages may use the server.

A browser lets any page send requests to this machine. It says which page asks (`Origin`, RFC 6454) and which name it
dialled (`Host`): a page whose own name suddenly means 127.0.0.1 (DNS rebinding) sends no foreign origin, but its own
name as the host. Programs that are not browsers send no origin, and what they dial is theirs.

`PageGuard` stands in front of every route. Sockets are handed on, and refused in the vendor's own form: by
`Connection`, or by a vendor that answers the upgrade instead (`check_page`); where nobody looks, the guard answers it
with 403 itself.
"""

import re
from collections.abc import Sequence
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dragoman.config.settings import is_loopback
from dragoman.server.failures import AuthenticationFailed, quoted
from dragoman.server.refusals import Refusals

_PAGE = "dragoman.page"
"""Where in a scope's state the refusal of a page stands."""
_HERE = r"(?:localhost|(?:[a-z0-9-]+\.)+localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?"
"""Names under which only this machine can be meant, with a port or without."""
_LOCAL_ORIGIN = rf"https?://{_HERE}"


class Pages:
    """Tells who may come in by the headers of a request.

    `allowed` are origins, or `*`. Where it is empty every page may come in that knows a key; without keys
    (`anonymous`) only pages of this machine may. `host` is the address that the server listens on: on loopback, and
    without keys, the names under which it may be dialled are known too.
    """

    def __init__(self, allowed: Sequence[str], *, anonymous: bool, host: str) -> None:
        self._any = "*" in allowed or not (allowed or anonymous)
        self._origins = frozenset(allowed)
        self._local = anonymous
        self._hosts: frozenset[str] | None = None
        if anonymous and not self._any and is_loopback(host):
            self._hosts = frozenset(_without_port(origin.partition("://")[2]) for origin in allowed)

    def refusal(self, headers: Headers) -> str | None:
        """Why the request may not come in, as a sentence for its sender; None where it may."""
        if self._any:
            return None
        for origin in headers.getlist("origin"):
            if not self._allows(origin.lower()):
                return f"origin {quoted(origin)} is not allowed"
        if self._hosts is not None:
            for host in headers.getlist("host"):
                if not re.fullmatch(_HERE, host.lower()) and _without_port(host.lower()) not in self._hosts:
                    return f"host {quoted(host)} is not allowed"
        return None

    def cors(self) -> dict[str, Any]:
        """What the CORS middleware is told: the same pages."""
        if self._any:
            return {"allow_origins": ["*"]}
        return {"allow_origins": sorted(self._origins), "allow_origin_regex": _LOCAL_ORIGIN if self._local else None}

    def _allows(self, origin: str) -> bool:
        return origin in self._origins or (self._local and re.fullmatch(_LOCAL_ORIGIN, origin) is not None)


class PageGuard:
    """ASGI middleware in front of everything: refuses pages that `pages` does not let in."""

    def __init__(self, app: ASGIApp, pages: Pages, refusals: Refusals) -> None:
        self._app = app
        self._pages = pages
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or socket."""
        reason = self._pages.refusal(Headers(scope=scope)) if scope["type"] != "lifespan" else None
        if reason is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._refusals.response(scope["path"], 403, reason)(scope, receive, send)
        else:
            page = _RefusedPage(reason)
            scope.setdefault("state", {})[_PAGE] = page
            await self._app(scope, receive, page.guarding(send))


def page_refusal(scope: Scope) -> AuthenticationFailed | None:
    """Why a page that may not come in has to be refused, by whoever asks; None where none asks, or it may."""
    page = scope.get("state", {}).get(_PAGE)
    if page is None:
        return None
    page.told = True
    return AuthenticationFailed(page.reason)


def check_page(scope: Scope) -> None:
    """The same, raised."""
    if (refusal := page_refusal(scope)) is not None:
        raise refusal


class _RefusedPage:
    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.told = False
        """Whether the vendor knows, and refuses in its own form."""

    def guarding(self, send: Send) -> Send:
        """`send`, but a socket is not accepted for this page unless its vendor knows."""
        refused = False

        async def guarded(message: Message) -> None:
            nonlocal refused
            if message["type"] == "websocket.accept" and not self.told:
                refused = True
                message = {"type": "websocket.close", "code": 1008, "reason": self.reason}
            elif refused:
                return
            await send(message)

        return guarded


def _without_port(host: str) -> str:
    return re.sub(r":[0-9]+$", "", host)
