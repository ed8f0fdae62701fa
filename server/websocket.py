"""Uvicorn's WebSocket protocol with the closing handshake that clients of live audio need.

After our Close frame what the client still sends is read and thrown away (closing a socket with unread input makes TCP
drop what was sent last, the error message included); the client has a second for its own Close, then the connection
ends, and it ends even if the client never reads.
"""

import asyncio

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

CLOSE_REPLY_S = 1.0
LINGER_S = 3.0
"""A connection that is done, and from which nothing has gone out for this long, is cut."""


class LiveWebSocketProtocol(WebSocketsSansIOProtocol):
    """Waits one second, not ten, for the client's Close; never lets a client that does not read hold a socket."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.close_timeout = CLOSE_REPLY_S

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """Once the application is done, the transport may send what is left for as long as the client takes it."""
        super().on_task_complete(task)
        self._linger(-1)

    def _linger(self, left_before: int) -> None:
        if self.disconnected:
            return
        left = self.transport.get_write_buffer_size()
        if left == left_before:
            self.transport.abort()
        else:
            self.loop.call_later(LINGER_S, self._linger, left)
