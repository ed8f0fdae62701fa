"""Words are certain at a pause, at a sentence end in a long segment, or at 28 s: the policy of `latency = "quality"`.

A recogniser closes almost any piece of audio with a full stop, so a full stop at the very end proves nothing. One
with words behind it does: the sentence before it is finished. The place of that full stop in the audio is only known
roughly, so the segment is cut at the quietest point nearby and the part before the cut is recognised by itself; it is
committed only if it reads like the sentence. What is committed is thus always what the recogniser says of exactly the
audio that is taken away: nothing is said twice and nothing is lost.
"""

from dragoman.models.base import SAMPLE_RATE_HZ, Hypothesis, Word
from dragoman.pipeline.hearing import SEARCH_S, Hearing
from dragoman.pipeline.items import SegmentEnd
from dragoman.pipeline.segment import OpenSegment
from dragoman.pipeline.sentences import sentence_ends, words_of
from dragoman.pipeline.timing import count_words

_TAIL_WORDS = 3
"""A sentence is finished when at least this many words follow it."""


class ByPause:
    """Commits whole pieces of audio."""

    def __init__(self, hearing: Hearing) -> None:
        self._hearing = hearing

    def due(self) -> bool:
        """Whether the open segment should be asked about now."""
        context, settings, segment = self._hearing.context, self._hearing.settings, self._hearing.segment
        if segment is None:
            return False
        new_s = segment.stop_s - self._hearing.asked_s
        if context.partials and new_s >= context.policy.cadence_s:
            return True
        return segment.duration_s >= settings.sentence_after_s and new_s >= settings.sentence_every_s

    async def consider(self, hypothesis: Hypothesis, until_s: float) -> None:
        """What the recogniser said of the open segment up to `until_s` on the input clock."""
        segment, text = self._hearing.segment, hypothesis.text
        if segment is None:
            return
        segment.draft, language = hypothesis.tokens, hypothesis.language
        words = self._hearing.words(hypothesis, segment.start_s, self._hearing.speech_start_s, until_s)
        ends = [end for end in sentence_ends(text) if count_words(text[end:], language) >= _TAIL_WORDS]
        if ends and until_s - segment.start_s >= self._hearing.settings.sentence_after_s:
            head = text[: ends[-1]]
            at_s = self._place(segment, hypothesis, head, until_s - segment.start_s)
            asking = self._hearing.ask(segment.samples[: round(at_s * SAMPLE_RATE_HZ)], draft=segment.draft)
            trial = await self._hearing.context.trials.attempt(asking)
            if trial is not None and _reads_like(trial.text, head):
                start_s = segment.start_s
                segment.cut(at_s)
                words = words[count_words(head, language) :]
                await self._commit_piece(trial, start_s, segment.start_s, rest=words)
        self._hearing.suppose(words, language)

    async def cut(self, segment: OpenSegment, at_s: float) -> None:
        """Commit what lies before `at_s`, which is measured from the segment's start: it has become too long."""
        start_s = segment.start_s
        draft, samples = segment.draft, segment.cut(at_s)
        await self._commit_piece(await self._hearing.ask(samples, draft=draft), start_s, segment.start_s)

    async def end_segment(self, end: SegmentEnd) -> None:
        """The speaker paused: commit all of the open segment."""
        segment, self._hearing.segment = self._hearing.segment, None
        if segment is None:
            return
        start_s = segment.start_s
        hypothesis = await self._hearing.ask_last(segment, end)
        await self._commit_piece(hypothesis, start_s, end.speech_stop_s, closes=True, paused=end.paused)

    async def _commit_piece(
        self,
        hypothesis: Hypothesis,
        audio_start_s: float,
        stop_s: float,
        *,
        closes: bool = False,
        paused: bool = True,
        rest: tuple[Word, ...] | None = None,
    ) -> None:
        """Commit a piece of audio. `rest` None: what was supposed before is, behind it, still supposed."""
        start_s, self._hearing.speech_start_s = max(audio_start_s, self._hearing.speech_start_s), stop_s
        words = self._hearing.words(hypothesis, audio_start_s, start_s, stop_s)
        if rest is None:
            rest = () if closes else self._hearing.supposed_behind(words)
        self._hearing.leave_behind(words, hypothesis.language)
        await self._hearing.commit(
            words, hypothesis, (start_s, stop_s), complete=True, closes=closes, paused=paused, rest=rest
        )

    @staticmethod
    def _place(segment: OpenSegment, hypothesis: Hypothesis, head: str, until_s: float) -> float:
        """Where in the segment `head` ends, in seconds from its start."""
        count = count_words(head, hypothesis.language)
        if count < len(hypothesis.words):
            near_s = (hypothesis.words[count - 1].stop_s + hypothesis.words[count].start_s) / 2
            reach_s = SEARCH_S / 3
        else:
            near_s = until_s * len(head) / len(hypothesis.text)
            reach_s = SEARCH_S
        return segment.quietest(near_s - reach_s, min(near_s + reach_s, until_s))


def _reads_like(trial: str, head: str) -> bool:
    """Whether two hypotheses are the same sentence: the same ending, and about as many words."""
    heard, wanted = words_of(trial), words_of(head)
    return len(wanted) > 1 and heard[-2:] == wanted[-2:] and abs(len(heard) - len(wanted)) <= 1
