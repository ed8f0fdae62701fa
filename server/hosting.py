"""The sessions behind one socket: opening, feeding, running and forgetting them. There is no socket here.

A session's place in admission is held by the task that runs it: from before its first word is told to after its last,
whatever raises in between. A session that takes over from another one of its connection (`Open.after`) takes over its
place, too, so that a changed configuration needs no room of its own.
"""

import asyncio
import logging
import math
import uuid
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Protocol

from dragoman.config.settings import Settings
from dragoman.models import remedies
from dragoman.models.base import LanguagePair
from dragoman.models.batching import RECOVERY_S
from dragoman.models.errors import ModelError, NoTranslator, Overloaded
from dragoman.models.registry import Engines
from dragoman.pipeline.audio.errors import AudioError
from dragoman.pipeline.events import Event
from dragoman.pipeline.observer import SessionObserver
from dragoman.pipeline.session import Session, SessionRequest
from dragoman.server import logs
from dragoman.server.auth import caller
from dragoman.server.commands import Abort, Command, Expect, Feed, Finish, FlushInput, Interrupt, Key, Open, Say
from dragoman.server.failures import Failure, InternalError, SessionTooLong
from dragoman.server.limits import Place
from dragoman.server.services import Services

log = logging.getLogger("dragoman.server.hosting")

MAX_SUCCEEDED = 4
"""Sessions of one connection that still talk after another one took over their places; more need room of their own."""


class Guest(Protocol):
    """Whom the sessions belong to, and what it is told of them. Nothing here may raise or block."""

    protocol: str

    def opened(self, key: Key, session_id: str) -> None:
        """The session runs."""
        ...

    def event(self, key: Key, event: Event) -> None:
        """Something happened in a session that is not forgotten yet."""
        ...

    def failed(self, key: Key, error: Exception) -> None:
        """A session could not be opened, or has ended with a Failure, ModelError or AudioError."""
        ...

    def refused(self, key: Key, text_id: Hashable, error: ModelError) -> None:
        """A text is not said; the session goes on."""
        ...


@dataclass(eq=False, slots=True)
class _Hosted:
    """A session and its task. `place` None: another session took it over."""

    key: Key
    session: Session
    task: asyncio.Task[None] | None = None
    place: Place | None = None


class Host:
    """Carries out the commands of one connection.

    What is not said is the server's: `settings` of its sessions, the `observer` that they tell what they do, and
    `enter`, which gives a session its place or raises why there is none.
    """

    def __init__(
        self,
        guest: Guest,
        services: Services,
        *,
        settings: Settings | None = None,
        observer: SessionObserver | None = None,
        enter: Callable[[], Place] | None = None,
    ) -> None:
        self._guest = guest
        self._services = services
        self._settings = settings or services.settings
        self._observer = observer or services.metrics.observer(guest.protocol)
        self._enter = enter or services.admission.enter
        self._known: dict[Key, _Hosted] = {}
        """The sessions that the guest still hears of."""
        self._running: set[_Hosted] = set()
        self._kept: dict[Key, Place] = {}
        """Places of sessions that may be over, kept for those that take over from them."""
        self._hearing: set[Key] = set()

    @property
    def busy(self) -> bool:
        """Whether a session runs."""
        return bool(self._running)

    @property
    def keys(self) -> frozenset[Key]:
        """The sessions that the guest still hears of."""
        return frozenset(self._known)

    @property
    def hearing(self) -> tuple[Key, ...]:
        """The sessions whose input is not complete."""
        return tuple(self._hearing)

    def keep_places(self, after: Key) -> None:
        """A session that takes over from `after` will be opened: whatever becomes of that one, its place is kept."""
        hosted = self._known.get(after)
        if hosted is None or hosted.place is None or self._succeeded >= MAX_SUCCEEDED:
            return
        self._kept[after], hosted.place = hosted.place, None

    def give_up_places(self) -> None:
        """Nobody takes over any more."""
        for place in self._kept.values():
            place.leave()
        self._kept.clear()

    async def carry_out(self, command: Command) -> None:
        """Do what a command says; nothing where its session is not known. Waits where too much audio waits already."""
        if isinstance(command, Open):
            await self._open(command)
            return
        hosted = self._known.get(command.key)
        if hosted is None:
            return
        session = hosted.session
        if isinstance(command, Feed):
            await session.feed(command.data)
        elif isinstance(command, Say):
            self._say(command, session)
        elif isinstance(command, Interrupt):
            session.interrupt(command.languages)
        elif isinstance(command, Expect):
            await session.expect(command.keywords)
        elif isinstance(command, FlushInput):
            await session.flush(command.flush_id)
        elif isinstance(command, Finish):
            self._hearing.discard(command.key)
            await session.end()
        elif isinstance(command, Abort):
            self._abort(hosted)

    def abort(self) -> None:
        """End every session at once; nothing more is heard of them."""
        self.give_up_places()
        for hosted in tuple(self._running):
            self._abort(hosted)

    async def close(self) -> None:
        """End every session at once and wait until the last one is gone."""
        self.abort()
        tasks = [hosted.task for hosted in self._running if hosted.task is not None]
        if tasks:
            await asyncio.wait(tasks)

    @property
    def _succeeded(self) -> int:
        return sum(hosted.place is None for hosted in self._running)

    async def _open(self, command: Open) -> None:
        services, session_id = self._services, uuid.uuid4().hex
        place = self._kept.pop(command.after, None) if command.after is not None else None
        try:
            await services.until_loaded()
            engines = services.engines
            if place is None and (starved := engines.exhausted):
                raise Overloaded(starved, RECOVERY_S)
            session = self._session(command, engines, session_id)
            place = place or await self._seated(self._enter())
        except (Failure, ModelError, AudioError) as error:
            _give_back(place)
            self._guest.failed(command.key, error)
            return
        except BaseException:
            _give_back(place)
            raise
        self._start(command, session, place)

    async def _seated(self, place: Place) -> Place:
        """The place together with one of those that the caller's key may have. Raises TooManySessions."""
        try:
            rise = await self._services.seats.take(caller.get())
        except BaseException:
            place.leave()
            raise
        return place.along(rise) if rise is not None else place

    def _session(self, command: Open, engines: Engines, session_id: str) -> Session:
        plan = engines.plan(
            source=command.source,
            target=command.target,
            voice_id=command.voice_id,
            targets=command.targets,
            candidates=command.candidates,
            keywords=command.keywords,
            locks_language=command.locks_language,
            hears=command.hears,
        )
        return Session(
            SessionRequest(
                command.input_format,
                command.output_format,
                plan,
                input_limit_s=command.input_limit_s,
                partials=command.partials,
                latency=command.latency,
                listen=command.listen,
                speakers=command.speakers,
                follows=command.follows,
            ),
            engines,
            self._settings,
            self._services.offload,
            session_id=session_id,
            emit=lambda event: self._emit(command.key, session_id, event),
            observer=self._observer,
        )

    def _start(self, command: Open, session: Session, place: Place) -> None:
        """From here on the task holds the place: its end gives it back, even if it is cancelled before it began."""
        hosted = _Hosted(command.key, session, place=place)
        limit_s = min(self._settings.limits.session_s, command.limit_s or math.inf)
        hosted.task = asyncio.create_task(self._run(hosted, limit_s), name=f"session-{session.session_id}")
        hosted.task.add_done_callback(lambda task: self._left(hosted, task))
        self._running.add(hosted)
        self._known[command.key] = hosted
        self._hearing.add(command.key)
        if command.speakers and self._services.engines.embedder is None:
            log.warning("a client asks who speaks, and nothing here can tell. %s", remedies.for_speakers())
        self._guest.opened(command.key, session.session_id)

    async def _run(self, hosted: _Hosted, limit_s: float) -> None:
        services, session, protocol = self._services, hosted.session, self._guest.protocol
        logs.session_id.set(session.session_id)
        services.metrics.live.add(session)
        services.metrics.running.labels(protocol).inc()
        services.metrics.opened.labels(protocol).inc()
        services.usage.sessions += 1
        plan = session.request.plan
        log.info("session opened: %s, %s to %s", protocol, plan.source or "any language", plan.target or "the same")
        error: Exception | None = None
        limit = asyncio.timeout(limit_s)
        try:
            async with limit:
                await session.run()
        except (Failure, ModelError, AudioError) as found:
            error = found
        except Exception as found:
            if isinstance(found, TimeoutError) and limit.expired():
                error = SessionTooLong(limit_s)
            else:
                log.exception("session broke")
                error = InternalError(session.session_id)
        finally:
            services.metrics.live.discard(session)
            services.metrics.running.labels(protocol).dec()
            services.usage.audio_in_s += session.clock.received_s
            self._forget(hosted)
            log.info("session closed after %.1f s of audio", session.clock.received_s)
        if error is not None:
            self._guest.failed(hosted.key, error)

    def _say(self, command: Say, session: Session) -> None:
        given, engines = command.given, self._services.engines
        wishes = [branch.wish for branch in session.request.plan.branches]
        for target in (wish.language for wish in wishes if given.translate):
            if target is not None and not engines.translates(given.language, target):
                pair = LanguagePair(given.language, target)
                error = NoTranslator(pair, remedies.for_translation(pair))
                self._guest.refused(command.key, given.text_id, error)
                return
        try:
            session.say(given)
        except Overloaded as error:
            self._guest.refused(command.key, given.text_id, error)

    def _emit(self, key: Key, session_id: str, event: Event) -> None:
        # The key may already name the next session.
        if (hosted := self._known.get(key)) is not None and hosted.session.session_id == session_id:
            self._guest.event(key, event)

    def _abort(self, hosted: _Hosted) -> None:
        self._forget(hosted)
        if hosted.task is not None:
            hosted.task.cancel()

    def _forget(self, hosted: _Hosted) -> None:
        if self._known.get(hosted.key) is hosted:
            del self._known[hosted.key]
            self._hearing.discard(hosted.key)

    def _left(self, hosted: _Hosted, task: asyncio.Task[None]) -> None:
        self._running.discard(hosted)
        hosted.session.close()  # a task that was cancelled before its first step has not done so
        _give_back(hosted.place)
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.error("session %s broke in its last words", hosted.session.session_id, exc_info=fault)


def _give_back(place: Place | None) -> None:
    if place is not None:
        place.leave()
