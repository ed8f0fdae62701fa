"""The sentences and words of recognised text. Where sentences end is told by `models/sentences.py`."""

import re

from dragoman.models.sentences import sentence_ends, split_sentences

__all__ = ["sentence_ends", "split_sentences", "words_of"]


def words_of(text: str) -> list[str]:
    """Lower-case words without punctuation, for comparing two hypotheses."""
    return re.findall(r"[\w']+", text.lower().replace("’", "'"))
