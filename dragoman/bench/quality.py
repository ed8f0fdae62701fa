"""How good a text is, beside another one that says the same: chrF, BLEU, and word errors."""

from collections.abc import Sequence
from dataclasses import dataclass

import sacrebleu

from dragoman.bench.alignment import cut
from dragoman.bench.units import WORD, plain

Pair = tuple[str, str]
"""What was said, and what it should have been, of one sentence."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Scores of a whole talk, 0 to 100, as sacrebleu gives them with its defaults."""

    chrf: float
    bleu: float


def quality(pairs: Sequence[Pair], unit: str) -> Quality | None:
    """chrF and BLEU over all sentences; None where there are none. Texts without blanks are cut into characters."""
    if not pairs:
        return None
    said, wanted = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    bleu = sacrebleu.corpus_bleu(said, [wanted], tokenize="13a" if unit == WORD else "char")
    return Quality(sacrebleu.corpus_chrf(said, [wanted]).score, bleu.score)


def word_errors(said: str, wanted: str, unit: str) -> tuple[int, int]:
    """Substitutions, deletions and insertions together, and the length of what was wanted.

    Case and punctuation do not count. Characters stand for words in texts without blanks.
    """
    reference = plain(wanted, unit)
    return cut(plain(said, unit), [reference]).errors, len(reference)
