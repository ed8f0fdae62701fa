"""Questions about a segment that is still open: one at a time, and not all the time.

An answer that took long says that the recogniser is slow or that others want it too; before the next question it is
left alone for so long that the questions of one session take a share of the time only (`LatencyPolicy.engine_share`).
What counts is the time that passes until the answer is there, not how much was said meanwhile: who sends a file at once
says a lot while a quick recogniser answers.
"""

import asyncio
from typing import Any

from dragoman.models.base import Hypothesis
from dragoman.pipeline.by_language import ByLanguage
from dragoman.pipeline.hearing import Hearing
from dragoman.pipeline.items import End, Flush, NewTerms, SegmentEnd, SpeechChunk
from dragoman.pipeline.queues import MeteredQueue

Item = SpeechChunk | SegmentEnd | NewTerms | Flush | End


class Question:
    """What the recogniser is being asked about the segment that is still open; at most one thing at a time."""

    def __init__(self, hearing: Hearing, policy: ByLanguage) -> None:
        self._hearing, self._policy = hearing, policy
        self._clock = hearing.context.work_clock
        self._asking: asyncio.Task[Hypothesis | None] | None = None
        self._resting: asyncio.Task[None] | None = None
        self._until_s = 0.0
        """Place on the input clock up to which the question reaches."""
        self._asked_s = 0.0
        """When it was asked, on the clock of the work."""

    def ask_if_due(self) -> None:
        """Begin to ask, if there is enough new speech and nothing is being asked."""
        hearing = self._hearing
        if self._asking is None and self._resting is None and hearing.segment is not None and self._policy.due():
            self._until_s = hearing.asked_s = hearing.segment.stop_s
            self._asked_s = self._clock.now()
            self._asking = asyncio.create_task(hearing.context.trials.attempt(hearing.ask_open(hearing.segment)))

    async def during(self, inbox: MeteredQueue[Item]) -> Item | None:
        """The next item, or None when the answer, or the end of a rest, came first."""
        other = self._asking or self._resting
        return await (inbox.get() if other is None else inbox.get_before(other))

    async def answer(self) -> None:
        """Make of the answer what can be made of it, if one has come; a rest is over."""
        task, self._asking = self._asking, None
        if task is None:
            self._resting = None
            return
        hypothesis = await task
        self._rest()
        if hypothesis is not None:
            await self._policy.consider(hypothesis, self._until_s)

    async def withdraw(self) -> None:
        """Nobody wants to know any more."""
        task, self._asking = self._asking, None
        if task is not None:
            self._rest()
            await _cancelled(task)

    async def close(self) -> None:
        """Nothing will be asked any more."""
        await self.withdraw()
        if self._resting is not None:
            await _cancelled(self._resting)

    def _rest(self) -> None:
        """Leave the recogniser alone, as long as the question that was the newest took asks for."""
        policy = self._hearing.context.policy
        took_s = self._clock.now() - self._asked_s
        if took_s > policy.cadence_s * policy.engine_share:  # else the cadence of speech is rest enough
            self._resting = asyncio.create_task(self._clock.sleep(took_s / policy.engine_share - took_s))


async def _cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # looked at: what went wrong with a question that was withdrawn is nobody's business
