"""Tells the webhooks of transcriptions that they are over: a few tries each, with growing pauses, over a restart too.

A host that is slow or dead has one of the callers for as long as a try may take, and its key no other meanwhile.
"""

import asyncio
import contextlib
import logging
from itertools import count

import msgspec

from dragoman.server.outgoing import Outgoing, OutgoingError
from dragoman.server.uploads.shelf import StoreBroken
from dragoman.server.uploads.store import Store, Transcription
from dragoman.server.uploads.transcriber import AGAIN_S, MAX_OWNERS

log = logging.getLogger("dragoman.server.uploads")

CALLERS = 4
"""Webhooks that are told something at once."""
PAUSES_S = (5.0, 60.0, 600.0)
"""Between the tries."""
TRIES = len(PAUSES_S) + 1
LOOK_S = 60.0
"""It is looked so often at least."""


class Caller:
    """Works on what webhooks are to be told; keys take turns."""

    def __init__(self, limit_s: float, store: Store, outgoing: Outgoing) -> None:
        self._limit_s = limit_s
        self._store = store
        self._outgoing = outgoing
        self._changed = asyncio.Event()
        self._turns = count(1)
        self._served: dict[str, int] = {}
        self._busy: set[str] = set()
        """Keys whose webhooks are being told something."""
        self._choosing = asyncio.Lock()

    def wake(self) -> None:
        """Something is over."""
        self._changed.set()

    async def work(self) -> None:
        """Work for ever."""
        while True:
            self._changed.clear()
            try:
                job = await self._next()
                if job is None:
                    await self._until_due()
                    continue
                self.wake()  # others may take the one behind it
                try:
                    await self._tell(job)
                finally:
                    self._busy.discard(job.owner)
                    self.wake()
            except StoreBroken:
                await asyncio.sleep(AGAIN_S)

    async def _next(self) -> Transcription | None:
        async with self._choosing:
            lease_s = self._limit_s + AGAIN_S
            job = await asyncio.to_thread(self._store.next_call, self._served, frozenset(self._busy), lease_s)
            if job is not None:
                if len(self._served) >= MAX_OWNERS:
                    self._served.clear()
                self._served[job.owner] = next(self._turns)
                self._busy.add(job.owner)
            return job

    async def _tell(self, job: Transcription) -> None:
        name, value = (job.request.get(f"webhook_auth_header_{part}") for part in ("name", "value"))
        headers = [(name, value)] if name and value else []
        body = msgspec.json.encode({"id": job.id, "status": job.status})
        status = None
        try:
            status = await self._outgoing.post(str(job.request["webhook_url"]), headers, body, self._limit_s)
        except OutgoingError as error:
            log.info("the webhook of transcription %s was not told: %s", job.id, error)
        done = status is not None and 200 <= status < 300
        await asyncio.to_thread(self._store.called, job.id, status, PAUSES_S, done=done)

    async def _until_due(self) -> None:
        at_s = await asyncio.to_thread(self._store.next_call_at)
        wait_s = None if at_s is None else min(max(at_s - self._store.now(), 1.0), LOOK_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._changed.wait()
