"""The translation of a clause that is still growing: what two translations in a row agree on can be said already.

This is LocalAgreement again, on the target's side (Polák et al. 2022, https://aclanthology.org/2022.iwslt-1.24, for
translation). It needs a translator whose next translation of a longer text usually begins like the last one; rule-based
ones do not gain by it. A few certain words are held back until there are enough of them to be spoken.
"""

from dragoman.models.base import Word
from dragoman.pipeline.agreement import LocalAgreement
from dragoman.pipeline.timing import estimate_words, join_words

SPOKEN_WORDS = 4
"""Fewer certain words than this are not said by themselves: a voice that says two words at a time is unpleasant."""


class GrowingClause:
    """Translations of one clause, as it grows, in; text that may be said out."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._agreement = LocalAgreement()
        self._unsaid: list[Word] = []
        self.words = 0
        """How many words of the clause had been spoken when it was last translated."""
        self.said = False
        """Whether any of its translation was given out."""

    def push(self, translation: str, words: int) -> str:
        """Another translation, of so many words; what may be said now, often nothing."""
        self.words = words
        self._unsaid += self._agreement.push(self._split(translation))
        return self._take() if len(self._unsaid) >= SPOKEN_WORDS else ""

    def finish(self, translation: str) -> str:
        """The translation of the whole clause; what of it has not been said."""
        self._unsaid += self._agreement.finish(self._split(translation))
        return self._take()

    def _take(self) -> str:
        text, self._unsaid = join_words(self._unsaid, self._language), []
        self.said = self.said or bool(text)
        return text

    def _split(self, text: str) -> tuple[Word, ...]:
        return estimate_words(text, 0.0, 1.0, self._language)
