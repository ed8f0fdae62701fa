"""The uploaded files of one server: where they are kept, and all who work on them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from dragoman.server.outgoing import Outgoing
from dragoman.server.services import Services
from dragoman.server.uploads.calls import CALLERS, Caller
from dragoman.server.uploads.fetching import FETCHERS, Fetcher
from dragoman.server.uploads.shelf import StoreBroken
from dragoman.server.uploads.store import Store
from dragoman.server.uploads.transcriber import CLEANING_S, Transcriber


class Uploads:
    """The store and its workers, which run inside `running`."""

    def __init__(self, services: Services, outgoing: Outgoing | None = None) -> None:
        settings = services.settings
        limits = self._limits = settings.limits
        self.outgoing = outgoing or Outgoing(settings.outgoing)
        self.store = Store(settings.files_path, files_bytes=limits.files_bytes, files_s=limits.files_s)
        self.caller = Caller(settings.outgoing.webhook_s, self.store, self.outgoing)
        self.transcriber = Transcriber(services, self.store, self.caller.wake)
        self.fetcher = Fetcher(settings, self.store, self.transcriber, self.outgoing, self.caller.wake)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work until the block ends."""
        if await asyncio.to_thread(self._resume):
            self.transcriber.wake()
        work = [self._clean(), *(self.transcriber.work() for _ in range(self._limits.transcriptions))]
        work += [*(self.fetcher.work() for _ in range(FETCHERS)), *(self.caller.work() for _ in range(CALLERS))]
        tasks = [asyncio.create_task(one, name=f"uploads-{number}") for number, one in enumerate(work)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await asyncio.to_thread(self.store.close)

    def _resume(self) -> bool:
        try:
            return self.store.resume()
        except StoreBroken:
            return False

    async def _clean(self) -> None:
        """Delete what is too old, on a server too on which nobody asks for anything."""
        while True:
            await asyncio.sleep(min(CLEANING_S, self._limits.files_s))
            try:
                await asyncio.to_thread(self.store.expire)
            except StoreBroken:
                continue  # the log has it
