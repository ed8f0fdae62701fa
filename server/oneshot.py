"""One session behind one request by REST or one file: commands in, events out, in order. There is no HTTP here.

It is admitted, counted and ended like any other: a full server refuses it, a draining one lets it finish, and who
leaves takes it along. A command waits while the session has too much input; so whoever says more only when it has told
what was said before never has more of it waiting than the client has left unread.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable
from contextlib import aclosing

from dragoman.config.settings import Settings
from dragoman.models.errors import ModelError
from dragoman.pipeline.audio.errors import AudioError
from dragoman.pipeline.events import Ended, Event, Speech, Transcript, Translation
from dragoman.pipeline.observer import SessionObserver
from dragoman.server.commands import Command, Finish, Key, Open
from dragoman.server.failures import Failure, InternalError, OutputNotRead, ShuttingDown
from dragoman.server.hosting import Host
from dragoman.server.limits import Place
from dragoman.server.services import Services

log = logging.getLogger("dragoman.server.oneshot")

KEY = 0
"""The only session's."""


class OneShot:
    """A request's session (a `hosting.Guest` of it).

    `settings`, `observer` and `enter` are as in `Host`. Who minds the session's place itself (`enter`) ends it itself
    when the server does; any other session is told by the server.
    """

    def __init__(
        self,
        services: Services,
        protocol: str,
        *,
        settings: Settings | None = None,
        observer: SessionObserver | None = None,
        enter: Callable[[], Place] | None = None,
    ) -> None:
        self.protocol = protocol
        self.session_id = ""
        """Empty until the session runs."""
        self._services = services
        self._host = Host(self, services, settings=settings, observer=observer, enter=enter)
        self._minded = enter is not None
        self._events: deque[Event] = deque()
        self._waiting_bytes = 0
        self._changed = asyncio.Event()
        self._error: Exception | None = None

    async def events(self, opening: Open, commands: AsyncIterator[Command]) -> AsyncGenerator[Event, None]:
        """Open the session, carry `commands` out and end its input; what happens in it, but for its end.

        To be closed (`aclosing`) by whoever does not hear all of it. Raises Failure, ModelError or AudioError, and
        OSError where the commands do.
        """
        feeding: asyncio.Task[None] | None = None
        try:
            await self.carry_out(opening)
            self._check()
            feeding = asyncio.create_task(self._feed(commands))
            async for event in self.told():
                yield event
        finally:
            if feeding is not None:
                feeding.cancel()
                await asyncio.wait({feeding})
            await self.close()

    async def carry_out(self, command: Command) -> None:
        """Do what a command says; whoever gives them one by one hears of it by `told`, and has to `close`."""
        if isinstance(command, Open) and not self._minded:
            self._services.connections.add(self)
        await self._host.carry_out(command)

    async def told(self) -> AsyncGenerator[Event, None]:
        """What happens, but for its end. Raises what ended the session or kept it from being opened."""
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

    async def close(self) -> None:
        """End the session, if it has not ended."""
        self._services.connections.discard(self)
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
        except (Failure, ModelError, AudioError, OSError) as error:  # the last where a file cannot be read
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
