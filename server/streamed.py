"""An answer that is sent while it is made. What breaks in the middle cuts the connection, so that nobody takes a part
for the whole; who does not read, or goes, ends what makes it.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator

from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from dragoman.models.errors import ModelError
from dragoman.pipeline.audio.errors import AudioError
from dragoman.server.failures import Failure

log = logging.getLogger("dragoman.server.streamed")


class Streamed(StreamingResponse):
    """`first`, then `pieces`, with the status 200; those are closed in the end. Each may take the client `patience_s`.

    Who wants to know beforehand whether there is anything to send asks for the first piece, and gives it here.
    """

    def __init__(
        self, pieces: AsyncGenerator[bytes, None], media_type: str, patience_s: float, first: bytes = b""
    ) -> None:
        super().__init__(pieces, media_type=media_type)
        self._pieces = pieces
        self._patience_s = patience_s
        self._first = first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send all of it, as long as somebody is there."""
        del scope
        sending = asyncio.create_task(self._send(send))
        gone = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, gone):
                task.cancel()
            await asyncio.wait({sending, gone})
            await self._pieces.aclose()

    async def _send(self, send: Send) -> None:
        """A server ends the connection of an answer that has no end."""
        try:
            await self._tell(
                send, {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            if self._first:
                await self._tell(send, {"type": "http.response.body", "body": self._first, "more_body": True})
            async for piece in self._pieces:
                await self._tell(send, {"type": "http.response.body", "body": piece, "more_body": True})
            await self._tell(send, {"type": "http.response.body", "body": b"", "more_body": False})
        except (Failure, ModelError, AudioError, TimeoutError) as error:
            log.info("an answer was cut: %s", str(error) or "nobody reads it")
        except Exception:
            log.exception("an answer broke")

    async def _tell(self, send: Send, message: Message) -> None:
        async with asyncio.timeout(self._patience_s):
            await send(message)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
