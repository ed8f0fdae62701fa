"""An adapter without a socket: all that a client has to say is there, and what it is told is read one after the other.

So what a vendor serves on a socket is served by REST too, by the same adapter.
"""

import asyncio
import logging
from collections.abc import AsyncIterable, AsyncIterator, Hashable, Iterable
from typing import Self

from dragoman.models.errors import ModelError
from dragoman.pipeline.audio.errors import AudioError
from dragoman.pipeline.events import Event, Translation
from dragoman.server.commands import Adapter, Close, Key, Output, Send
from dragoman.server.failures import InternalError, OutputNotRead, ShuttingDown
from dragoman.server.hosting import Host
from dragoman.server.outbox import Outbox
from dragoman.server.services import Services

log = logging.getLogger("dragoman.server.exchange")

SERVER_FAULT = 1011


class Exchange:
    """One client's request from beginning to end (a `hosting.Guest` of its sessions); use it as a context manager.

    `messages` are what the adapter receives, in order: what its `parse` would give; they may raise AudioError. Who does
    not read what it is told is cut off as on a socket.
    """

    def __init__(self, adapter: Adapter, services: Services, messages: AsyncIterable[object]) -> None:
        limits = services.settings.limits
        self.protocol = adapter.protocol
        self.fault: Exception | None = None
        """What went wrong first in a session, or with all of it."""
        self._adapter = adapter
        self._services = services
        self._messages = messages
        self._outbox = Outbox(limits.output_wait_s, limits.output_wait_bytes)
        self._host = Host(self, services)
        self._closing = False
        self._feeding: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._services.connections.add(self)
        self._feeding = asyncio.create_task(self._feed())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._services.connections.discard(self)
        self._closing = True
        self._host.abort()
        if self._feeding is not None:
            self._feeding.cancel()
            await asyncio.wait({self._feeding})
        await self._host.close()

    async def told(self) -> AsyncIterator[Send]:
        """What the client is told, until it would be closed on."""
        while not isinstance(output := await self._outbox.get(), Close):
            if output.error is not None:
                self._services.metrics.errors.labels(self.protocol, str(output.error)).inc()
            self._services.usage.messages_out += 1
            self._services.usage.audio_out_s += output.audio_s
            yield output

    # What a server that ends wants to know (services.Closable).

    @property
    def busy(self) -> bool:
        """Whether a session runs, or something that was said has not been read yet."""
        return self._host.busy or len(self._outbox) > 0

    def shut_down(self) -> None:
        """Say, behind all that waits, that the server is ending."""
        self._fail(None, ShuttingDown())

    def hurry(self) -> None:
        """Forget what waits, and say only that."""
        self._outbox.clear()
        self._outbox.force(Close(SERVER_FAULT))

    # What the sessions tell (hosting.Guest).

    def opened(self, key: Key, session_id: str) -> None:
        """A session runs."""
        self._say(self._adapter.opened(key, session_id))

    def event(self, key: Key, event: Event) -> None:
        """Render what happened in a session."""
        if isinstance(event, Translation):
            self._services.usage.text_out += len(event.text)
        self._say(self._adapter.event(key, event))

    def failed(self, key: Key, error: Exception) -> None:
        """A session could not be opened, or ended with an error."""
        self._fail(key, error)

    def refused(self, key: Key, text_id: Hashable, error: ModelError) -> None:
        """A text is not said."""
        self._say(self._adapter.refused(key, text_id, error))

    async def _feed(self) -> None:
        try:
            async for message in self._messages:
                for action in self._adapter.receive(message):
                    if isinstance(action, Send | Close):
                        self._say([action])
                    elif not self._closing:
                        await self._host.carry_out(action)
        except AudioError as error:  # where a file is read that no session could read
            self._fail(None, error)
        except Exception:
            log.exception("exchange broke")
            self._fail(None, InternalError("-"))

    def _fail(self, key: Key | None, error: Exception) -> None:
        if self._closing:
            return
        log.info("told the client: %s", error)
        self.fault = self.fault or error
        self._say(self._adapter.failed(key, error))
        if key is None and not self._closing:
            self._say([Close(SERVER_FAULT)])

    def _say(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            if self._closing:
                return
            if isinstance(output, Close):
                self._closing = True
                self._outbox.force(output)
                self._host.abort()
            elif (waiting := self._outbox.put(output)) is not None:
                self._outbox.clear()
                self._fail(None, OutputNotRead(waiting))
