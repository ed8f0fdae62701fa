"""recognise: segments of speech become text, by the policy of the session's latency (`by_pause.py`, `by_agreement.py`).

While the recogniser works on the open segment, more speech is taken in; the next question is about all of it. So the
cadence stretches by itself when the machine is busy (`asking.py`), and a file that is sent at once is not recognised
piece by piece at all. A question that is still open when the speaker pauses is withdrawn: the final one matters more.
"""

from dragoman.pipeline.asking import Item, Question
from dragoman.pipeline.by_language import ByLanguage
from dragoman.pipeline.context import SessionContext
from dragoman.pipeline.events import Recognised
from dragoman.pipeline.hearing import Hearing, TranscriptSink
from dragoman.pipeline.items import End, Flush, NewTerms, SegmentEnd, SpeechChunk
from dragoman.pipeline.queues import MeteredQueue

_LAST_CUT_S = 0.5
"""A segment that has become too long is not cut closer to its end than this."""

Inbox = MeteredQueue[Item]


async def recognise(context: SessionContext, inbox: Inbox, outbox: TranscriptSink) -> None:
    """Run until the end marker. `hear` closes an open segment before it sends a marker."""
    hearing = Hearing(context, outbox)
    policy = ByLanguage(hearing)
    max_s = context.settings.listen.max_segment_s
    question = Question(hearing, policy)
    try:
        while True:
            item = await question.during(inbox)
            if item is None:
                await question.answer()
            elif isinstance(item, SpeechChunk):
                segment = hearing.add(item)
                if segment.duration_s >= max_s:
                    await question.withdraw()
                    await policy.cut(segment, segment.quietest(max_s / 2, max_s - _LAST_CUT_S))
            elif isinstance(item, NewTerms):
                hearing.expected = item.keywords
            else:
                await question.withdraw()
                if isinstance(item, SegmentEnd):
                    await policy.end_segment(item)
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
        await question.close()
