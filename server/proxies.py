"""What a reverse proxy says of the request that it passes on, and under which address clients reach this server.

Only proxies that are trusted are believed: those on this machine, or those that the environment variable
FORWARDED_ALLOW_IPS names (addresses and networks, as uvicorn has it). The Host header stays what it was, for whoever
looks at it to tell friends from strangers: a web page can send X-Forwarded-Host through a proxy, too.
"""

import os
import re
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

TRUSTED = "127.0.0.1,::1"

_FORWARDED = "dragoman.forwarded"
"""Where in a scope's state that stands."""
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?P<port>:[0-9]{1,5})?")
_PORT = re.compile(r"[0-9]{1,5}")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~%-]+)+")
_IMPLIED = {"https": "443", "http": "80"}


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What the proxy nearest to the client said, as far as it can be; empty where it said nothing.

    `host` may have a port. `prefix` is the path that was taken off, without a slash at its end.
    """

    scheme: str = ""
    host: str = ""
    port: str = ""
    prefix: str = ""


class TrustedProxies:
    """ASGI middleware in front of everything: believes trusted proxies, as uvicorn does, and what else they say."""

    def __init__(self, app: ASGIApp, trusted: str | None = None) -> None:
        trusted = os.environ.get("FORWARDED_ALLOW_IPS", TRUSTED) if trusted is None else trusted
        self._app = ProxyHeadersMiddleware(app, trusted)  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or socket."""
        client = scope.get("client")
        if scope["type"] != "lifespan" and client is not None and client[0] in self._app.trusted_hosts:
            scope.setdefault("state", {})[_FORWARDED] = _read(Headers(scope=scope))
        await self._app(scope, receive, send)  # type: ignore[arg-type]


def public_url(request: Request, configured: str = "") -> str:
    """Where clients reach this server: scheme, host and path, without a slash at the end.

    `configured` is the operator's `public_url`; where it is empty, trusted proxies and the request itself tell.
    """
    if configured:
        return configured.rstrip("/")
    forwarded: Forwarded = request.scope.get("state", {}).get(_FORWARDED, Forwarded())
    scheme = forwarded.scheme or request.url.scheme
    host = forwarded.host or request.url.netloc
    found = _HOST.fullmatch(host)
    if found is not None and found["port"] is None and forwarded.port not in ("", _IMPLIED.get(scheme)):
        host += f":{forwarded.port}"
    return f"{scheme}://{host}{forwarded.prefix}"


def _read(headers: Headers) -> Forwarded:
    scheme = _first(headers, "x-forwarded-proto").lower().replace("ws", "http")
    host, port = _first(headers, "x-forwarded-host"), _first(headers, "x-forwarded-port")
    prefix = _first(headers, "x-forwarded-prefix").rstrip("/")
    return Forwarded(
        scheme if scheme in _IMPLIED else "",
        host if _HOST.fullmatch(host) else "",
        port if _PORT.fullmatch(port) else "",
        prefix if _PREFIX.fullmatch(prefix) else "",
    )


def _first(headers: Headers, name: str) -> str:
    """Of several proxies in a row the first one adds the first value."""
    return headers.get(name, "").partition(",")[0].strip()
