"""Drives any protocol over one WebSocket: reader, writer, sessions, limits and the closing handshake.

This is the only place that awaits a socket. The reader takes messages to the adapter and carries out its commands; it
waits for a session that has too much input, never for the writer. The writer sends what the adapter renders. Sessions
run in tasks of their own. Whatever goes wrong becomes a message in the vendor's form and then a Close frame; the
connection never ends without one unless the client is gone.
"""

import asyncio
import logging
import math
import uuid
from collections.abc import Iterable

from starlette.websockets import WebSocket, WebSocketDisconnect

from dragoman.models import remedies
from dragoman.models.base import LanguagePair
from dragoman.models.batching import RECOVERY_S
from dragoman.models.errors import ModelError, NoTranslator, Overloaded
from dragoman.pipeline.audio.errors import AudioError
from dragoman.pipeline.events import Ended, Event, Transcript, Translation
from dragoman.pipeline.session import Session, SessionRequest
from dragoman.server import logs
from dragoman.server.commands import (
    Abort,
    Adapter,
    Close,
    Command,
    Expect,
    Feed,
    Finish,
    FlushInput,
    Interrupt,
    Key,
    Open,
    Output,
    Say,
    Send,
)
from dragoman.server.failures import (
    Failure,
    IdleTooLong,
    InternalError,
    MessageTooLarge,
    OutputNotRead,
    SessionTooLong,
    ShuttingDown,
)
from dragoman.server.outbox import Outbox
from dragoman.server.services import Services
from dragoman.server.websocket import transport_of

log = logging.getLogger("dragoman.server.connection")

FIRST_MESSAGE_S = 5.0
"""A client that is refused is told so after its first message, or after this long."""
INLINE_CHARACTERS = 65_536
"""A message this long is read within a fraction of a millisecond; longer ones are read in a worker."""
CLOSE_S = 5.0
"""How long the last messages and the Close frame may take to leave."""


class Connection:
    """One client's socket from accept to close."""

    def __init__(self, socket: WebSocket, adapter: Adapter, services: Services) -> None:
        self._socket = socket
        self._adapter = adapter
        self._services = services
        self._outbox = Outbox(services.settings.limits.output_wait_s)
        self._sessions: dict[Key, Session] = {}
        self._hearing: set[Key] = set()
        self._tasks: dict[Session, asyncio.Task[None]] = {}
        self._overdue: IdleTooLong | None = None
        """Why the connection ends once the sessions have said everything."""
        self._observer = services.metrics.observer(adapter.protocol)

    async def serve(
        self, refusal: Failure | None = None, subprotocol: str | None = None, *, first: object = None
    ) -> None:
        """Run until either side closes. `refusal` is told to the client, and that is all that happens.

        `first` is what the adapter receives before any message, where the address says all that one would.
        """
        await self._socket.accept(subprotocol)
        self._services.connections.add(self)
        reader = asyncio.create_task(self._read(first) if refusal is None else self._refuse(refusal))
        self._writer = writer = asyncio.create_task(self._write())
        try:
            await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
            if reader.done() and (error := reader.exception()) is not None:
                log.error("connection broke", exc_info=error)
                self._fail(None, InternalError("-"))
                await asyncio.wait({writer}, timeout=CLOSE_S)
        finally:
            self._services.connections.discard(self)
            await _cancel([reader, writer, *self._tasks.values()])

    @property
    def busy(self) -> bool:
        """Whether a session runs, or something that was said has not been sent yet."""
        return bool(self._tasks or len(self._outbox))

    def shut_down(self) -> None:
        """Tell the client that the server is ending, and close."""
        self._fail(None, ShuttingDown())

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
        while True:
            patience_s = min(limits.idle_s, self._adapter.patience_s() or limits.idle_s)
            try:
                async with asyncio.timeout(patience_s):
                    message = await self._receive()
            except WebSocketDisconnect:
                return
            except TimeoutError:
                await self._lose_patience(IdleTooLong(patience_s))
                continue
            if self._outbox.closing:
                continue
            if len(message) > limits.message_bytes:
                self._fail(None, MessageTooLarge(limits.message_bytes))
                continue
            self._services.usage.messages_in += 1
            await self._take(await self._parse(message))

    async def _take(self, parsed: object) -> None:
        for action in self._adapter.receive(parsed):
            if isinstance(action, Send | Close):
                self._say([action])
            else:
                await self._carry_out(action)

    async def _lose_patience(self, error: IdleTooLong) -> None:
        """The client has fallen silent: say what was heard, then why nothing follows."""
        # Who has said everything may listen for as long as it takes.
        if self._sessions and not self._hearing:
            return
        self._overdue = error
        for key in tuple(self._hearing):
            await self._carry_out(Finish(key))
        if not self._sessions:
            self._fail(None, error)

    async def _receive(self) -> str | bytes:
        event = await self._socket.receive()
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(event.get("code", 1005))
        message: str | bytes | None = event.get("text")
        return message if message is not None else bytes(event["bytes"])

    async def _parse(self, message: str | bytes) -> object:
        if len(message) <= INLINE_CHARACTERS:
            return self._adapter.parse(message)
        return await self._services.offload.run(self._adapter.parse, message)

    async def _carry_out(self, command: Command) -> None:
        if isinstance(command, Open):
            await self._open(command)
            return
        session = self._sessions.get(command.key)
        if session is None:
            return
        if isinstance(command, Feed):
            await session.feed(command.data)
        elif isinstance(command, Say):
            await self._say_text(command, session)
        elif isinstance(command, Interrupt):
            session.interrupt(command.languages)
        elif isinstance(command, Expect):
            await session.expect(command.keywords)
        elif isinstance(command, FlushInput):
            await session.flush(command.flush_id)
        elif isinstance(command, Finish):
            self._hearing.discard(command.key)
            await session.end()
        elif isinstance(command, Abort):
            self._forget(command.key, session)
            self._tasks[session].cancel()

    async def _open(self, command: Open) -> None:
        services = self._services
        session_id = uuid.uuid4().hex
        try:
            await services.until_loaded()
            engines = services.engines
            if starved := engines.exhausted:
                raise Overloaded(starved, RECOVERY_S)
            plan = engines.plan(
                source=command.source,
                target=command.target,
                voice_id=command.voice_id,
                targets=command.targets,
                candidates=command.candidates,
                keywords=command.keywords,
                locks_language=command.locks_language,
                hears=command.hears,
            )
            session = Session(
                SessionRequest(
                    command.input_format,
                    command.output_format,
                    plan,
                    partials=command.partials,
                    latency=command.latency,
                    listen=command.listen,
                    speakers=command.speakers,
                ),
                engines,
                services.settings,
                services.offload,
                session_id=session_id,
                emit=lambda event: self._emit(command.key, event),
                observer=self._observer,
            )
            services.admission.enter()
            transport_of(self._socket.scope).admit()
        except (Failure, ModelError, AudioError) as error:
            self._fail(command.key, error)
            return
        if command.speakers and engines.embedder is None:
            log.warning("a client asks who speaks, and nothing here can tell. %s", remedies.for_speakers())
        self._sessions[command.key] = session
        self._hearing.add(command.key)
        self._say(self._adapter.opened(command.key, session_id))
        limit_s = min(services.settings.limits.session_s, command.limit_s or math.inf)
        task = asyncio.create_task(self._run(command.key, session, limit_s), name=f"session-{session_id}")
        self._tasks[session] = task
        task.add_done_callback(lambda _: self._left(session))

    async def _say_text(self, command: Say, session: Session) -> None:
        given, engines = command.given, self._services.engines
        wishes = [branch.wish for branch in session.request.plan.branches]
        for target in (wish.language for wish in wishes if given.translate):
            if target is not None and not engines.translates(given.language, target):
                pair = LanguagePair(given.language, target)
                error = NoTranslator(pair, remedies.for_translation(pair))
                self._say(self._adapter.refused(command.key, given.text_id, error))
                return
        await session.say(given)

    async def _run(self, key: Key, session: Session, limit_s: float) -> None:
        services, protocol = self._services, self._adapter.protocol
        logs.session_id.set(session.session_id)
        services.metrics.live.add(session)
        services.metrics.running.labels(protocol).inc()
        services.metrics.opened.labels(protocol).inc()
        services.usage.sessions += 1
        plan = session.request.plan
        log.info("session opened: %s, %s to %s", protocol, plan.source or "any language", plan.target or "the same")
        error: Exception | None = None
        try:
            async with asyncio.timeout(limit_s):
                await session.run()
        except TimeoutError:
            error = SessionTooLong(limit_s)
        except (Failure, ModelError, AudioError) as found:
            error = found
        except Exception:
            log.exception("session broke")
            error = InternalError(session.session_id)
        finally:
            services.metrics.live.discard(session)
            services.metrics.running.labels(protocol).dec()
            services.usage.audio_in_s += session.clock.received_s
            self._forget(key, session)
            log.info("session closed after %.1f s of audio", session.clock.received_s)
        if isinstance(error, OutputNotRead):
            self._fail(None, error)
        elif error is not None:
            self._fail(key, error)

    def _forget(self, key: Key, session: Session) -> None:
        # The key may already name the next session.
        if self._sessions.get(key) is session:
            del self._sessions[key]
            self._hearing.discard(key)

    def _left(self, session: Session) -> None:
        del self._tasks[session]
        self._services.admission.leave()

    def _emit(self, key: Key, event: Event) -> None:
        if key not in self._sessions or self._outbox.closing:
            return
        if self._overdue is not None and isinstance(event, Ended):
            if len(self._sessions) == 1:  # the others still have something to say
                self._fail(None, self._overdue)
            return
        if isinstance(event, Translation):
            self._services.usage.text_out += len(event.text)
        if self._services.settings.log_transcripts and isinstance(event, Transcript | Translation):
            log.debug("%s %s: %s", type(event).__name__.lower(), event.language, event.text)
        self._say(self._adapter.event(key, event))

    def _fail(self, key: Key | None, error: Exception) -> None:
        if self._outbox.closing:
            return
        log.info("told the client: %s", error)
        if isinstance(error, OutputNotRead | ShuttingDown):
            # Who does not read cannot be told anything either; it gets a moment, then the socket goes.
            self._outbox.clear()
            asyncio.get_running_loop().call_later(CLOSE_S, self._writer.cancel)
        self._say(self._adapter.failed(key, error))

    def _say(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            self._outbox.put(output)

    async def _write(self) -> None:
        """Send what is in the outbox, up to and including the Close frame."""
        patience_s = self._services.settings.limits.output_wait_s
        while True:
            output = await self._outbox.get()
            try:
                async with asyncio.timeout(patience_s):
                    if isinstance(output, Close):
                        await self._socket.close(output.code, output.reason)
                        return
                    await self._send(output)
            except (WebSocketDisconnect, RuntimeError, OSError):
                # The client went while we wrote; the reader learns of it too.
                return

    async def _send(self, message: Send) -> None:
        if message.error is not None:
            self._services.metrics.errors.labels(self._adapter.protocol, str(message.error)).inc()
        self._services.usage.messages_out += 1
        self._services.usage.audio_out_s += message.audio_s
        if isinstance(message.data, str):
            await self._socket.send_text(message.data)
        else:
            await self._socket.send_bytes(message.data)


async def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel and wait until every task has ended."""
    waiting = [task for task in tasks if not task.done()]
    for task in waiting:
        task.cancel()
    if waiting:
        await asyncio.wait(waiting)
