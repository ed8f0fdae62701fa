"""Transcribes uploaded files, as many at once as the operator allows, each as a session that hears at file speed.

A file's session has a place that live sessions leave, and gives it back when one of them needs it; until there is room
again, it is given no more audio. A server that ends puts what it works on back into the queue, on disk.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import BinaryIO

from dragoman.models.base import SAMPLE_RATE_HZ
from dragoman.models.errors import ModelError, OutOfMemory, Overloaded
from dragoman.pipeline.audio.errors import AudioError, BadAudio
from dragoman.pipeline.audio.formats import AudioFormat
from dragoman.pipeline.audio.mp4 import Source, readable
from dragoman.server.commands import Command, Feed, Open
from dragoman.server.failures import Failure, InternalError, NotReady, ShuttingDown, TooManySessions
from dragoman.server.limits import Loan, Place
from dragoman.server.metrics import ProtocolObserver
from dragoman.server.oneshot import KEY, OneShot
from dragoman.server.protocols.soniox.errors import error_of
from dragoman.server.protocols.soniox.files.store import Store, StoreBroken, Transcription
from dragoman.server.protocols.soniox.files.transcript import TranscriptWriter
from dragoman.server.protocols.soniox.start import Request, parse_transcription
from dragoman.server.protocols.soniox.usage import Ledger
from dragoman.server.services import Services

log = logging.getLogger("dragoman.server.soniox")

PROTOCOL = "soniox-async"
LONGEST_S = 300 * 60.0
"""Audio of one file."""
PIECE_BYTES = 65_536
"""So much is read and heard at a time; little more waits in the session."""
SESSION_S = 1e9
"""A file takes as long as it takes."""
AGAIN_S = 10.0
"""Where the engines have no room, it is tried again after so long."""
CLEANING_S = 600.0
MAX_OWNERS = 10_000
"""Of which it is remembered when they were served."""

_LATER = (TooManySessions, ShuttingDown, NotReady, Overloaded, OutOfMemory)


class _Ear(ProtocolObserver):
    """Counts a file's audio, and ends its session where that is too long: a few bytes may hold years of silence."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.metrics, PROTOCOL)
        self.heard_s = 0.0

    def audio_in(self, seconds: float) -> None:
        super().audio_in(seconds)
        self.heard_s += seconds
        if self.heard_s > LONGEST_S:
            raise BadAudio(f"the file is longer than {LONGEST_S / 60:g} minutes")


class Transcriber:
    """The work on what waits in the store."""

    def __init__(self, services: Services, store: Store, ledger: Ledger) -> None:
        self._services = services
        self._store = store
        self._ledger = ledger
        self._came = asyncio.Event()
        self._turns = count(1)
        self._served: dict[str, int] = {}
        """When each owner was served last."""

    def wake(self) -> None:
        """Something waits."""
        self._came.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work until the block ends."""
        tasks = [asyncio.create_task(self._clean(), name="files-clean")]
        if await asyncio.to_thread(_resume, self._store):
            self.wake()
        workers = range(self._services.settings.limits.transcriptions)
        tasks += [asyncio.create_task(self._work(), name=f"transcribe-{number}") for number in workers]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await asyncio.to_thread(self._store.close)

    async def _work(self) -> None:
        while True:
            self._came.clear()
            try:
                job = await asyncio.to_thread(self._store.next, self._served)
                if job is None:
                    await self._came.wait()
                    continue
                self.wake()  # others may take the one behind it
                if len(self._served) >= MAX_OWNERS:
                    self._served.clear()
                self._served[job.owner] = next(self._turns)
                await self._take(job)
            except StoreBroken:
                await asyncio.sleep(AGAIN_S)

    async def _take(self, job: Transcription) -> None:
        """Transcribe one file; what came of it is in the store."""
        try:
            _, request = parse_transcription(dict(job.request))
            with _opened(self._store.path(job.file_id)) as file:
                audio_ms, transcript = await self._transcribe(job, request, file)
        except _LATER as error:
            log.info("transcription %s waits: %s", job.id, error)
            await asyncio.to_thread(self._store.put_back, job.id)
            await asyncio.sleep(AGAIN_S)
        except FileNotFoundError:
            await asyncio.to_thread(self._store.fail, job.id, "file_not_found", "the file was deleted")
        except (OSError, StoreBroken) as error:
            log.error("the file of transcription %s cannot be read: %s", job.id, error)
            await asyncio.to_thread(self._store.fail, job.id, "service_unavailable", "the file cannot be read now")
        except (Failure, ModelError, AudioError) as error:
            _, kind, text = error_of(error)
            log.info("transcription %s failed: %s", job.id, text)
            await asyncio.to_thread(self._store.fail, job.id, kind, text)
        except Exception:
            log.exception("transcription %s broke", job.id)
            text = str(InternalError(job.id))
            await asyncio.to_thread(self._store.fail, job.id, "internal_error", text)
        else:
            await asyncio.to_thread(self._store.complete, job.id, audio_ms, transcript)

    async def _transcribe(self, job: Transcription, request: Request, file: BinaryIO) -> tuple[int, str]:
        """Length and tokens of a file. Raises whatever ends its session."""
        services, ear, writer = self._services, _Ear(self._services), TranscriptWriter(request)
        limits = services.settings.limits.model_copy(update={"inbox_bytes": PIECE_BYTES, "session_s": SESSION_S})
        settings = services.settings.model_copy(update={"limits": limits})
        place = _Lent(services)
        # The session's own place is nothing: what it may hear depends on the lent one.
        shot = OneShot(services, PROTOCOL, settings=settings, observer=ear, enter=lambda: Place(lambda: None))
        use = self._ledger.begin("async", job.owner, request.model, request.reference)
        try:
            await place.keep()
            source, sound = await asyncio.to_thread(readable, file, request.input_format, SAMPLE_RATE_HZ)
            async with aclosing(shot.events(self._opening(request, sound), _pieces(place, source))) as events:
                async for event in events:
                    writer.event(event)
            text, tokens = await asyncio.to_thread(writer.written)
            use.output_text_tokens = len(tokens)
            written = await asyncio.to_thread(json.dumps, {"text": text, "tokens": tokens})
            return round(ear.heard_s * 1_000), written
        finally:
            place.leave()
            use.input_audio_ms = round(ear.heard_s * 1_000)
            self._ledger.end(use)

    def _opening(self, request: Request, sound: AudioFormat) -> Open:
        # Words are certain at pauses: nobody waits for them, and the engines have least to do. Nobody mutes a
        # microphone either: what the file's session waits for is a place.
        listen = self._services.settings.listen.model_copy(update={"stall_s": 0.0})
        return Open(
            KEY,
            sound,
            None,
            targets=request.targets,
            candidates=request.candidates,
            keywords=request.keywords,
            locks_language=False,
            latency="quality",
            listen=listen,
            speakers=request.diarizes,
        )

    async def _clean(self) -> None:
        """Delete what is too old, on a server too on which nobody asks for anything."""
        while True:
            await asyncio.sleep(min(CLEANING_S, self._services.settings.limits.files_s))
            try:
                await asyncio.to_thread(self._store.expire)
            except StoreBroken:
                continue  # the log has it


class _Lent:
    """A place that may be taken away, and is waited for again."""

    def __init__(self, services: Services) -> None:
        self._admission = services.admission
        self._loan: Loan | None = None

    async def keep(self) -> None:
        """Wait until there is one."""
        if self._loan is None or self._loan.recalled:
            self._loan = await self._admission.until_lent()

    def leave(self) -> None:
        """It is not needed any more."""
        if self._loan is not None:
            self._loan.leave()


def _opened(path: Path) -> BinaryIO:
    """On the event loop, in microseconds: a job that ends while a thread opens its file would leave it open."""
    return path.open("rb")


async def _pieces(place: _Lent, file: Source) -> AsyncGenerator[Command, None]:
    while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
        await place.keep()
        yield Feed(KEY, piece)
    await place.keep()


def _resume(store: Store) -> bool:
    try:
        return store.resume()
    except StoreBroken:
        return False
