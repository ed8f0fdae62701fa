"""Where sentences end in recognised text."""

import re

_END = re.compile(r"""[.!?…]+["'”’»)\]]*(?=\s)|[。！？]+["'”’」』）]*""")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'“‘«])(?:mr|mrs|ms|dr|prof|st|sr|jr|vs|nr|fig|approx|e\.g|i\.e|etc|gen|sen|rep|gov|lt|col|capt|"
    r"sra|srta|ud|uds|m|mme|mlle|z\.b|d\.h|[a-z])\.$",
    re.IGNORECASE,
)
"""A full stop after one of these, or after a single letter, is part of a word more often than an end."""


def sentence_ends(text: str) -> list[int]:
    """Offsets just behind each sentence end that is followed by more text."""
    last = len(text.rstrip())
    found = (match.end() for match in _END.finditer(text))
    return [end for end in found if end < last and not _ABBREVIATION.search(text[:end])]


def split_sentences(text: str) -> list[str]:
    """The sentences of `text`, in order, without surrounding blanks; joined by single blanks they are all of it."""
    starts = [0, *sentence_ends(text)]
    stops = [*starts[1:], len(text)]
    pieces = (text[start:stop].strip() for start, stop in zip(starts, stops, strict=True))
    return [piece for piece in pieces if piece]


def words_of(text: str) -> list[str]:
    """Lower-case words without punctuation, for comparing two hypotheses."""
    return re.findall(r"[\w']+", text.lower().replace("’", "'"))
