"""A session behind one request by REST or one file, as whoever asked for it sees it: commands in, events out, in order.

A command waits while the session has too much input; so whoever says more only when it has told what was said before
never has more of it waiting than the client has left unread.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable

from dragoman.config.settings import Settings
from dragoman.models.errors import ModelError
from dragoman.pipeline.events import Ended, Event
from dragoman.pipeline.observer import SessionObserver
from dragoman.server.commands import Command, Key
from dragoman.server.hosting import Host
from dragoman.server.limits import Place
from dragoman.server.services import Services


class OneShot:
    """One session (hosting.Guest). To be closed by whoever made it. The rest is as in `Host`."""

    def __init__(
        self,
        protocol: str,
        services: Services,
        *,
        settings: Settings | None = None,
        observer: SessionObserver | None = None,
        enter: Callable[[], Place] | None = None,
    ) -> None:
        self.protocol = protocol
        self._host = Host(self, services, settings=settings, observer=observer, enter=enter)
        self._told: asyncio.Queue[Event | Exception] = asyncio.Queue()

    async def carry_out(self, *commands: Command) -> None:
        """Do what the commands say."""
        for command in commands:
            await self._host.carry_out(command)

    async def events(self) -> AsyncIterator[Event]:
        """What happens, `Ended` at last. Raises what ended the session or kept it from being opened."""
        while True:
            told = await self._told.get()
            if isinstance(told, Exception):
                raise told
            yield told
            if isinstance(told, Ended):
                return

    async def close(self) -> None:
        """End the session, if it has not ended."""
        await self._host.close()

    # What the session tells (hosting.Guest).

    def opened(self, key: Key, session_id: str) -> None:
        """Nothing is said about it."""
        del key, session_id

    def event(self, key: Key, event: Event) -> None:
        """Keep what happened."""
        del key
        self._told.put_nowait(event)

    def failed(self, key: Key, error: Exception) -> None:
        """Keep why the session ended."""
        del key
        self._told.put_nowait(error)

    def refused(self, key: Key, text_id: Hashable, error: ModelError) -> None:
        """A text that is not said ends it."""
        del key, text_id
        self._told.put_nowait(error)
