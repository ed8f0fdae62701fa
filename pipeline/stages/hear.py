"""hear: a client's bytes become pieces of speech (`pipeline/ear.py`).

What takes long is done elsewhere: judging many frames and decoding a large message in the signal pool, whatever a codec
has to do in a thread of the session's own, for nobody knows how long a few bytes may keep it busy. What is left, a
small message of plain samples, is heard where it arrives, in the task of whoever feeds the session, as long as nothing
of this session waits or is being worked on: so all is heard in the order in which it came.

Somebody who mutes the microphone behind the last word sends nothing more: after `listen.stall_s` without audio the open
segment ends as if silence had come. What was sent faster than it was spoken gets the time that speaking it takes.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ParamSpec, TypeVar

from dragoman.models.base import SAMPLE_RATE_HZ
from dragoman.pipeline.audio.errors import AudioTooLong, BadAudio
from dragoman.pipeline.context import SessionContext
from dragoman.pipeline.ear import Ear, Heard
from dragoman.pipeline.events import Listened, SpeechEnded, SpeechStarted
from dragoman.pipeline.items import End, Flush, NewTerms, SegmentEnd, SpeechChunk
from dragoman.pipeline.offload import OwnThread
from dragoman.pipeline.patience import Patience
from dragoman.pipeline.queues import MeteredQueue

INLINE_FRAMES = 6
"""Frames judged at most in one go on the event loop, about half a millisecond. They are those of a message of 80 or
100 ms and what was left of the one before."""

INLINE_BYTES = 16_384
"""Samples in a message this small are decoded faster than a thread is woken for them."""

PIECE_LIMIT_S = 10.0
"""A codec that is busy with one piece for so long is not reading what anybody speaks."""

_SLICE_BYTES = 65_536
"""A large message is heard piece by piece, so that the stages behind can begin."""

_CODED_SLICE_BYTES = 4_096
"""A codec can pack minutes of silence into a few kilobytes."""

_JOB_FRAMES = 64
"""Frames judged in one go elsewhere: others wait for the pool too."""

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Broken:
    """Something went wrong where nobody can be told: the session ends with it."""

    error: Exception


@dataclass(frozen=True, slots=True)
class _Stall:
    """No audio came for too long."""


class HearStage:
    """The first stage of a session, and the way into it. `limit_s` is how much audio may come."""

    def __init__(
        self,
        context: SessionContext,
        ear: Ear,
        outbox: MeteredQueue[SpeechChunk | SegmentEnd | NewTerms | Flush | End],
        loop: asyncio.AbstractEventLoop | None = None,
        *,
        limit_s: float = math.inf,
    ) -> None:
        self._loop = loop or asyncio.get_running_loop()
        self._limit_s = limit_s
        self._context = context
        self._ear = ear
        self._inbox: MeteredQueue[bytes | NewTerms | Flush | End | _Broken | _Stall] = MeteredQueue(
            context.settings.limits.inbox_bytes
        )
        self._outbox = outbox
        self._own = OwnThread("dragoman-decode")
        self._stall_s = context.settings.listen.stall_s
        self._patience = Patience(lambda _: self._inbox.push(_Stall(), 0), self._loop)
        self._spoken_s = 0.0
        """When the last sample that came in was spoken, on the loop's clock: later than it came where audio was sent
        faster than it is spoken."""

    @property
    def depth(self) -> float:
        """Bytes that wait."""
        return self._inbox.weight

    async def feed(self, data: bytes) -> None:
        """The next bytes, heard at once or appended to what waits; waits while that is too much."""
        if not data:
            return
        if self._idle and not self._ear.coded and len(data) <= INLINE_BYTES:
            self._hear_now(data)
        else:
            await self._inbox.put(data, len(data))

    async def mark(self, item: NewTerms | Flush) -> None:
        """An item that stands between the bytes; waits while too much is waiting already."""
        await self._inbox.put(item, 0)

    def end(self) -> None:
        """Nothing follows."""
        self._inbox.push(End(), 0)

    def close(self) -> None:
        """Nothing more is taken, and whoever waits goes on."""
        self._patience.stop()
        self._inbox.close()
        self._ear.close()
        self._own.close()

    async def run(self) -> None:
        """Run until the end marker.

        Raises AudioError for bytes that are not what the format says and for too many of them, or EngineFailed.
        """
        try:
            while True:
                item = await self._inbox.get()
                if isinstance(item, bytes):
                    await self._hear(item)
                elif isinstance(item, _Broken):
                    raise item.error
                elif isinstance(item, _Stall):
                    self._end_segment()
                elif isinstance(item, NewTerms):
                    await self._outbox.put(item, 0)
                else:
                    await self._stop(item)
                    if isinstance(item, End):
                        return
        finally:
            self.close()

    @property
    def _idle(self) -> bool:
        """Whether all that came in was heard, and the next stage can take more."""
        return self._inbox.starved and not self._outbox.full

    def _hear_now(self, data: bytes) -> None:
        """Hear a few plain samples without waiting for anything."""
        try:
            with self._context.timed("hear"):
                heard = self._ear.hear(data, INLINE_FRAMES)
            self._tell(*heard)
        except Exception as error:  # noqa: BLE001  (whoever feeds is not to blame, and not the one to be told)
            self._inbox.push(_Broken(error), 0)
        if self._ear.due:
            self._inbox.push(b"", 0)  # no more to take, but to judge

    async def _hear(self, data: bytes) -> None:
        """Hear bytes, or without any what is left to be judged, where it keeps nobody waiting."""
        step = _CODED_SLICE_BYTES if self._ear.coded else _SLICE_BYTES
        for start in range(0, max(1, len(data)), step):
            piece = data[start : start + step]
            while piece or self._ear.due:
                with self._context.timed("hear"):
                    heard = await self._elsewhere(self._ear.hear, piece, _JOB_FRAMES)
                self._tell(*heard)
                await self._outbox.room()
                piece = b""

    def _end_segment(self) -> None:
        """Nothing came for long, unless it has by now: the open segment ends."""
        if not len(self._inbox) and self._ear.speaking:
            self._tell(0.0, self._ear.stop(paused=True))

    def _expect_more(self, seconds: float) -> None:
        """So much audio has come, and more is to come before long, as long as somebody speaks."""
        now_s = self._loop.time()
        self._spoken_s = max(now_s, self._spoken_s + seconds)
        if self._stall_s and self._ear.speaking:
            self._patience.wait(self._spoken_s - now_s + self._stall_s)
        else:
            self._patience.heard()

    async def _stop(self, item: Flush | End) -> None:
        final = isinstance(item, End)
        if final:
            self._tell(await self._elsewhere(self._ear.finish), [])
            await self._hear(b"")
        with self._context.timed("hear"):
            heard = self._ear.stop(final=final)
        self._tell(0.0, heard)
        await self._outbox.put(replace(item, at_s=self._context.clock.received_s), 0)

    async def _elsewhere(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` in the pool, or where a codec has to do with it in the session's own thread.

        Raises BadAudio where a codec takes too long.
        """
        if not self._ear.coded:
            return await self._context.offload.run(function, *args, **kwargs)
        try:
            async with asyncio.timeout(PIECE_LIMIT_S):
                return await self._own.run(function, *args, **kwargs)
        except TimeoutError:
            raise BadAudio(f"a piece of it could not be decoded in {PIECE_LIMIT_S:g} s") from None

    def _tell(self, seconds: float, heard: list[Heard]) -> None:
        """So much audio came in, and this was heard. Raises AudioTooLong."""
        if seconds:
            self._context.clock.advance(seconds)
            self._context.observer.audio_in(seconds)
            if self._context.clock.received_s > self._limit_s:
                raise AudioTooLong(self._limit_s)
        for found in heard:
            if isinstance(found, SpeechStarted | SpeechEnded):
                self._context.emit(found)
            elif isinstance(found, SpeechChunk):
                self._outbox.push(found, len(found.samples) / SAMPLE_RATE_HZ)
            else:
                self._outbox.push(found, 0)
        if seconds and self._context.follows:
            self._context.emit(Listened(self._context.clock.received_s))
        self._expect_more(seconds)
