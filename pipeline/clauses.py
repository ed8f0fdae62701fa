"""Which certain words are translated together, and when: the clause policy.

A clause ends at the end of a sentence, at a pause, at a comma or before a conjunction once it is long enough, before a
phrase (`phrases.py`) once it is longer, and at the latest when its first word has waited for `max_delay_s`. What has
been let go is never taken back.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from dragoman.models.base import Word
from dragoman.pipeline.latency import LatencyPolicy
from dragoman.pipeline.phrases import joins, opens
from dragoman.pipeline.sentences import sentence_ends
from dragoman.pipeline.timing import join_words

_COMMAS = ",;:—–،、，；："
_LEAST = 2
"""A clause that is cut for its age keeps at least this many words on each side of the cut."""


class Piece(NamedTuple):
    """Words that are translated together, and the language that they are in."""

    words: tuple[Word, ...]
    language: str

    def behind(self, at_s: float) -> "Piece":
        """Without the words that were spoken before a place on the input clock."""
        return Piece(tuple(word for word in self.words if word.stop_s > at_s), self.language)


NOTHING = Piece((), "")


class ClauseSplitter:
    """Certain words of one session in, clauses out."""

    def __init__(self, policy: LatencyPolicy) -> None:
        self._policy = policy
        self._by_phrases = True
        self._words: list[Word] = []
        self._language = ""

    @property
    def pending(self) -> Piece:
        """The clause that is not complete yet."""
        return Piece(tuple(self._words), self._language)

    def push(self, words: Sequence[Word], language: str, *, closes: bool, by_phrases: bool = True) -> list[Piece]:
        """Add words of `language`; give the clauses that are complete. `closes`: the speaker paused behind them.

        Not `by_phrases`: no clause ends before a phrase merely because it is long enough.
        """
        self._by_phrases = by_phrases
        clauses: list[Piece] = []
        if language != self._language:
            clauses += self._take(len(self._words))
            self._language = language
        self._words += words
        while end := self._end():
            clauses += self._take(end)
        return clauses + (self._take(len(self._words)) if closes else [])

    def _take(self, count: int) -> list[Piece]:
        taken, self._words = self._words[:count], self._words[count:]
        return [Piece(tuple(taken), self._language)] if taken else []

    def _end(self) -> int:
        """How many words the first complete clause has; 0 where none is complete."""
        words, policy = self._words, self._policy
        sentence, phrase_words = self._sentence(), policy.phrase_words if self._by_phrases else 0
        for count in range(1, sentence or len(words) + 1):
            if policy.comma_words and count >= policy.comma_words and words[count - 1].text[-1:] in _COMMAS:
                return count
            if policy.conjunction_words and count >= policy.conjunction_words and self._joins(count):
                return count
            if phrase_words and phrase_words <= count < len(words) and self._opens(count):
                return count
        if sentence:
            return sentence
        if len(words) > 2 * _LEAST and words[-1].stop_s - words[0].start_s > policy.max_delay_s:
            return self._oldest()
        return 0

    def _sentence(self) -> int:
        """How many words the first sentence has, if another word follows it; else 0."""
        ends = sentence_ends(join_words(self._words, self._language))
        blank = len(join_words([Word("", 0, 0)] * 2, self._language))
        lengths = accumulate(len(word.text.strip()) + blank for word in self._words)
        return next((count for count, length in enumerate(lengths, 1) if ends and length - blank >= ends[0]), 0)

    def _joins(self, at: int) -> bool:
        """Whether the word at this place is a conjunction."""
        return at < len(self._words) and joins(self._words[at].text, self._language)

    def _oldest(self) -> int:
        """Where to cut a clause that waited for too long: as late as it can be between two phrases.

        A conjunction in its second half is better than a later place. Without any, all but the last words are taken.
        """
        last = len(self._words) - _LEAST
        places = range(last, _LEAST - 1, -1)
        clause = next((at for at in places if at > last / 2 and self._joins(at)), 0)
        return clause or next((at for at in places if self._opens(at)), last)

    def _opens(self, at: int) -> bool:
        """Whether a phrase begins here, and not inside another's opening ("on | its being")."""
        before, word = self._words[at - 1].text, self._words[at].text
        return opens(word, self._language) and not opens(before, self._language)
