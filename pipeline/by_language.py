"""When words are certain, by the language in which somebody speaks.

A recogniser's own English is a translation of whole pieces: speech in a language that nothing else leads on from is
committed at pauses, whatever the session's latency; all other speech is by its latency. Which it is, is known when the
language is: from the beginning where it was named, else when something was heard, and for each piece anew where people
may change their language.
"""

from dragoman.models.base import Hypothesis
from dragoman.pipeline.by_agreement import ByAgreement
from dragoman.pipeline.by_pause import ByPause
from dragoman.pipeline.hearing import Hearing
from dragoman.pipeline.items import SegmentEnd
from dragoman.pipeline.segment import OpenSegment

GUESS_S = 3.0
"""No word is certain in a language that was guessed of less speech, unless it is the one spoken before: the session may
keep it. Whisper base on ten FLEURS recordings, in a window of 10 s: after 2 s eight are right and one is taken for
another language with a probability of 0.73, after 3 s all are right."""


class ByLanguage:
    """Both policies on one hearing, one of them at a time."""

    def __init__(self, hearing: Hearing) -> None:
        self._hearing = hearing
        self._by_words, self._by_pauses = ByAgreement(hearing), ByPause(hearing)
        self._whole = self._hearing.context.plan.english_for
        """The languages whose pieces must be whole."""
        self._found: str | None = None
        """The language of the open segment, as far as the newest hypothesis is sure of it."""

    def due(self) -> bool:
        """Whether the open segment should be asked about now: as for words also where nobody knows the language yet,
        or else nobody would before the pause."""
        return self._policy().due()

    async def consider(self, hypothesis: Hypothesis, until_s: float) -> None:
        """What the recogniser said of the open segment up to `until_s` on the input clock."""
        early = self._early(hypothesis, until_s)
        sure = self._hearing.sure_of(hypothesis) and not early
        self._found = hypothesis.language if sure else None
        waits = early or (not sure and bool(self._whole))
        policy = self._by_pauses if waits and not self._by_words.holds else self._policy()
        if policy is self._by_pauses:
            self._by_words.forget()
        await policy.consider(hypothesis, until_s)

    async def cut(self, segment: OpenSegment, at_s: float) -> None:
        """Commit what lies before `at_s`, which is measured from the segment's start: it has become too long."""
        await self._policy().cut(segment, at_s)

    async def end_segment(self, end: SegmentEnd) -> None:
        """The speaker paused: commit all of the open segment."""
        policy, self._found = self._policy(), None
        await policy.end_segment(end)

    def _early(self, hypothesis: Hypothesis, until_s: float) -> bool:
        """Whether too little was heard to believe in a change of language, or in the first one."""
        guessed = hypothesis.language_confidence is not None
        new = hypothesis.language != self._hearing.spoken
        return guessed and new and until_s - self._hearing.speech_start_s < GUESS_S

    def _policy(self) -> ByAgreement | ByPause:
        """The policy for what is said now, as far as its language is known. Words that were committed are known to one
        of them only, which goes on as long as their sound is there."""
        if self._by_words.holds:
            return self._by_words
        known = self._hearing.language or self._found
        languages = frozenset({known}) if known else self._hearing.context.plan.candidates
        if not self._hearing.context.policy.incremental or (languages and languages <= self._whole):
            return self._by_pauses
        return self._by_words
