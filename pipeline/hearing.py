"""What a session hears: its open segment, the questions that it asks its recogniser, and the text that comes of them.

Two policies decide when words are certain; both work on this: `by_pause.py` and `by_agreement.py`. Which of them does
is told by the language (`by_language.py`).
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

import numpy as np

from dragoman.models.base import Hypothesis, RecognitionRequest, Samples, Word
from dragoman.models.batching import Priority
from dragoman.pipeline.agreement import LocalAgreement
from dragoman.pipeline.clauses import ClauseSplitter
from dragoman.pipeline.context import SessionContext
from dragoman.pipeline.events import Transcript
from dragoman.pipeline.identify import Identifier
from dragoman.pipeline.items import End, Flush, SegmentEnd, SpeechChunk
from dragoman.pipeline.segment import OpenSegment
from dragoman.pipeline.timing import begin_at, estimate_words, join_words, shift_words

SEARCH_S = 1.2
"""How far from its estimated place an end of words is looked for; estimates by letters are off by half a second."""

_CONTEXT_CHARACTERS = 200


class Outbox(Protocol):
    """Where transcripts and markers go."""

    async def put(self, item: Transcript | Flush | End) -> None:
        """Pass it on, in order; waits while too much is waiting there."""
        ...


class Hearing:
    """One session's open segment and what has been said so far."""

    def __init__(self, context: SessionContext, outbox: Outbox) -> None:
        self.context = context
        self.settings = context.settings.recognise
        self.segment: OpenSegment | None = None
        self.speech_start_s = 0.0
        """Where the speech that is not committed yet began; behind the segment's start, which has silence in front."""
        self.asked_s = 0.0
        """Place on the input clock up to which speech has been asked about."""
        self._outbox = outbox
        self._identifier = Identifier(context)
        self._clauses = ClauseSplitter(context.policy)
        self._before = ""
        """What was said before the open segment's first sample, as far as a recogniser wants to know it: none of the
        words that are still to be heard in the samples, behind which it would go on."""
        self.expected = context.plan.keywords
        """Names and terms to expect from the next segment on."""
        self._language = context.plan.source
        self._keywords = self.expected
        self._spoken = ""
        self._pieces = 0
        self._segment_id = 0
        self._spoke = False
        """Whether anything was said in the open segment."""
        self._supposed: tuple[Word, ...] = ()
        """What was shown last that is not certain."""

    def add(self, chunk: SpeechChunk) -> OpenSegment:
        """Another piece of speech; opens a segment where there is none."""
        if self.segment is None:
            self.segment = OpenSegment(chunk.start_s)
            self._keywords = self.expected
            self.speech_start_s = chunk.speech_start_s
            self.asked_s = chunk.start_s
        self.segment.append(chunk.samples)
        self._identifier.add(chunk)
        return self.segment

    async def ask_open(self, segment: OpenSegment) -> Hypothesis:
        """What the recogniser makes of the open segment so far; meanwhile it is seen who speaks. Raises as `ask`."""
        asking = self.ask(segment.samples, Priority.PARTIAL, segment.draft)
        return await self._meanwhile(lambda: self._identifier.look(said=self._spoke), asking)

    async def ask_last(self, segment: OpenSegment, end: SegmentEnd) -> Hypothesis:
        """What the recogniser makes of what is left of a segment that ends; meanwhile it is found out who spoke."""
        draft, samples = segment.draft, segment.cut(end.keep_until_s - segment.start_s)
        asking = self.ask(samples, draft=draft)
        return await self._meanwhile(lambda: self._identifier.hear_out(end.speech_stop_s), asking)

    async def ask(
        self, samples: Samples, priority: Priority = Priority.FINAL, draft: tuple[int, ...] = ()
    ) -> Hypothesis:
        """What the recogniser makes of samples. Raises ModelError; for a partial also Superseded and Overloaded."""
        plan, engines = self.context.plan, self.context.engines
        partial = priority is Priority.PARTIAL
        if not len(samples) or float(np.max(np.abs(samples))) < self.settings.min_peak:
            return Hypothesis("", self._language or "")
        request = RecognitionRequest(
            samples,
            self._language,
            candidates=plan.candidates,
            context=self._before,
            keywords=self._keywords,
            english_for=frozenset() if partial else plan.english_for,  # of what is not certain nobody reads it
            ordinal=self._pieces,
            draft=draft,
            partial=partial,
        )
        with self.context.timed("recognise"):
            return await engines.recognize(plan, request, self.context.session_id, priority)

    def words(self, hypothesis: Hypothesis, audio_start_s: float, start_s: float, stop_s: float) -> tuple[Word, ...]:
        """The hypothesis's words on the input clock; estimated between `start_s` and `stop_s` if it has no times.

        Speech begins at `start_s`: recognisers count the silence before a first word to it.
        """
        if hypothesis.words:
            return begin_at(shift_words(hypothesis.words, audio_start_s), start_s)
        return estimate_words(hypothesis.text, start_s, stop_s, hypothesis.language, hypothesis.confidences)

    async def commit(
        self,
        words: tuple[Word, ...],
        hypothesis: Hypothesis,
        span_s: tuple[float, float],
        *,
        complete: bool = False,
        closes: bool = False,
        paused: bool = True,
        rest: tuple[Word, ...] = (),
    ) -> None:
        """Say words for good. `span_s` is where they lie on the input clock.

        `complete`: a sentence or a piece ends behind them, nothing need be waited for. `closes`: the segment ends; that
        is told even without words, if anything was said in it. `paused`: and it ends because the speaker paused. `rest`
        is what is still supposed behind them.
        """
        text = " ".join(join_words(words, hypothesis.language).split())
        self._supposed = rest
        if closes:
            self._identifier.close(said=self._spoke or bool(text))
        elif self._identifier.speaker is None:  # nobody was asked before: the speech came faster than in real time
            await self._identifier.look(said=self._spoke)
        if text:
            self._spoken = hypothesis.language
            self._lock_language(hypothesis)
        if text or (closes and self._spoke):
            self._spoke = True
            clauses = self._clauses.push(
                words, self._spoken, closes=complete or closes, by_phrases=self.context.by_phrases(self._spoken)
            )
            transcript = Transcript(
                text,
                self._spoken,  # a final hypothesis without words may not know its language
                *span_s,
                words=words,
                speaker=self._identifier.speaker,
                english=hypothesis.english,
                segment_id=self._segment_id,
                complete=complete or closes,
                closes=closes,
                paused=paused,
                language_confidence=hypothesis.language_confidence if text else None,
                rest=rest if self.context.partials else (),
                clauses=tuple(clauses),
                growing=self._clauses.pending,
            )
            self.context.emit(transcript)
            await self._outbox.put(transcript)
        if self._spoke and (complete or closes):
            self._pieces += 1
        if self._spoke and closes:
            self._segment_id += 1
            self._spoke = False

    @property
    def language(self) -> str | None:
        """The language of what is said, where it is known before it is heard: it was named, or is kept since it was
        heard."""
        return self._language

    @property
    def spoken(self) -> str:
        """The language of the newest words that are certain; empty before the first."""
        return self._spoken

    def sure_of(self, hypothesis: Hypothesis) -> bool:
        """Whether the language of a hypothesis is known, or was found with the confidence that is asked for."""
        confidence = hypothesis.language_confidence
        return confidence is None or confidence >= self.settings.lock_confidence

    def leave_behind(self, words: Sequence[Word], language: str) -> None:
        """Committed words whose sound is taken from the open segment, or went with it: what follows them is told so.

        To be called for every committed word, in order, when its samples go and not before.
        """
        self._before = " ".join(f"{self._before} {join_words(words, language)}".split())[-_CONTEXT_CHARACTERS:]

    def suppose(self, words: tuple[Word, ...], language: str) -> None:
        """Show what is not certain yet, to a session that wants to see it."""
        if self.context.partials:
            self._supposed = words
            text = join_words(words, language)
            start_s, stop_s = (words[0].start_s, words[-1].stop_s) if words else (self.speech_start_s,) * 2
            self.context.emit(
                Transcript(
                    text,
                    language,
                    start_s,
                    stop_s,
                    final=False,
                    words=words,
                    speaker=self._identifier.speaker,
                    segment_id=self._segment_id,
                )
            )

    def supposed_behind(self, certain: Sequence[Word]) -> tuple[Word, ...]:
        """What was shown last, without the part of it that is certain now."""
        known = LocalAgreement()
        known.committed = list(certain)
        return tuple(known.beyond(self._supposed))

    def _lock_language(self, hypothesis: Hypothesis) -> None:
        """People seldom change their language in a session, and short clauses are easily mistaken for another one."""
        guessed = hypothesis.language_confidence is not None
        locks = self.settings.lock_language and self.context.plan.locks_language
        if self._language is None and locks and guessed and self.sure_of(hypothesis):
            self._language = hypothesis.language

    async def _meanwhile(
        self, find: Callable[[], Coroutine[Any, Any, None]], asking: Coroutine[Any, Any, Hypothesis]
    ) -> Hypothesis:
        """Wait for both; whoever is not wanted any more, because the question failed or was withdrawn, is stopped."""
        if not self._identifier.wanted:
            return await asking
        found = asyncio.create_task(find())
        try:
            hypothesis = await asking
            await found
        finally:
            found.cancel()
        return hypothesis
