"""Drives any protocol over one WebSocket: reader, writer, patience, and the closing handshake.

This is the only place that awaits a socket. The reader takes messages to the adapter and has its commands carried out
(`hosting.py`); it waits for a session that has too much input, never for the writer. The writer sends what the adapter
renders. Sending never raises into whoever has something to say. Whatever goes wrong becomes a message in the vendor's
form and then a Close frame; the connection never ends without one unless the client is gone.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterable, Sequence
from enum import Enum, auto
from itertools import count
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from dragoman.models.errors import ModelError
from dragoman.pipeline.events import Ended, Event, Transcript, Translation
from dragoman.pipeline.patience import Patience
from dragoman.server.commands import Adapter, Admit, Close, Command, Finish, Key, Open, Output, Send
from dragoman.server.failures import (
    Failure,
    IdleTooLong,
    InternalError,
    MessageTooLarge,
    OutputNotRead,
    ShuttingDown,
)
from dragoman.server.hosting import Host
from dragoman.server.origins import page_refusal
from dragoman.server.outbox import Outbox
from dragoman.server.phases import step
from dragoman.server.services import Services
from dragoman.server.websocket import transport_of

log = logging.getLogger("dragoman.server.connection")

FIRST_MESSAGE_S = 5.0
"""A client that is refused is told so after its first message, or after this long."""
INLINE_CHARACTERS = 65_536
"""A message this long is read within a fraction of a millisecond; longer ones are read in a worker."""
MESSAGES_IN_A_ROW = 16
"""After as many messages that had come already, everybody else has a turn."""
CLOSE_S = 5.0
"""How long the last messages and the Close frame may take to leave."""
SERVER_FAULT = 1011


class Phase(Enum):
    """Where a connection is. It only goes forward."""

    ACCEPTING = auto()
    OPEN = auto()
    OVERDUE = auto()
    """The client has fallen silent: its sessions say what they have heard, then the connection closes."""
    CLOSING = auto()
    """The Close frame waits to be sent; nothing is said behind it, and nothing more is listened to."""
    CLOSED = auto()


_BEFORE = {
    Phase.OPEN: (Phase.ACCEPTING,),
    Phase.OVERDUE: (Phase.OPEN,),
    Phase.CLOSING: (Phase.OPEN, Phase.OVERDUE),
    Phase.CLOSED: (Phase.ACCEPTING, Phase.OPEN, Phase.OVERDUE, Phase.CLOSING),
}


Doorkeeper = Callable[[str | None], Awaitable[object]]
"""Looks at a key that came in a message, and gives what it allows or raises a Failure."""


class Connection:
    """One client's socket from accept to close (a `hosting.Guest` of its sessions).

    `admit` is needed where the adapter asks for it (`commands.Admit`).
    """

    def __init__(
        self, socket: WebSocket, adapter: Adapter, services: Services, admit: Doorkeeper | None = None
    ) -> None:
        limits = services.settings.limits
        self.protocol = adapter.protocol
        self.phase = Phase.ACCEPTING
        self._socket = socket
        self._adapter = adapter
        self._admit = admit
        self._services = services
        self._outbox = Outbox(limits.output_wait_s, limits.output_wait_bytes)
        self._host = Host(self, services)
        self._patience = Patience(self._lose_patience)
        self._overdue: IdleTooLong | None = None
        """Why the connection ends once the sessions have said everything."""
        self._ended: set[Key] = set()
        """The sessions that have said everything since then."""
        self._farewell: list[Output] = []
        """What the client is told at the end of all, once that is known."""
        self._writer: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(
        self, refusal: Failure | None = None, subprotocol: str | None = None, *, first: object = None
    ) -> None:
        """Run until either side closes. `refusal` is told to the client, and that is all that happens; a page that may
        not come in is refused first, whatever the vendor knows of it.

        `first` is what the adapter receives before any message, where the address says all that one would.
        """
        refusal = page_refusal(self._socket.scope) or refusal
        try:
            try:
                await self._socket.accept(subprotocol)
            except (WebSocketDisconnect, RuntimeError, OSError):
                return  # the client went before it was let in
            self._advance(Phase.OPEN)
            self._services.connections.add(self)
            reader = self._spawn(self._read(first) if refusal is None else self._refuse(refusal))
            writer = self._writer = self._spawn(self._write())
            await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
            if _broke(reader):
                self._fail(None, InternalError("-"))
                await asyncio.wait({writer}, timeout=CLOSE_S)
            if _broke(writer):
                async with asyncio.timeout(CLOSE_S):
                    await self._socket.close(SERVER_FAULT)
        finally:
            self._services.connections.discard(self)
            self._patience.stop()
            self._advance(Phase.CLOSED)
            self._host.abort()
            for task in tuple(self._tasks):
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)
            await self._host.close()

    @property
    def busy(self) -> bool:
        """Whether a session runs, or something that was said has not been sent yet."""
        return self._host.busy or len(self._outbox) > 0

    @property
    def _talks(self) -> bool:
        """Whether something may still be said."""
        return self.phase in (Phase.OPEN, Phase.OVERDUE)

    def shut_down(self) -> None:
        """Tell the client, behind all that was said, that the server is ending, and close."""
        self._fail(None, ShuttingDown())

    def hurry(self) -> None:
        """What still waits is not sent any more; only why, and the Close frame."""
        if self.phase is Phase.CLOSED or not len(self._outbox):
            return
        self._outbox.clear()
        for output in self._farewell or self._last_words(ShuttingDown()):
            self._outbox.force(output)

    # What the sessions tell (hosting.Guest).

    def opened(self, key: Key, session_id: str) -> None:
        """A session runs: from now on the client may send as much as its session takes."""
        transport_of(self._socket.scope).admit()
        self._say(self._adapter.opened(key, session_id))

    def event(self, key: Key, event: Event) -> None:
        """Render what happened in a session."""
        if not self._talks:
            return
        if self._overdue is not None and isinstance(event, Ended):
            self._ended.add(key)
            # Behind the last one; what others have said may have waited for them. A session that has ended may be known
            # for a moment still.
            if self._ended.issuperset(self._host.keys):
                self._fail(None, self._overdue)
                return
        if isinstance(event, Translation):
            self._services.usage.text_out += len(event.text)
        if self._services.settings.log_transcripts and isinstance(event, Transcript | Translation):
            log.debug("%s %s: %s", type(event).__name__.lower(), event.language, event.text)
        self._say(self._adapter.event(key, event))

    def failed(self, key: Key, error: Exception) -> None:
        """A session could not be opened, or ended with an error."""
        self._fail(key, error)
        if self._overdue is not None and self._ended.issuperset(self._host.keys):
            self._fail(None, self._overdue)

    def refused(self, key: Key, text_id: Hashable, error: ModelError) -> None:
        """A text is not said."""
        self._say(self._adapter.refused(key, text_id, error))

    # The reader.

    async def _refuse(self, refusal: Failure) -> None:
        # A client that is still sending its first message might lose an answer that comes before it.
        try:
            async with asyncio.timeout(FIRST_MESSAGE_S):
                await self._receive()
        except TimeoutError:
            pass
        except WebSocketDisconnect:
            return
        self._fail(None, refusal)
        await self._read()

    async def _read(self, first: object = None) -> None:
        """Carry messages to the adapter until the client is gone or the Close frame is out."""
        limits = self._services.settings.limits
        if first is not None:
            await self._take(first)
        for number in count(1):
            if number % MESSAGES_IN_A_ROW == 0:
                await asyncio.sleep(0)
            self._patience.wait(min(limits.idle_s, self._adapter.patience_s() or limits.idle_s))
            try:
                message = await self._receive()
            except WebSocketDisconnect:
                return
            finally:
                self._patience.heard()
            if self.phase is Phase.CLOSING:
                continue
            if len(message) > limits.message_bytes:
                self._fail(None, MessageTooLarge(limits.message_bytes))
                continue
            self._services.usage.messages_in += 1
            await self._take(await self._parse(message))

    async def _receive(self) -> str | bytes:
        event = await self._socket.receive()
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(event.get("code", 1005))
        message: str | bytes | None = event.get("text")
        return message if message is not None else bytes(event["bytes"])

    async def _parse(self, message: str | bytes) -> object:
        if len(message) <= INLINE_CHARACTERS:
            return self._adapter.parse(message)
        return await self._services.parsing.run(self._adapter.parse, message)

    async def _take(self, parsed: object) -> None:
        """Let the adapter receive a message, and do what it says."""
        await self._do(self._adapter.receive(parsed))

    async def _do(self, actions: Sequence[Command | Output]) -> None:
        for action in actions:
            if isinstance(action, Open) and action.after is not None:
                self._host.keep_places(action.after)
        try:
            for action in actions:
                if isinstance(action, Send | Close):
                    self._say([action])
                elif isinstance(action, Admit):
                    await self._look_at(action.key)
                elif self.phase is not Phase.CLOSING:
                    await self._host.carry_out(action)
        finally:
            self._host.give_up_places()

    async def _look_at(self, key: str | None) -> None:
        assert self._admit is not None, "this adapter's connections need somebody who looks at keys"  # noqa: S101
        try:
            grant = await self._admit(key)
        except Failure as error:
            self._fail(None, error)
        else:
            await self._do(self._adapter.admitted(grant))

    def _lose_patience(self, limit_s: float) -> None:
        """The client has fallen silent: say what was heard, then why nothing follows."""
        # Who has said everything may listen for as long as it takes.
        if not self._talks or (self._host.keys and not self._host.hearing):
            return
        self._overdue = self._overdue or IdleTooLong(limit_s)
        if not self._host.keys:
            self._fail(None, self._overdue)
        elif self.phase is Phase.OPEN:
            self._advance(Phase.OVERDUE)
            self._spawn(self._finish_all())

    async def _finish_all(self) -> None:
        for key in self._host.hearing:
            await self._host.carry_out(Finish(key))

    # The writer.

    async def _write(self) -> None:
        """Send what is in the outbox, up to and including the Close frame."""
        patience_s = self._services.settings.limits.output_wait_s
        # The client may go while we write; the reader learns of it too.
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError):
            while True:
                output = await self._outbox.get()
                async with asyncio.timeout(patience_s):
                    if isinstance(output, Close):
                        await self._socket.close(output.code, output.reason)
                        return
                    await self._send(output)

    async def _send(self, message: Send) -> None:
        if message.error is not None:
            self._services.metrics.errors.labels(self.protocol, str(message.error)).inc()
        self._services.usage.messages_out += 1
        self._services.usage.audio_out_s += message.audio_s
        if isinstance(message.data, str):
            await self._socket.send_text(message.data)
        else:
            await self._socket.send_bytes(message.data)

    # Endings.

    def _say(self, outputs: Iterable[Output]) -> None:
        """Put what the adapter rendered into the outbox; who reads too little of it is told so, and nothing else."""
        for output in outputs:
            if not self._talks:
                return
            if isinstance(output, Close):
                self._outbox.force(output)
                self._advance(Phase.CLOSING)
            elif (waiting := self._outbox.put(output)) is not None:
                self._fail(None, OutputNotRead(waiting))

    def _fail(self, key: Key | None, error: Exception) -> None:
        """Tell the client what ended a session, or, where `key` is None, what concerns the whole connection."""
        if not self._talks:
            return
        log.info("told the client: %s", error)
        if key is not None:
            self._say(self._adapter.failed(key, error))
            return
        if isinstance(error, OutputNotRead):
            # Who does not read cannot be told anything either; it gets a moment, then the socket goes.
            self._outbox.clear()
            self._leave_in(CLOSE_S)
        outputs = self._last_words(error)
        for output in outputs:
            self._outbox.force(output)
            if isinstance(output, Close):
                self._farewell = outputs
                self._advance(Phase.CLOSING)
                self._host.abort()
                return

    def _last_words(self, error: Exception) -> list[Output]:
        """What the vendor's clients are told of the end of a connection; a Close is among it where it must close."""
        try:
            outputs = list(self._adapter.failed(None, error))
        except Exception:
            log.exception("the error could not be told")
            outputs = []
        closes = any(isinstance(output, Close) for output in outputs)
        if not closes and not isinstance(error, MessageTooLarge):  # of which a vendor may make nothing more
            outputs.append(Close(SERVER_FAULT))
        return outputs

    def _leave_in(self, seconds: float) -> None:
        """Whatever the client does not take within this time is not sent."""
        if self._writer is not None:
            asyncio.get_running_loop().call_later(seconds, self._writer.cancel)

    def _advance(self, phase: Phase) -> None:
        self.phase = step(self.phase, phase, _BEFORE)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if _broke(task):
            log.error("connection broke", exc_info=task.exception())


def _broke(task: asyncio.Task[None]) -> bool:
    """Whether a task ended with an exception of its own."""
    return task.done() and not task.cancelled() and task.exception() is not None
