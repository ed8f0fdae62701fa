"""Gets the files of transcriptions that are elsewhere, before their turn comes: a slow host keeps no transcription
waiting but those of files that are to be fetched too."""

import asyncio
import logging
import tempfile
from collections.abc import Callable

from dragoman.config.settings import Settings
from dragoman.server.outgoing import Outgoing, OutgoingError, TooLarge
from dragoman.server.uploads.shelf import TO_FETCH, StoreFull
from dragoman.server.uploads.store import FETCHED, Store, Transcription
from dragoman.server.uploads.transcriber import Transcriber
from dragoman.server.uploads.worker import Worker

log = logging.getLogger("dragoman.server.uploads")

FETCHERS = 4
"""Files that are fetched at once."""


class Fetcher(Worker):
    """Works on what is to be fetched; keys take turns."""

    def __init__(
        self, settings: Settings, store: Store, transcriber: Transcriber, outgoing: Outgoing, over: Callable[[], None]
    ) -> None:
        super().__init__()
        self._settings = settings
        self._store = store
        self._transcriber = transcriber
        self._outgoing = outgoing
        self._over = over

    async def next(self) -> Transcription | None:
        """What is to be fetched."""
        job = await asyncio.to_thread(self._store.next, self.turns.served, TO_FETCH)
        if job is not None:
            self.turns.take(job.owner)
        return job

    async def take(self, job: Transcription) -> None:
        """Fetch it; why it is not there, is in the store."""
        try:
            await self._fetch(job)
            return
        except OutgoingError as error:
            log.info("the file of transcription %s was not fetched: %s", job.id, error)
            kind = "file_too_large" if isinstance(error, TooLarge) else "invalid_request"
            await asyncio.to_thread(self._store.fail, job.id, kind, f"audio_url: {error}")
        except StoreFull as error:
            await asyncio.to_thread(self._store.fail, job.id, "limit_exceeded", str(error))
        except OSError as error:
            log.error("the file of transcription %s cannot be kept: %s", job.id, error)
            await asyncio.to_thread(self._store.fail, job.id, "service_unavailable", "the file cannot be kept now")
        self._over()

    async def _fetch(self, job: Transcription) -> None:
        url, owner = str(job.request["audio_url"]), job.owner + FETCHED
        with tempfile.TemporaryFile() as file:
            limit_bytes, limit_s = self._settings.limits.upload_bytes, self._settings.outgoing.fetch_s
            size = await self._outgoing.fetch(url, file, limit_bytes, limit_s)
            file.seek(0)
            kept = await asyncio.to_thread(self._store.put, owner, job.filename, None, file, size)
        if not await asyncio.to_thread(self._store.fetched, job.id, kept.id):
            await asyncio.to_thread(self._store.delete_file, owner, kept.id)
        self._transcriber.wake()
