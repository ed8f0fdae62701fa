"""The end of a connection on which a last answer is out.

Closing a socket with unread input makes TCP throw away what was sent last, the answer included. So our side of it is
closed first; what the client still sends is read and thrown away, for a moment and up to a size, and then the
connection ends.
"""

import asyncio

FAREWELL_S = 1.0
FAREWELL_BYTES = 1_048_576
FLUSH_S = 3.0
"""A client that does not take the answer has this long, then the connection is cut."""


class Farewell(asyncio.Protocol):
    """Takes a connection over from the protocol that has said its last on `transport`, which still hears of the
    loss.
    """

    def __init__(self, transport: asyncio.Transport, former: asyncio.Protocol, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._former = former
        self._loop = loop
        self._left = FAREWELL_BYTES
        transport.set_protocol(self)
        if transport.can_write_eof():
            transport.write_eof()
        transport.resume_reading()
        self.timer = loop.call_later(FAREWELL_S, self._end)

    def data_received(self, data: bytes) -> None:
        """Throw it away."""
        self._left -= len(data)
        if self._left < 0:
            self._transport.abort()

    def pause_writing(self) -> None:
        """Nothing more is written."""

    def resume_writing(self) -> None:
        """Nothing more is written."""

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self.timer.cancel()
        self._former.connection_lost(exc)

    def _end(self) -> None:
        self._transport.close()
        self.timer = self._loop.call_later(FLUSH_S, self._transport.abort)
