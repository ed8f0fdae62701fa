"""Words are certain when two hypotheses in a row agree on them: the policy of `latency = "low"` and `"balanced"`.

The open segment is recognised again and again while it grows. So that a second of speech costs the same however long
nobody pauses, the beginning of the segment is cut away behind a finished sentence, or when it has become long.
Engines that give word times are cut where these say; for others the place is estimated, and the part before it is
recognised by itself: it must end in words that are committed, and then exactly the words behind them stay.
"""

from dragoman.models.base import SAMPLE_RATE_HZ, Hypothesis, Word
from dragoman.models.batching import Priority
from dragoman.pipeline.agreement import LocalAgreement, distance, ends_with_mark, keys_of, within
from dragoman.pipeline.hearing import SEARCH_S, Hearing
from dragoman.pipeline.items import SegmentEnd
from dragoman.pipeline.segment import OpenSegment

FIRST_S = 1.2
"""Less speech than this is not asked about: the first words of a segment are heard badly without what follows. On six
recordings (46 s of English) the word error rate was 20 % without it, 16 % with it, and 14 % for whole segments."""

CUT_AFTER_S = 5.0
"""A shorter segment is not worth a cut, which may cost a call of the recogniser."""

LONG_S = 11.0
"""A longer one is cut wherever it can be."""

_RETRY_S = 1.5
"""New speech before a cut that failed is tried again."""
_TAIL_WORDS = 3
"""A sentence is finished when at least this many words follow it."""
_KEEP_S = 1.0
"""What stays of a long segment's committed words, so that the next words are not heard without what is before them."""


class ByAgreement:
    """Commits words while they are spoken."""

    def __init__(self, hearing: Hearing) -> None:
        self._hearing = hearing
        self._agreement = LocalAgreement()
        self._cut_from_s = CUT_AFTER_S
        """Length of the segment from which a cut is tried."""

    @property
    def holds(self) -> bool:
        """Whether words were committed whose sound is still in the open segment."""
        return bool(self._agreement.committed)

    def forget(self) -> None:
        """Agree with nothing that was heard before."""
        self._agreement.rest = []

    def due(self) -> bool:
        """Whether the open segment should be asked about now."""
        segment = self._hearing.segment
        if segment is None or segment.stop_s - self._hearing.speech_start_s < FIRST_S:
            return False
        return segment.stop_s - self._hearing.asked_s >= self._hearing.context.policy.cadence_s

    async def consider(self, hypothesis: Hypothesis, until_s: float) -> None:
        """What the recogniser said of the open segment up to `until_s` on the input clock."""
        segment = self._hearing.segment
        if segment is None:
            return
        segment.draft = hypothesis.tokens
        words = self._hearing.words(hypothesis, segment.start_s, self._hearing.speech_start_s, until_s)
        trust = hypothesis.trust if self._hearing.context.policy.trusts else None
        certain = self._agreement.push(words, trust, timed=bool(hypothesis.words))
        rest = tuple(self._agreement.rest)
        await self._say(certain, hypothesis, rest)
        self._hearing.suppose(rest, hypothesis.language)
        if until_s - segment.start_s >= self._cut_from_s and not await self._cut_committed(segment, hypothesis):
            self._cut_from_s = segment.duration_s + _RETRY_S

    async def cut(self, segment: OpenSegment, at_s: float) -> None:
        """Commit what lies before `at_s`, which is measured from the segment's start: it has become too long."""
        start_s = segment.start_s
        draft = segment.draft
        hypothesis = await self._hearing.ask(segment.cut(at_s), draft=draft)
        words = self._hearing.words(hypothesis, start_s, max(start_s, self._hearing.speech_start_s), segment.start_s)
        held = self._held(words, segment.start_s if hypothesis.words else None)
        if held is None:
            certain = self._finish(words, hypothesis)
            await self._say(certain, hypothesis, self._hearing.supposed_behind(certain), complete=True)
        else:
            self._hearing.leave_behind(self._agreement.drop(held), hypothesis.language)
        self._was_cut(segment)

    async def end_segment(self, end: SegmentEnd) -> None:
        """The speaker paused: commit all of the open segment."""
        segment, self._hearing.segment = self._hearing.segment, None
        if segment is None:
            return
        start_s = segment.start_s
        hypothesis = await self._hearing.ask_last(segment, end)
        words = self._hearing.words(hypothesis, start_s, max(start_s, self._hearing.speech_start_s), end.speech_stop_s)
        rest = self._finish(words, hypothesis)
        self._cut_from_s = CUT_AFTER_S
        self._hearing.speech_start_s = end.speech_stop_s
        span_s = (rest[0].start_s, rest[-1].stop_s) if rest else (end.speech_stop_s,) * 2
        await self._hearing.commit(tuple(rest), hypothesis, span_s, closes=True, paused=end.paused)

    async def _say(
        self, words: list[Word], hypothesis: Hypothesis, rest: tuple[Word, ...], *, complete: bool = False
    ) -> None:
        if words:
            span_s = words[0].start_s, words[-1].stop_s
            await self._hearing.commit(tuple(words), hypothesis, span_s, complete=complete, rest=rest)

    async def _cut_committed(self, segment: OpenSegment, hypothesis: Hypothesis) -> bool:
        """Take away audio whose words are all committed, if there is enough of it; whether that was done."""
        committed = self._agreement.committed
        count = self._sentence_end() or (self._oldest() if segment.duration_s >= LONG_S else 0)
        if not count:
            return False
        near_s = committed[count - 1].stop_s - segment.start_s
        if hypothesis.words:
            behind = committed[count] if count < len(committed) else self._agreement.rest[0]
            at_s = (near_s + behind.start_s - segment.start_s) / 2
        else:
            at_s = segment.quietest(near_s - SEARCH_S, min(near_s + SEARCH_S, segment.duration_s))
            asking = self._hearing.ask(segment.samples[: round(at_s * SAMPLE_RATE_HZ)], Priority.PARTIAL, segment.draft)
            trial = await self._hearing.context.trials.attempt(asking)
            words = () if trial is None else self._hearing.words(trial, 0.0, 0.0, at_s)
            found = self._agreement.find_end(words, count)
            if found is None:
                return False
            count = found
        segment.cut(at_s)
        self._hearing.leave_behind(self._agreement.drop(count), hypothesis.language)
        self._was_cut(segment)
        return True

    def _finish(self, words: tuple[Word, ...], hypothesis: Hypothesis) -> list[Word]:
        """The last hypothesis of samples that are gone: what it says behind the words that were committed before."""
        held = list(self._agreement.committed)
        new = self._agreement.finish(words, timed=bool(hypothesis.words))
        self._hearing.leave_behind([*held, *new], hypothesis.language)
        return new

    def _sentence_end(self) -> int:
        """How many committed words the finished sentences have; 0 if there is none."""
        committed, rest = self._agreement.committed, self._agreement.rest
        last = len(committed) + len(rest) - _TAIL_WORDS
        return next((at for at in range(min(len(committed), last), 1, -1) if ends_with_mark(committed[at - 1].text)), 0)

    def _oldest(self) -> int:
        """How many committed words may go because they are old."""
        committed = self._agreement.committed
        if not committed:
            return 0
        return sum(word.stop_s <= committed[-1].stop_s - _KEEP_S for word in committed)

    def _held(self, words: tuple[Word, ...], until_s: float | None) -> int | None:
        """How many committed words a recognised beginning of the segment holds, if it ends among them, else None.

        By their times where it ends at `until_s` on the clock of the recogniser's own times, else by what was heard.
        """
        committed = self._agreement.committed
        if until_s is not None:
            count = within(committed, until_s)
            return count if count < len(committed) else None
        heard = [letters for letters, _ in keys_of(words)][-len(committed) or len(words) :]
        known = [letters for letters, _ in keys_of(committed)]
        places = range(1, len(known))
        best = min(places, key=lambda at: distance(heard[-8:], known[max(0, at - 8) : at]), default=0)
        if not best or distance(heard[-8:], known[max(0, best - 8) : best]) > len(heard[-8:]) // 2:
            return None
        return best

    def _was_cut(self, segment: OpenSegment) -> None:
        self._cut_from_s = CUT_AFTER_S
        self._hearing.speech_start_s = segment.start_s
        self._hearing.asked_s = max(self._hearing.asked_s, segment.start_s)
