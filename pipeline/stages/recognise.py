"""recognise: segments of speech become text, by the policy of the session's latency (`by_pause.py`, `by_agreement.py`).

While the recogniser works on the open segment, more speech is taken in; the next question is about all of it. So the
cadence stretches by itself when the machine is busy, and a file that is sent at once is not recognised piece by piece
at all. A question that is still open when the speaker pauses is withdrawn: the final one matters more.
"""

import asyncio

from dragoman.models.base import Hypothesis
from dragoman.pipeline.by_agreement import ByAgreement
from dragoman.pipeline.by_pause import ByPause
from dragoman.pipeline.context import SessionContext
from dragoman.pipeline.events import Recognised
from dragoman.pipeline.hearing import Outbox
from dragoman.pipeline.items import End, Expect, Flush, SegmentEnd, SpeechChunk
from dragoman.pipeline.queues import MeteredQueue

_LAST_CUT_S = 0.5
"""A segment that has become too long is not cut closer to its end than this."""

Inbox = MeteredQueue[SpeechChunk | SegmentEnd | Expect | Flush | End]


async def recognise(context: SessionContext, inbox: Inbox, outbox: Outbox) -> None:
    """Run until the end marker. `hear` closes an open segment before it sends a marker."""
    # The recogniser's own translation is one of whole pieces: words that come one by one have none.
    by_words = context.policy.incremental and not context.plan.english_for
    hearing = ByAgreement(context, outbox) if by_words else ByPause(context, outbox)
    max_s = context.settings.listen.max_segment_s
    question = _Question(hearing)
    try:
        while True:
            item = await question.during(inbox)
            if item is None:
                await question.answer()
            elif isinstance(item, SpeechChunk):
                segment = hearing.add(item)
                if segment.duration_s >= max_s:
                    await question.withdraw()
                    await hearing.cut(segment, segment.quietest(max_s / 2, max_s - _LAST_CUT_S))
            elif isinstance(item, Expect):
                hearing.expected = item.keywords
            else:
                await question.withdraw()
                if isinstance(item, SegmentEnd):
                    await hearing.end_segment(item)
                    context.emit(Recognised(item.speech_stop_s))
                    continue
                if isinstance(item, Flush):
                    context.emit(Recognised(item.at_s, item.flush_id))
                await outbox.put(item)
                if isinstance(item, End):
                    return
            if not len(inbox):
                question.ask_if_due()
    finally:
        await question.withdraw()


class _Question:
    """What the recogniser is being asked about the segment that is still open; at most one thing at a time."""

    def __init__(self, hearing: ByAgreement | ByPause) -> None:
        self._hearing = hearing
        self._task: asyncio.Task[Hypothesis | None] | None = None
        self._until_s = 0.0

    def ask_if_due(self) -> None:
        """Begin to ask, if there is enough new speech and nothing is being asked."""
        hearing = self._hearing
        if self._task is None and hearing.segment is not None and hearing.due():
            self._until_s = hearing.asked_s = hearing.segment.stop_s
            self._task = asyncio.create_task(hearing.context.trials.attempt(hearing.ask_open(hearing.segment)))

    async def during(self, inbox: Inbox) -> SpeechChunk | SegmentEnd | Expect | Flush | End | None:
        """The next item, or None when the answer came first."""
        return await (inbox.get() if self._task is None else inbox.get_before(self._task))

    async def answer(self) -> None:
        """Make of the answer what can be made of it, if one has come."""
        task, self._task = self._task, None
        if task is not None and (hypothesis := await task) is not None:
            await self._hearing.consider(hypothesis, self._until_s)

    async def withdraw(self) -> None:
        """Nobody wants to know any more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                task.exception()  # looked at: what went wrong with a question that was withdrawn is nobody's business
