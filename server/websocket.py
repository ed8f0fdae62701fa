"""Uvicorn's WebSocket protocol, made for clients of live audio, and for some that are nobody's friends.

- The handshake is as long as HTTP lets it be (`server/http.py`), and what comes before its answer waits.
- How much is read, and when, decides `server/inflow.py`. Before a session is open messages are small; the application
  says when one is, by `transport_of(scope).admit()`.
- Pings are answered while the client takes the answers; of those that it does not take, the latest one is kept (RFC
  6455, 5.5.3).
- After our Close frame what the client still sends is read and thrown away (closing a socket with unread input makes
  TCP drop what was sent last, the error message included); the client has a second for its own Close, then the
  connection ends, and it ends even if the client never reads.
"""

import asyncio
import logging
from collections.abc import Iterable, MutableMapping
from typing import Any, Protocol, cast

from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.datastructures import Headers
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request

from dragoman.config.settings import LimitSettings
from dragoman.server.door import Entry
from dragoman.server.failures import quoted
from dragoman.server.farewell import Farewell
from dragoman.server.inflow import Inflow, TooLarge
from dragoman.server.keepalive import LOOK_EVERY_S, Pulse

log = logging.getLogger("dragoman.server.websocket")

CLOSE_REPLY_S = 1.0
LINGER_S = 3.0
"""A connection that is done, and from which nothing has gone out for this long, is cut."""
FRAMES_A_TURN = 64
"""Frames read in one turn of the event loop: tiny ones come by the ten thousand, and others wait for their turn."""
TOO_LARGE_S = 1.0
"""A message that is too large is not read; after this long that ends the connection. An application that admits the
client, or refuses it for another reason, does so before."""
QUOTED_BYTES = 200
"""Of an answer that refuses a socket, in the log."""

_TRANSPORT = "dragoman.transport"
"""Where in a scope's state the socket's transport stands."""


class Transport(Protocol):
    """What the application may ask of the transport of its socket."""

    @property
    def admitted(self) -> bool:
        """Whether large messages may come."""
        ...

    def admit(self) -> None:
        """A session is open: large messages may come, and the connection counts for its address no more."""
        ...


class _Unlimited:
    admitted = True

    def admit(self) -> None:
        """There is nothing to lift."""


def transport_of(scope: MutableMapping[str, Any]) -> Transport:
    """The transport behind an ASGI scope; one without limits where the server is not ours, as in tests."""
    return cast("Transport", scope.get("state", {}).get(_TRANSPORT) or _Unlimited())


class LiveWebSocketProtocol(WebSocketsSansIOProtocol):
    """One socket, from its handshake on. `entry` is its connection's place at the door."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        entry: Entry,
        limits: LimitSettings,
    ) -> None:
        super().__init__(config, server_state, {**app_state, _TRANSPORT: self}, _loop)
        self.close_timeout = CLOSE_REPLY_S
        self._entry = entry
        # One message over the limit is answered in the vendor's form; one twice as large is cut here.
        self._inflow = Inflow(limits.control_bytes, 2 * limits.message_bytes)
        self._message = bytearray()
        """The frames of a message that is not all here."""
        self._pong = b""
        """The answer to the latest ping, while the client takes none."""
        self._failed = False
        self._turn: asyncio.Handle | None = None
        self._too_large: asyncio.TimerHandle | None = None
        self._pulse = Pulse(self.loop.time)
        self._look: asyncio.TimerHandle | None = None

    # --- the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to look whether the client is there."""
        super().connection_made(transport)
        self._look = self.loop.call_later(LOOK_EVERY_S, self._look_for_client)

    def begin(self, method: bytes, target: bytes, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """The handshake as the HTTP protocol has read it."""
        # The parser wants to have seen one; its own limits are for lines of 8 KiB.
        self.conn.receive_data(b"GET / HTTP/1.1\r\n\r\n")
        self.conn.events_received()
        pairs = Headers([(name.decode("ascii"), value.decode("latin-1")) for name, value in headers])
        self.handle_connect(Request(target.decode("ascii"), pairs, method.decode("ascii")))
        if self.close_sent:
            self._say_refused(self.response.status_code, bytes(self.response.body))

    def connection_lost(self, exc: Exception | None) -> None:
        """The place at the door is free."""
        super().connection_lost(exc)
        for timer in (self._turn, self._too_large, self._look):
            if timer is not None:
                timer.cancel()
        self._entry.leave()

    def _look_for_client(self) -> None:
        if self._pulse.is_gone(self.transport.get_extra_info("socket")):
            log.info("a client is gone: it has acknowledged nothing for a while")
            self.transport.abort()
        else:
            self._look = self.loop.call_later(LOOK_EVERY_S, self._look_for_client)

    # --- reading

    @property
    def admitted(self) -> bool:
        """Whether large messages may come."""
        return self._inflow.admitted

    def admit(self) -> None:
        """A session is open."""
        self._inflow.admit()
        self._entry.admit()
        if self._too_large is not None:
            self._too_large.cancel()
            self._too_large = None
        self._pump()

    def data_received(self, data: bytes) -> None:
        """Take in as much as may pass."""
        self._inflow.put(data)
        self._pump()

    async def receive(self) -> Any:
        """The next event for the application."""
        try:
            if self.queue.empty():
                self._inflow.wanted = True
                self._pump()
            event = await self.queue.get()
        finally:
            self._inflow.wanted = False
        if event["type"] == "websocket.receive":
            self._inflow.consumed()
            if self._inflow.blocked:
                self._pump()
        return event

    def _pump(self) -> None:
        if self._failed or self.disconnected or self.transport.is_closing():
            return
        if not self.handshake_complete:
            self._read(on=False)
            return
        try:
            for _ in range(FRAMES_A_TURN):
                piece = self._inflow.take()
                if piece is None:
                    self._read(on=not self._inflow.blocked)
                    return
                self.conn.receive_data(piece)
                if self.conn.parser_exc is not None:
                    self.handle_parser_exception()
                else:
                    self.handle_events()
                if self._failed or self.transport.is_closing():
                    return
        except TooLarge as error:
            self._read(on=False)
            if self._too_large is None:
                self._too_large = self.loop.call_later(TOO_LARGE_S, self._give_up, error)
            return
        self._read(on=False)
        if self._turn is None:
            self._turn = self.loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._turn = None
        self._pump()

    def _give_up(self, error: TooLarge) -> None:
        self._too_large = None
        if not self.close_sent and not self.transport.is_closing():
            self._fail(CloseCode.MESSAGE_TOO_BIG, str(error))

    def _read(self, *, on: bool) -> None:
        if on and self.read_paused:
            self.transport.resume_reading()
        elif not on and not self.read_paused:
            self.transport.pause_reading()
        self.read_paused = not on

    def handle_text(self, event: Frame) -> None:
        """The first frame of a text."""
        self.curr_msg_data_type = "text"
        self.handle_cont(event)

    def handle_bytes(self, event: Frame) -> None:
        """The first frame of bytes."""
        self.curr_msg_data_type = "bytes"
        self.handle_cont(event)

    def handle_cont(self, event: Frame) -> None:
        """Any frame of a message."""
        if event.fin and not self._message:
            self._deliver(bytes(event.data))
            return
        self._message += event.data
        if event.fin:
            message, self._message = bytes(self._message), bytearray()
            self._deliver(message)

    def _deliver(self, message: bytes) -> None:
        if self.close_sent:
            return
        if self.curr_msg_data_type == "bytes":
            self.queue.put_nowait({"type": "websocket.receive", "bytes": message})
        else:
            try:
                text = message.decode()
            except UnicodeDecodeError:
                self._fail(CloseCode.INVALID_DATA, "a text message is not UTF-8")
                return
            self.queue.put_nowait({"type": "websocket.receive", "text": text})
        self._inflow.delivered(len(message))

    def handle_ping(self) -> None:
        """Answer now, or, where earlier answers have not been taken yet, when they have."""
        answer = b"".join(self.conn.data_to_send())
        if self.writable.is_set():
            self.transport.write(answer)
        else:
            self._pong = answer

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        if self._pong and not self._failed:
            self.transport.write(self._pong)
        self._pong = b""

    # --- writing and the end

    async def send(self, message: Any) -> None:
        """An event of the application. Raises ClientDisconnected where the client can hear nothing any more."""
        await self.writable.wait()
        if self._failed or (message["type"] == "websocket.send" and self.transport.is_closing()):
            raise ClientDisconnected
        opening = not self.handshake_complete
        await super().send(message)
        if self.close_sent:
            self._inflow.end()
        if opening and self.close_sent:
            # Uvicorn takes a socket that was refused by a status for one that was forgotten.
            self.handshake_complete = True
            status, _, body = self.initial_response or (403, [], b"")
            self._say_refused(status, body)
        elif opening or self.close_sent:
            self._pump()

    def handle_parser_exception(self) -> None:
        """What came is no WebSocket frame: the Close frame that says so is ready."""
        if (close := self.conn.close_sent) is not None:
            self._part(close.code, close.reason)

    def _fail(self, code: int, reason: str) -> None:
        self.conn.send_close(code, reason)
        self._part(code, reason)

    def _part(self, code: int, reason: str) -> None:
        log.info("closed a socket: %d %s", code, reason)
        self._failed = self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_timer = Farewell(self.transport, self, self.loop).timer

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

    def _say_refused(self, status: int, body: bytes) -> None:
        path, reason = quoted(self.request.path.partition("?")[0]), body[:QUOTED_BYTES].decode(errors="replace").strip()
        log.info("refused a socket at %s: %d%s", path, status, reason and f" {reason}")
