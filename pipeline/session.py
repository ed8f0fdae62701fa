"""One translation session: its stages in one TaskGroup, joined by bounded queues.

    bytes -> hear -> recognise -+-> translate -> speak -> encode -> events    (a branch for each target)
                     given text-+-> translate -> …

Whoever opens a session feeds it bytes, texts and markers and is told events; cancelling `run` ends every stage, and
what was waiting in the engines' queues for this session is not run any more.
"""

import asyncio
import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from dragoman.config.settings import ListenSettings, Settings
from dragoman.models.errors import Overloaded
from dragoman.models.plan import Plan
from dragoman.models.registry import Engines
from dragoman.pipeline.audio.decode import make_decoder
from dragoman.pipeline.audio.formats import AudioFormat
from dragoman.pipeline.branch import Branch, Said
from dragoman.pipeline.clock import InputClock, RealTime, WorkClock
from dragoman.pipeline.context import SessionContext
from dragoman.pipeline.ear import Ear
from dragoman.pipeline.events import Event
from dragoman.pipeline.items import End, Flush, GivenText, NewTerms, SegmentEnd, SpeechChunk
from dragoman.pipeline.latency import POLICIES, Latency
from dragoman.pipeline.markers import Markers
from dragoman.pipeline.observer import SessionObserver, SilentObserver
from dragoman.pipeline.offload import Offload
from dragoman.pipeline.queues import MeteredQueue
from dragoman.pipeline.stages.hear import HearStage
from dragoman.pipeline.stages.recognise import recognise


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What a client asked for, in our own words: formats, who says what in which languages, and how much audio may come
    (`input_limit_s`; more of it ends the session with AudioTooLong).

    `output_format` None: text only. `partials`: whether transcripts that are not certain yet are wanted. `latency` and
    `listen` None: what the operator chose. `speakers`: whether transcripts and translations are to say who speaks, as
    far as the installed engines can tell. `follows`: whether the input's clock is to be told (`Listened`).
    """

    input_format: AudioFormat
    output_format: AudioFormat | None
    plan: Plan
    input_limit_s: float = math.inf
    partials: bool = False
    latency: Latency | None = None
    listen: ListenSettings | None = None
    speakers: bool = False
    follows: bool = False


class Session:
    """Feed it from one task, run it in another.

    `emit` is called on the event loop with every event, in order; it must not block. Raising from it ends the
    session with that exception.
    """

    def __init__(
        self,
        request: SessionRequest,
        engines: Engines,
        settings: Settings,
        offload: Offload,
        *,
        session_id: str,
        emit: Callable[[Event], None],
        observer: SessionObserver | None = None,
        work_clock: WorkClock | None = None,
    ) -> None:
        self.session_id = session_id
        self.request = request
        self.clock = InputClock()
        policy = POLICIES[request.latency or settings.latency]
        settings = settings.model_copy(update={"listen": request.listen or policy.listening(settings.listen)})
        self._context = context = SessionContext(
            session_id,
            request.plan,
            engines,
            settings,
            offload,
            observer or SilentObserver(),
            self.clock,
            emit,
            policy,
            request.partials,
            request.speakers,
            request.follows,
            work_clock or RealTime(),
        )
        ear = Ear(make_decoder(request.input_format), engines.detector, settings.listen)
        self._speech: MeteredQueue[SpeechChunk | SegmentEnd | NewTerms | Flush | End] = MeteredQueue(
            settings.queues.speech_s
        )
        self._hearing = HearStage(context, ear, self._speech, limit_s=request.input_limit_s)
        self._branches = [
            Branch(context, number, plan, request.output_format) for number, plan in enumerate(request.plan.branches)
        ]
        self._fan = _Fan(self._branches, Markers(max(1, len(self._branches)), emit))

    @property
    def depths(self) -> dict[str, float]:
        """How much waits before each stage: bytes, seconds of audio, or items, as each queue counts.

        Of several branches the one that has most to do counts.
        """
        waiting = {
            "hear": self._hearing.depth,
            "recognise": self._speech.weight,
            "translate": 0.0,
            "speak": 0.0,
            "encode": 0.0,
        }
        for branch in self._branches:
            waiting |= {stage: max(waiting[stage], depth) for stage, depth in branch.depths.items()}
        return waiting

    async def feed(self, data: bytes) -> None:
        """The next bytes of the input; waits while too much is waiting already. Ignored once `run` is over.

        A few plain samples may be heard before it returns, if nothing else of the input waits; `emit` is then called.
        """
        await self._hearing.feed(data)

    def say(self, given: GivenText) -> None:
        """Text to be said behind what has been recognised so far; `Translated` follows for each branch.

        To be called before `end`. Does not wait: raises Overloaded, and takes nothing, where more texts would wait than
        `limits.texts_bytes`. A text that is alone is taken, however long it is.
        """
        waiting = max((branch.state.texts_bytes for branch in self._branches), default=0)
        if waiting and waiting + given.size_bytes > self._context.settings.limits.texts_bytes:
            raise Overloaded("this session")
        self._fan.push(given)

    def interrupt(self, languages: frozenset[str] | None = None) -> None:
        """Stop saying what was heard or given so far, in the branches with these targets or in all."""
        for branch in self._branches:
            if languages is None or branch.state.wish.language in languages:
                branch.interrupt()

    async def expect(self, keywords: tuple[str, ...]) -> None:
        """Names and terms to expect from the next segment on, in place of those before; waits as `feed` does."""
        await self._hearing.mark(NewTerms(keywords))

    async def flush(self, flush_id: Hashable) -> None:
        """Commit the open segment; `Flushed` follows when everything before has been said. Waits as `feed` does."""
        await self._hearing.mark(Flush(flush_id))

    async def end(self) -> None:
        """No more input; `Ended` follows when everything has been said. Does not wait."""
        self._hearing.end()

    def close(self) -> None:
        """Take nothing more and let whoever waits here go on; `run` does so when it ends in any way."""
        self._hearing.close()
        self._speech.close()
        for branch in self._branches:
            branch.close()

    async def run(self) -> None:
        """Run every stage until the input has ended and all of it has been said.

        Raises the first exception of a stage (AudioError, ModelError, or whatever `emit` raised) by itself.
        """
        context = self._context
        try:
            async with asyncio.TaskGroup() as stages:
                stages.create_task(self._hearing.run(), name="hear")
                stages.create_task(recognise(context, self._speech, self._fan), name="recognise")
                for branch in self._branches:
                    branch.start(stages, self._fan.markers)
        except BaseExceptionGroup as group:
            raise _first(group) from None
        finally:
            self.close()


class _Fan:
    """What was heard or given goes to every branch. Without any, the markers have arrived here."""

    def __init__(self, branches: list[Branch], markers: Markers) -> None:
        self.markers = markers
        self._branches = branches

    def push(self, item: Said) -> None:
        """Pass it on to all at once: given and recognised texts come in one order everywhere."""
        for branch in self._branches:
            branch.push(item)
        if not self._branches and isinstance(item, Flush | End):
            self.markers.reached(item)

    async def put(self, item: Said) -> None:
        """Pass it on, and wait while too much waits in any branch."""
        self.push(item)
        for branch in self._branches:
            await branch.room()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The stages form a chain: what broke first is the reason, the rest is its echo."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
