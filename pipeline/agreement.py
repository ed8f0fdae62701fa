"""What is certain of a growing piece of speech: the words on which two hypotheses in a row agree.

This is LocalAgreement with two hypotheses (Macháček, Dabre, Bojar 2023, https://arxiv.org/abs/2307.14743; Liu et al.
2020 for the policy's name), with additions: the last word of a hypothesis is never taken, since it may be half a word
and its punctuation is a guess; two hypotheses do not agree on a word of which only one ends a sentence; and where the
recogniser's own confidence in its words is worth something, it speeds up or holds back what agreement would take.
Whole recognised pieces are compared, so it needs no word times from the recogniser.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from dragoman.models.base import Trust, Word

HELD_BACK = 1
"""Words at the end of a hypothesis that are not taken."""
DOUBTED = 4
"""Among so many words at the end those of which the recogniser is not sure are not taken either."""
_TAIL = 8
"""So many words at the end of what is committed are looked for in a new hypothesis …"""
_DRIFT = 6
"""… at most this many words away from where they should be: a hypothesis seldom splits or joins more."""

_MARK = re.compile(r"""[.!?…。！？।]+["'”’»)\]」』]*$""")

Key = tuple[str, bool]


def keys_of(words: Sequence[Word]) -> list[Key]:
    """What two words must have in common to be the same: letters, and whether a sentence may end there."""
    return [(_letters(word.text), ends_with_mark(word.text)) for word in words]


def ends_with_mark(text: str) -> bool:
    """Whether there is a mark behind the word that ends sentences, or abbreviations."""
    return _MARK.search(text) is not None


class LocalAgreement:
    """Hypotheses of one growing buffer in, committed words out; what is committed is never taken back."""

    def __init__(self) -> None:
        self.committed: list[Word] = []
        """The committed words that are still in the buffer."""
        self.rest: list[Word] = []
        """What the newest hypothesis says behind them."""

    def push(self, words: Sequence[Word], trust: Trust | None = None, *, timed: bool = False) -> list[Word]:
        """A new hypothesis of the whole buffer; the words that are now certain, in order.

        `timed`: their times are the recogniser's, here and in every hypothesis before, and no estimates. With `trust`
        in their confidences, words that the recogniser is sure of are certain where the hypothesis before this one had
        not come to them yet, and those that it doubts are not while they are among the last few.
        """
        rest = self.beyond(words, timed=timed)
        candidates = rest[: max(0, len(rest) - HELD_BACK)]
        pairs = zip(keys_of(self.rest), keys_of(candidates), strict=False)
        agreed = next((at for at, (old, new) in enumerate(pairs) if old != new), min(len(self.rest), len(candidates)))
        if trust is not None:
            if agreed >= len(self.rest) - HELD_BACK:
                agreed += len(list(takewhile(lambda word: _confidence(word, 0.0) >= trust.sure, candidates[agreed:])))
            last = len(rest) - DOUBTED
            doubts = (at for at in range(max(0, last), agreed) if _confidence(rest[at], 1.0) < trust.doubtful)
            agreed = next(doubts, agreed)
        new = self._commit(rest[:agreed])
        self.rest = rest[agreed:]
        return new

    def finish(self, words: Sequence[Word], *, timed: bool = False) -> list[Word]:
        """The last hypothesis of the buffer: what it says behind the committed words. The buffer is then empty."""
        new = self._commit(self.beyond(words, timed=timed))
        self.committed, self.rest = [], []
        return new

    def drop(self, count: int) -> list[Word]:
        """The buffer was cut: its first `count` committed words are gone from it, and given back."""
        gone, self.committed = self.committed[:count], self.committed[count:]
        return gone

    def beyond(self, words: Sequence[Word], *, timed: bool = False) -> list[Word]:
        """The part of a hypothesis that lies behind the committed words, whatever it makes of those."""
        return list(words[self.place(words, timed=timed) :])

    def place(self, words: Sequence[Word], *, timed: bool = False) -> int:
        """How many words of a hypothesis correspond to the committed ones.

        Whether a word that was heard in another way took the place of the last committed one or stands behind it, the
        words themselves cannot tell: then the one that is nearest by time counts, and by number where times are
        estimates.
        """
        known = [letters for letters, _ in keys_of(self.committed[-_TAIL:])]
        if not known:
            return 0
        heard = [letters for letters, _ in keys_of(words)]
        expected = len(self.committed)
        places = range(max(0, expected - _DRIFT), min(len(heard), expected + _DRIFT) + 1)
        nearest = within(words, self.committed[-1].stop_s) if timed else expected
        return min(
            places,
            key=lambda at: (distance(known, heard[max(0, at - len(known)) : at]), abs(at - nearest)),
            default=len(heard),
        )

    def find_end(self, words: Sequence[Word], near: int) -> int | None:
        """How many committed words a recognised beginning of the buffer holds: where its last two words are.

        None where they are not among the committed words within a few of `near`.
        """
        heard = [letters for letters, _ in keys_of(words[-2:])]
        known = [letters for letters, _ in keys_of(self.committed)]
        if len(heard) < 2:
            return None
        places = [at for at in range(2, len(known) + 1) if known[at - 2 : at] == heard and abs(at - near) <= _DRIFT]
        return min(places, key=lambda at: abs(at - near), default=None)

    def _commit(self, words: Sequence[Word]) -> list[Word]:
        """Committed words never overlap, whatever later estimates of their times say."""
        for word in words:
            floor_s = self.committed[-1].stop_s if self.committed else word.start_s
            start_s = max(word.start_s, floor_s)
            self.committed.append(replace(word, start_s=start_s, stop_s=max(word.stop_s, start_s)))
        return self.committed[len(self.committed) - len(words) :]


def within(words: Sequence[Word], until_s: float) -> int:
    """How many words lie before a place on their clock, by their middles."""
    return sum((word.start_s + word.stop_s) / 2 < until_s for word in words)


def distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Words that must be changed, added or removed (Levenshtein)."""
    row = list(range(len(other) + 1))
    for above, word in enumerate(one, 1):
        left, row[0] = row[0], above
        for at, wanted in enumerate(other, 1):
            left, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, left + (word != wanted))
    return row[-1]


def _confidence(word: Word, unknown: float) -> float:
    return unknown if word.confidence is None else word.confidence


def _letters(text: str) -> str:
    return re.sub(r"[^\w]", "", text.lower())
