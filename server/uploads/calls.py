"""Tells the webhooks of transcriptions that they are over: a few tries each, with growing pauses, over a restart too.

A host that is slow or dead has one of the callers for as long as a try may take, and its key no other meanwhile.
"""

import asyncio
import contextlib
import logging

import msgspec

from dragoman.server.outgoing import Outgoing, OutgoingError
from dragoman.server.uploads.store import Store, Transcription
from dragoman.server.uploads.worker import AGAIN_S, Worker

log = logging.getLogger("dragoman.server.uploads")

CALLERS = 4
"""Webhooks that are told something at once."""
PAUSES_S = (5.0, 60.0, 600.0)
"""Between the tries."""
TRIES = len(PAUSES_S) + 1
LOOK_S = 60.0
"""It is looked so often at least."""


class Caller(Worker):
    """Works on what webhooks are to be told; keys take turns."""

    def __init__(self, limit_s: float, store: Store, outgoing: Outgoing) -> None:
        super().__init__()
        self._limit_s = limit_s
        self._store = store
        self._outgoing = outgoing
        self._busy: set[str] = set()
        """Keys whose webhooks are being told something."""
        self._choosing = asyncio.Lock()

    async def next(self) -> Transcription | None:
        """What a webhook is to be told; its key has no other told meanwhile."""
        async with self._choosing:
            lease_s = self._limit_s + AGAIN_S
            job = await asyncio.to_thread(self._store.next_call, self.turns.served, frozenset(self._busy), lease_s)
            if job is not None:
                self.turns.take(job.owner)
                self._busy.add(job.owner)
            return job

    async def take(self, job: Transcription) -> None:
        """Tell it."""
        try:
            await self._tell(job)
        finally:
            self._busy.discard(job.owner)
            self.wake()

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

    async def idle(self) -> None:
        """Until the next try is due, or something else is over."""
        at_s = await asyncio.to_thread(self._store.next_call_at)
        wait_s = None if at_s is None else min(max(at_s - self._store.now(), 1.0), LOOK_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self.came.wait()
