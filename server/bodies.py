"""Bodies of requests: read whole before any route sees them, within a limit.

A body over the limit is answered with 413 and read no further. What is within it waits in memory up to `limit_bytes`
and on disk beyond that, which only paths with a limit of their own can reach. The routes of a few paths read their
bodies themselves, to ask for the key first.
"""

from collections.abc import Collection, Mapping
from tempfile import SpooledTemporaryFile

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dragoman.server.refusals import Refusals

CHUNK_BYTES = 65_536
"""What is on disk is read in pieces of this size."""


class BodyLimit:
    """ASGI middleware that lets no body over `limit_bytes` through; `uploads` are other limits by the beginning of
    the path. `streamed` are the paths whose routes read their bodies, and bound them.
    """

    def __init__(
        self,
        app: ASGIApp,
        limit_bytes: int,
        refusals: Refusals,
        *,
        uploads: Mapping[str, int] | None = None,
        streamed: Collection[str] = (),
    ) -> None:
        self._app = app
        self._limit_bytes = limit_bytes
        self._refusals = refusals
        self._uploads = dict(uploads or {})
        self._streamed = frozenset(streamed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        bodiless = "content-length" not in headers and "transfer-encoding" not in headers
        if bodiless or scope["path"] in self._streamed:
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope["path"])
        with SpooledTemporaryFile[bytes](max_size=self._limit_bytes) as body:
            try:
                await _read(receive, body, limit, int(headers.get("content-length", "0")))
            except _Gone:
                return
            except _TooLarge:
                answer: ASGIApp = self._refusals.response(scope["path"], 413, f"body is larger than {limit} bytes")
                await answer(scope, receive, send)
                return
            await self._app(scope, _Replay(body, receive), send)

    def _limit_of(self, path: str) -> int:
        return next((limit for prefix, limit in self._uploads.items() if path.startswith(prefix)), self._limit_bytes)


class _Gone(Exception):
    """The client left before its body was here."""


class _TooLarge(Exception):
    """The body is over its limit."""


async def _read(receive: Receive, body: "SpooledTemporaryFile[bytes]", limit: int, announced: int) -> None:
    while announced <= limit:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        piece = message.get("body", b"")
        if body.tell() + len(piece) > limit:
            break
        body.write(piece)
        if not message.get("more_body", False):
            return
    raise _TooLarge


class _Replay:
    """Gives a route the body that was read, and then what else its client says."""

    def __init__(self, body: "SpooledTemporaryFile[bytes]", receive: Receive) -> None:
        self._left = body.tell()
        self._body = body
        self._receive = receive
        self._done = False
        body.seek(0)

    async def __call__(self) -> Message:
        if self._done:
            return await self._receive()
        piece = self._body.read(CHUNK_BYTES)
        self._left -= len(piece)
        self._done = self._left <= 0
        return {"type": "http.request", "body": piece, "more_body": not self._done}
