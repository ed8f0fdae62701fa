"""Which certain words are translated together, and when: the clause policy.

A clause ends at the end of a sentence, at a pause, at a comma once it is long enough, before a conjunction once it is
longer, and at the latest when its first word has waited for `max_delay_s`. What has been let go is never taken back.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from dragoman.models.base import Word
from dragoman.pipeline.latency import LatencyPolicy
from dragoman.pipeline.sentences import sentence_ends
from dragoman.pipeline.timing import join_words

CONJUNCTIONS = {
    code: frozenset(words.split())
    for code, words in (
        ("en", "and but or so because although while whereas which who that when where if then unless until"),
        ("es", "y e pero o u porque aunque mientras que quien cuando donde si entonces sino como"),
        ("fr", "et mais ou donc car parce quoique tandis qui que quand où si lorsque puisque alors"),
        ("de", "und aber oder denn weil obwohl während dass wenn als ob damit sondern"),
        ("pt", "e mas ou porque embora enquanto que quem quando onde se então pois como"),
        ("it", "e ed ma o perché sebbene mentre che chi quando dove se allora quindi"),
    )
}
"""Words before which a clause may end."""

_COMMAS = ",;:—–،、，；："
_LEAST = 2
"""A clause that is cut for its age keeps at least this many words on each side of the cut."""


class Piece(NamedTuple):
    """Words that are translated together, and the language that they are in."""

    words: list[Word]
    language: str


class ClauseSplitter:
    """Certain words of one session in, clauses out."""

    def __init__(self, policy: LatencyPolicy) -> None:
        self._policy = policy
        self._words: list[Word] = []
        self._language = ""

    @property
    def pending(self) -> Piece:
        """The clause that is not complete yet."""
        return Piece(list(self._words), self._language)

    def push(self, words: Sequence[Word], language: str, *, closes: bool) -> list[Piece]:
        """Add words of `language`; give the clauses that are complete. `closes`: the speaker paused behind them."""
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
        return [Piece(taken, self._language)] if taken else []

    def _end(self) -> int:
        """How many words the first complete clause has; 0 where none is complete."""
        words, policy = self._words, self._policy
        sentence = self._sentence()
        for count in range(1, sentence or len(words) + 1):
            if policy.comma_words and count >= policy.comma_words and words[count - 1].text[-1:] in _COMMAS:
                return count
            if policy.conjunction_words and count >= policy.conjunction_words and self._joins(count):
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
        known = CONJUNCTIONS.get(self._language, frozenset())
        return at < len(self._words) and self._words[at].text.lower().strip("\"'“«¿¡(") in known

    def _oldest(self) -> int:
        """Where to cut a clause that waited for too long: before its last conjunction, else behind all but the last."""
        last = len(self._words) - _LEAST
        return next((at for at in range(last, _LEAST - 1, -1) if self._joins(at)), last)
