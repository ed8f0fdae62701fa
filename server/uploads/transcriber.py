"""Transcribes uploaded files, as many at once as the operator allows, each as a session that hears at file speed.

What is asked of a file and what it becomes is the business of the vendor who took it (`Vendor`). A file's session has a
place that live sessions leave, and gives it back when one of them needs it; until there is room again, it is given no
more audio. A server that ends puts what it works on back into the queue, on disk.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Protocol

from dragoman.models.base import SAMPLE_RATE_HZ
from dragoman.models.errors import ModelError, OutOfMemory, Overloaded
from dragoman.pipeline.audio.errors import AudioError, BadAudio
from dragoman.pipeline.audio.formats import AudioFormat
from dragoman.pipeline.audio.mp4 import Source, readable
from dragoman.pipeline.events import Event
from dragoman.server.commands import Command, Feed, Open
from dragoman.server.failures import Failure, InternalError, NotReady, ShuttingDown, TooManySessions
from dragoman.server.limits import Loan, Place
from dragoman.server.metrics import ProtocolObserver
from dragoman.server.oneshot import KEY, OneShot
from dragoman.server.services import Services
from dragoman.server.uploads.shelf import StoreBroken
from dragoman.server.uploads.store import Store, Transcription
from dragoman.server.uploads.worker import AGAIN_S, Worker

log = logging.getLogger("dragoman.server.uploads")

LONGEST_S = 300 * 60.0
"""Audio of one file."""
PIECE_BYTES = 65_536
"""So much is read and heard at a time; little more waits in the session."""
SESSION_S = 1e9
"""A file takes as long as it takes."""
CLEANING_S = 600.0

_LATER = (TooManySessions, ShuttingDown, NotReady, Overloaded, OutOfMemory)


class Work(Protocol):
    """One file in the hands of its vendor."""

    @property
    def sound(self) -> AudioFormat:
        """The file's format, where its bytes are not to say."""
        ...

    def opening(self, sound: AudioFormat) -> Open:
        """What begins its session, in which `sound` is heard."""
        ...

    def event(self, event: Event) -> None:
        """Take what happened."""
        ...

    def written(self) -> str:
        """What is kept of it, as JSON; it may take its time, in a thread."""
        ...

    def over(self, heard_s: float) -> None:
        """The session is over, however it went."""
        ...


class Vendor(Protocol):
    """Whose files are transcribed."""

    protocol: str
    """For metrics and logs."""

    def begin(self, job: Transcription) -> Work:
        """Take a file up. Raises Failure where what was asked for cannot be."""
        ...

    def told(self, error: Exception) -> tuple[str, str]:
        """Kind and text of a Failure, a ModelError or an AudioError."""
        ...

    def finished(self, job: Transcription) -> None:
        """What came of it is in the store. It may block, in a thread."""
        ...


class _Ear(ProtocolObserver):
    """Counts a file's audio, and ends its session where that is too long: a few bytes may hold years of silence."""

    def __init__(self, services: Services, protocol: str) -> None:
        super().__init__(services.metrics, protocol)
        self.heard_s = 0.0

    def audio_in(self, seconds: float) -> None:
        super().audio_in(seconds)
        self.heard_s += seconds
        if self.heard_s > LONGEST_S:
            raise BadAudio(f"the file is longer than {LONGEST_S / 60:g} minutes")


class Transcriber(Worker):
    """The work on what waits in the store."""

    def __init__(self, services: Services, store: Store, over: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._services = services
        self._store = store
        self._over = over
        """To be called when something is over."""
        self._vendors: dict[str, Vendor] = {}

    def serve(self, name: str, vendor: Vendor) -> None:
        """Whose files are those that the store has for `name`."""
        self._vendors[name] = vendor

    async def next(self) -> Transcription | None:
        """What is to be transcribed."""
        job = await asyncio.to_thread(self._store.next, self.turns.served)
        if job is not None:
            self.turns.take(job.owner)
        return job

    async def take(self, job: Transcription) -> None:
        """Transcribe one file; what came of it is in the store."""
        vendor = self._vendors[job.vendor]
        try:
            with _opened(self._store.path(job.file_id)) as file:
                audio_ms, transcript = await self._transcribe(vendor.protocol, vendor.begin(job), file)
        except _LATER as error:
            log.info("transcription %s waits: %s", job.id, error)
            await asyncio.to_thread(self._store.put_back, job.id)
            await asyncio.sleep(AGAIN_S)
            return
        except FileNotFoundError:
            await asyncio.to_thread(self._store.fail, job.id, "file_not_found", "the file was deleted")
        except (OSError, StoreBroken) as error:
            log.error("the file of transcription %s cannot be read: %s", job.id, error)
            await asyncio.to_thread(self._store.fail, job.id, "service_unavailable", "the file cannot be read now")
        except (Failure, ModelError, AudioError) as error:
            kind, text = vendor.told(error)
            log.info("transcription %s failed: %s", job.id, text)
            await asyncio.to_thread(self._store.fail, job.id, kind, text)
        except Exception:
            log.exception("transcription %s broke", job.id)
            text = str(InternalError(job.id))
            await asyncio.to_thread(self._store.fail, job.id, "internal_error", text)
        else:
            await asyncio.to_thread(self._store.complete, job.id, audio_ms, transcript)
        self._over()
        await asyncio.to_thread(vendor.finished, job)

    async def _transcribe(self, protocol: str, work: Work, file: BinaryIO) -> tuple[int, str]:
        """Length of a file and what is kept of it. Raises whatever ends its session."""
        services, ear = self._services, _Ear(self._services, protocol)
        # Words are certain at pauses: nobody waits for them, and the engines have least to do. Nobody mutes a
        # microphone either: what the file's session waits for is a place.
        listen = services.settings.listen.model_copy(update={"stall_s": 0.0})
        limits = services.settings.limits.model_copy(update={"inbox_bytes": PIECE_BYTES, "session_s": SESSION_S})
        settings = services.settings.model_copy(update={"limits": limits})
        place = _Lent(services)
        # The session's own place is nothing: what it may hear depends on the lent one.
        shot = OneShot(services, protocol, settings=settings, observer=ear, enter=lambda: Place(lambda: None))
        try:
            await place.keep()
            source, sound = await asyncio.to_thread(readable, file, work.sound, SAMPLE_RATE_HZ)
            async with aclosing(
                shot.events(replace(work.opening(sound), listen=listen), _pieces(place, source))
            ) as events:
                async for event in events:
                    work.event(event)
            return round(ear.heard_s * 1_000), await asyncio.to_thread(work.written)
        finally:
            place.leave()
            work.over(ear.heard_s)


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
