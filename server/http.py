"""Uvicorn's HTTP protocol with limits: for the head of a request in bytes, for what the client owes us in time.

A client owes a head when it has connected and after each answer, and the rest of a body that it has announced; each
must come within `limits.head_s`. What cannot be read is answered (400, 408, 414, 431) and the connection ends, so
that the client can read the answer. An upgrade to a WebSocket is handed on as it was parsed here, whatever its
length.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import h11
import msgspec
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from dragoman.config.settings import LimitSettings
from dragoman.server.door import Entry, state_with
from dragoman.server.farewell import Farewell
from dragoman.server.websocket import LiveWebSocketProtocol

HEAD_BYTES = 65_536
"""Of a request's first line and headers together. Documented key terms of clients take 30 KB of the first line."""
PROGRESS_BYTES = 65_536
"""So much of a body must come within `limits.head_s`."""


class HttpProtocol(H11Protocol):
    """One connection, from accept to its end or to its upgrade.

    `entry` is its place at the door; `say` is told, for the operator, what was refused and why.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        entry: Entry,
        limits: LimitSettings,
        say: Callable[[str], None],
    ) -> None:
        super().__init__(config, server_state, state_with(entry, app_state), _loop)
        self.conn: _Reader = _Reader()
        self._entry = entry
        self._limits = limits
        self._say = say
        self._over = False
        self._received = 0
        self._answered = 0
        self._answered_at = 0
        """How much had been received when the last answer was out."""
        self._owed: tuple[object, ...] | None = None
        self._clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first head is owed."""
        super().connection_made(transport)
        self._entry.give_way = self._give_way
        if self._entry.withdrawn:
            transport.abort()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """The place at the door is free."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._stop()
        self._entry.leave()

    def data_received(self, data: bytes) -> None:
        """Some of what is owed, or the beginning of the next request."""
        self._received += len(data)
        super().data_received(data)
        if self._entry.visitor and self.cycle is not None:
            self.cycle.keep_alive = False
        self._watch()

    def on_response_complete(self) -> None:
        """An answer is out; the next head is owed, unless the client is still busy with a body that nobody wants."""
        if self.conn.their_state is h11.SEND_BODY:
            self._part()
            return
        self._answered += 1
        self._answered_at = self._received
        super().on_response_complete()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """What came is not HTTP, or too much of it."""
        del msg
        self._refuse(*self.conn.fault)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection on, with the request as it was read here: uvicorn would have it read again, by 8 KiB a
        line.
        """
        if self._entry.visitor:
            self._refuse(503, "there are too many connections")
        elif any(
            name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
            for name, value in self.headers
        ):
            self._refuse(400, "a WebSocket handshake has no body")
        else:
            self._over = True
            self._stop()
            self.connections.discard(self)
            socket = LiveWebSocketProtocol(
                self.config, self.server_state, self.app_state, self.loop, entry=self._entry, limits=self._limits
            )
            socket.connection_made(self.transport)
            self.transport.set_protocol(socket)
            socket.begin(event.method, event.target, self.headers)
            if (early := self.conn.trailing_data[0]) and not self.transport.is_closing():
                socket.data_received(early)

    def _unsupported_upgrade_warning(self) -> None:
        """Clients may offer what we do not know, such as HTTP/2; they are answered by HTTP/1.1 (RFC 9110, 7.8)."""

    def _refuse(self, status: int, text: str) -> None:
        """Answer where nobody has answered yet, and end the connection."""
        self._say(f"refused a request: {status} {text}")
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = msgspec.json.encode({"detail": text})
            headers = [
                ("content-type", "application/json"),
                ("content-length", str(len(body))),
                ("connection", "close"),
            ]
            for part in (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(part))
        self._part()

    def _part(self) -> None:
        self._over = True
        self._stop()
        self._unset_keepalive_if_required()
        if not self.transport.is_closing():
            Farewell(self.transport, self, self.loop)

    def _give_way(self) -> bool:
        if self.cycle is not None and not self.cycle.response_complete:
            return False
        self.transport.abort()
        return True

    def _watch(self) -> None:
        """Start the clock anew where the client owes something else than before."""
        owed = self._what_is_owed()
        if owed == self._owed:
            return
        self._stop()
        self._owed = owed
        if owed is not None:
            self._clock = self.loop.call_later(self._limits.head_s, self._overdue)

    def _what_is_owed(self) -> tuple[object, ...] | None:
        if self._over or self.transport.is_closing():
            return None
        if self.cycle is None or self.cycle.response_complete:
            # After an answer a client may rest as long as a head may take, and then take its time for the head.
            begun = self._answered > 0 and self._received > self._answered_at
            return "head", self._answered, begun
        if self.cycle.more_body:
            return "body", self._received // PROGRESS_BYTES
        return None

    def _overdue(self) -> None:
        owed, self._owed = self._owed, None
        if owed is None or self.transport.is_closing():
            return
        if owed[0] == "head" and self._received == self._answered_at:
            self.transport.close()
        elif owed[0] == "body" and self.flow.read_paused:
            # It is the application that does not read.
            self._watch()
        else:
            self._refuse(408, f"the {owed[0]} of the request did not come within {self._limits.head_s:g} s")

    def _stop(self) -> None:
        self._owed = None
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None


class _Reader(h11.Connection):
    """Reads requests whose head is not too large, and remembers what was wrong with one."""

    def __init__(self) -> None:
        super().__init__(h11.SERVER, HEAD_BYTES)
        self.fault = (400, "this is not HTTP")

    def next_event(self) -> Any:
        """As h11's; raises RemoteProtocolError with the answer in `fault`."""
        try:
            event = super().next_event()
        except h11.RemoteProtocolError as error:
            if error.error_status_hint == 431:
                line = b"\n" not in self.trailing_data[0]
                self.fault = _TOO_LONG if line else _TOO_LARGE
            raise
        if isinstance(event, h11.Request):
            if len(event.target) > HEAD_BYTES:
                self.fault = _TOO_LONG
            elif len(event.target) + sum(len(name) + len(value) + 4 for name, value in event.headers) > HEAD_BYTES:
                self.fault = _TOO_LARGE
            else:
                return event
            raise h11.RemoteProtocolError(self.fault[1], self.fault[0])
        return event


_TOO_LONG = 414, f"the first line is longer than {HEAD_BYTES} bytes"
_TOO_LARGE = 431, f"the head of the request is larger than {HEAD_BYTES} bytes"
