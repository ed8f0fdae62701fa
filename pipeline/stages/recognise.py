"""recognise: segments of speech become final text, at a pause, at a sentence end inside a long segment, or at 28 s.

A recogniser closes almost any piece of audio with a full stop, so a full stop at the very end proves nothing. One
with words behind it does: the sentence before it is finished. The place of that full stop in the audio is only known
roughly, so the segment is cut at the quietest point nearby and the part before the cut is recognised by itself; it is
committed only if it reads like the sentence. What is committed is thus always what the recogniser says of exactly the
audio that is taken away: nothing is said twice and nothing is lost.
"""

from dragoman.models.base import Hypothesis, RecognitionRequest, Samples
from dragoman.pipeline.context import SessionContext
from dragoman.pipeline.events import Transcript
from dragoman.pipeline.items import End, Flush, SegmentEnd, SpeechChunk
from dragoman.pipeline.queues import MeteredQueue
from dragoman.pipeline.segment import OpenSegment
from dragoman.pipeline.sentences import sentence_ends, words_of
from dragoman.pipeline.timing import estimate_words, shift_words

_TAIL_WORDS = 3
"""A sentence is finished when at least this many words follow it."""
_SEARCH_S = 1.2
"""How far from its estimated place a sentence end is looked for; estimates by letters are off by half a second."""
_CONTEXT_CHARACTERS = 200

Outbox = MeteredQueue[Transcript | Flush | End]


class Recogniser:
    """One session's open segment, and the rules by which it is committed."""

    def __init__(self, context: SessionContext, outbox: Outbox) -> None:
        self._context = context
        self._settings = context.settings.recognise
        self._max_segment_s = context.settings.listen.max_segment_s
        self._outbox = outbox
        self._segment: OpenSegment | None = None
        self._speech_start_s = 0.0
        """Where the speech that is not committed yet began; behind the segment's start, which has silence in front."""
        self._next_search_s = 0.0
        self._said = ""
        self._language = context.plan.source
        self._committed = 0

    async def hear(self, chunk: SpeechChunk) -> None:
        """Add a piece of speech; commit what is finished."""
        if self._segment is None:
            self._segment = OpenSegment(chunk.start_s)
            self._speech_start_s = chunk.speech_start_s
            self._next_search_s = self._settings.sentence_after_s
        segment = self._segment
        segment.append(chunk.samples)
        if segment.duration_s >= self._next_search_s:
            await self._search(segment)
        if segment.duration_s >= self._max_segment_s:
            at_s = segment.quietest(self._max_segment_s / 2, self._max_segment_s - 0.5)
            await self._commit_head(segment, at_s)

    async def end_segment(self, end: SegmentEnd) -> None:
        """The speaker paused: commit all of the open segment."""
        segment, self._segment = self._segment, None
        if segment is None:
            return
        start_s = segment.start_s
        samples = segment.cut(end.keep_until_s - start_s)
        await self._commit(await self._ask(samples), start_s, end.speech_stop_s)

    async def _search(self, segment: OpenSegment) -> None:
        hypothesis = await self._ask(segment.samples)
        text = hypothesis.text
        self._next_search_s = segment.duration_s + self._settings.sentence_every_s
        ends = [end for end in sentence_ends(text) if len(text[end:].split()) >= _TAIL_WORDS]
        if not ends:
            return
        head = text[: ends[-1]]
        at_s = self._place(segment, hypothesis, head)
        trial = await self._ask(segment.samples[: round(at_s * 16_000)])
        if _reads_like(trial.text, head):
            start_s = segment.start_s
            segment.cut(at_s)
            await self._commit(trial, start_s, segment.start_s)
            self._next_search_s = max(self._settings.sentence_after_s, segment.duration_s + 1.0)

    def _place(self, segment: OpenSegment, hypothesis: Hypothesis, head: str) -> float:
        """Where in the segment `head` ends, in seconds from its start."""
        count = len(head.split())
        if count < len(hypothesis.words):
            near_s = (hypothesis.words[count - 1].stop_s + hypothesis.words[count].start_s) / 2
            reach_s = _SEARCH_S / 3
        else:
            near_s = segment.duration_s * len(head) / len(hypothesis.text)
            reach_s = _SEARCH_S
        return segment.quietest(near_s - reach_s, min(near_s + reach_s, segment.duration_s))

    async def _commit_head(self, segment: OpenSegment, at_s: float) -> None:
        start_s = segment.start_s
        samples = segment.cut(at_s)
        await self._commit(await self._ask(samples), start_s, segment.start_s)
        self._next_search_s = max(self._settings.sentence_after_s, segment.duration_s + 1.0)

    async def _ask(self, samples: Samples) -> Hypothesis:
        plan, engines = self._context.plan, self._context.engines
        if not len(samples) or float(abs(samples).max()) < self._settings.min_peak:
            return Hypothesis("", self._language or "")
        request = RecognitionRequest(
            samples,
            self._language,
            candidates=plan.candidates,
            context=self._said,
            keywords=plan.keywords,
            english_for=plan.english_for,
            ordinal=self._committed,
        )
        with self._context.timed("recognise"):
            return await engines.recognize(plan, request, self._context.session_id)

    async def _commit(self, hypothesis: Hypothesis, audio_start_s: float, stop_s: float) -> None:
        start_s, self._speech_start_s = max(audio_start_s, self._speech_start_s), stop_s
        text = " ".join(hypothesis.text.split())
        if not text:
            return
        self._committed += 1
        self._lock_language(hypothesis)
        self._said = f"{self._said} {text}"[-_CONTEXT_CHARACTERS:]
        words = shift_words(hypothesis.words, audio_start_s) or estimate_words(text, start_s, stop_s)
        transcript = Transcript(
            text, hypothesis.language, start_s, stop_s, final=True, words=words, english=hypothesis.english
        )
        self._context.emit(transcript)
        await self._outbox.put(transcript)

    def _lock_language(self, hypothesis: Hypothesis) -> None:
        """People seldom change their language in a session, and short clauses are easily mistaken for another one."""
        sure = hypothesis.language_confidence is not None and (
            hypothesis.language_confidence >= self._settings.lock_confidence
        )
        if self._language is None and self._settings.lock_language and sure:
            self._language = hypothesis.language


def _reads_like(trial: str, head: str) -> bool:
    """Whether two hypotheses are the same sentence: the same ending, and about as many words."""
    heard, wanted = words_of(trial), words_of(head)
    return len(wanted) > 1 and heard[-2:] == wanted[-2:] and abs(len(heard) - len(wanted)) <= 1


async def recognise(
    context: SessionContext,
    inbox: MeteredQueue[SpeechChunk | SegmentEnd | Flush | End],
    outbox: Outbox,
) -> None:
    """Run until the end marker. `listen` closes an open segment before it sends a marker."""
    recogniser = Recogniser(context, outbox)
    while True:
        item = await inbox.get()
        if isinstance(item, SpeechChunk):
            await recogniser.hear(item)
        elif isinstance(item, SegmentEnd):
            await recogniser.end_segment(item)
        else:
            await outbox.put(item, 0)
            if isinstance(item, End):
                return
