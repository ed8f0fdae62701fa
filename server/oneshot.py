"""One session for one request by REST: opened, fed and heard to its end. There is no HTTP here.

It is admitted, counted and ended like any other: a full server refuses it, a draining one lets it finish, and who
leaves takes it along.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Hashable
from contextlib import aclosing

from dragoman.models.errors import ModelError
from dragoman.pipeline.events import Ended, Event, Speech, Transcript, Translation
from dragoman.server.commands import Command, Finish, Key, Open
from dragoman.server.failures import Failure, InternalError, OutputNotRead, ShuttingDown
from dragoman.server.hosting import Host
from dragoman.server.services import Services

log = logging.getLogger("dragoman.server.oneshot")

KEY = 0
"""The only session's."""


class OneShot:
    """A request's session (a `hosting.Guest` of it)."""

    def __init__(self, services: Services, protocol: str) -> None:
        self.protocol = protocol
        self.session_id = ""
        """Empty until the session runs."""
        self._services = services
        self._host = Host(self, services)
        self._events: deque[Event] = deque()
        self._waiting_bytes = 0
        self._changed = asyncio.Event()
        self._error: Exception | None = None

    async def events(self, opening: Open, commands: AsyncIterator[Command]) -> AsyncGenerator[Event, None]:
        """Open the session, carry `commands` out and end its input; what happens in it, but for its end.

        To be closed (`aclosing`) by whoever does not hear all of it. Raises Failure, ModelError or AudioError.
        """
        self._services.connections.add(self)
        feeding: asyncio.Task[None] | None = None
        try:
            await self._host.carry_out(opening)
            self._check()
            feeding = asyncio.create_task(self._feed(commands))
            while True:
                while not self._events:
                    self._check()
                    self._changed.clear()
                    await self._changed.wait()
                event = self._events.popleft()
                if isinstance(event, Ended):
                    return
                if isinstance(event, Speech):
                    self._waiting_bytes -= len(event.audio)
                yield event
        finally:
            self._services.connections.discard(self)
            if feeding is not None:
                feeding.cancel()
                await asyncio.wait({feeding})
            await self._host.close()

    @property
    def busy(self) -> bool:
        """Whether the session runs, or something of it was not taken yet."""
        return self._host.busy or bool(self._events)

    def shut_down(self) -> None:
        """The server is ending."""
        self._fail(ShuttingDown())

    def hurry(self) -> None:
        """What waits is not wanted any more."""
        self._events.clear()
        self._fail(ShuttingDown())

    # What the session tells (hosting.Guest).

    def opened(self, key: Key, session_id: str) -> None:
        """The session runs."""
        del key
        self.session_id = session_id

    def event(self, key: Key, event: Event) -> None:
        """Something happened."""
        del key
        settings, usage = self._services.settings, self._services.usage
        if isinstance(event, Translation):
            usage.text_out += len(event.text)
        elif isinstance(event, Speech):
            usage.audio_out_s += event.stop_s - event.start_s
            self._waiting_bytes += len(event.audio)
            if self._waiting_bytes > settings.limits.output_wait_bytes:
                self._fail(OutputNotRead(f"more than {settings.limits.output_wait_bytes} bytes"))
                return
        if settings.log_transcripts and isinstance(event, Transcript | Translation):
            log.debug("%s %s: %s", type(event).__name__.lower(), event.language, event.text)
        self._events.append(event)
        self._changed.set()

    def failed(self, key: Key, error: Exception) -> None:
        """The session could not be opened, or ended with an error."""
        del key
        self._fail(error)

    def refused(self, key: Key, text_id: Hashable, error: ModelError) -> None:
        """A text is not said: then nothing is."""
        del key, text_id
        self._fail(error)

    async def _feed(self, commands: AsyncIterator[Command]) -> None:
        try:
            async for command in commands:
                await self._host.carry_out(command)
            await self._host.carry_out(Finish(KEY))
        except Failure as error:
            self._fail(error)
        except Exception:
            log.exception("a request broke")
            self._fail(InternalError(self.session_id or "-"))

    def _fail(self, error: Exception) -> None:
        self._error = self._error or error
        self._changed.set()
        self._host.abort()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error


async def heard(shot: OneShot, opening: Open, commands: AsyncIterator[Command]) -> list[Event]:
    """All that happens in a session whose events are few. Raises what `OneShot.events` raises."""
    async with aclosing(shot.events(opening, commands)) as events:
        return [event async for event in events]
