"""Which script a text is in, and which language of India.

Most of these languages have a script of their own. Of the two in Devanagari py3langid (BSD) tells which it is, a naive
Bayes classifier over pieces of words whose model comes inside the package. Latin letters are English, unless it is sure
of another language in them; languages of India that are written in Latin letters are not told apart from it.
"""

import re
from collections import Counter
from functools import cache
from typing import NamedTuple

from py3langid.langid import MODEL_FILE, LanguageIdentifier

SCRIPTS = {
    "Latn": "A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff",
    "Deva": "\u0900-\u0963\u0966-\u097f",
    "Beng": "\u0980-\u09ff",
    "Guru": "\u0a00-\u0a7f",
    "Gujr": "\u0a80-\u0aff",
    "Orya": "\u0b00-\u0b7f",
    "Taml": "\u0b80-\u0bff",
    "Telu": "\u0c00-\u0c7f",
    "Knda": "\u0c80-\u0cff",
    "Mlym": "\u0d00-\u0d7f",
}
"""Characters by the names of ISO 15924."""
LANGUAGES = {
    "Latn": ("en",),
    "Deva": ("hi", "mr"),
    "Beng": ("bn",),
    "Guru": ("pa",),
    "Gujr": ("gu",),
    "Orya": ("or",),
    "Taml": ("ta",),
    "Telu": ("te",),
    "Knda": ("kn",),
    "Mlym": ("ml",),
}
"""What may be written in each."""
SURE = 0.5
"""Probability from which Latin letters are another language than English."""
NATIVE = 3
"""A letter of a script of India counts as so many Latin ones: people mix their language with English words."""
MAX_CHARACTERS = 4_000
"""More of a text tells no more."""

_RUNS = re.compile("|".join(f"(?P<{name}>[{letters}]+)" for name, letters in SCRIPTS.items()))
_LIKE_ENGLISH = frozenset({"en", "pcm"})
"""Nigerian Pidgin is English to whoever reads one sentence of it."""


class Identified(NamedTuple):
    """Code of the language and ISO 15924 name of the script; None where they are none of these."""

    language: str | None
    script: str | None


def identify(text: str) -> Identified:
    """The language and script of most of a text's letters. Loads a model when first needed, which takes a second."""
    text = text[:MAX_CHARACTERS]
    counts: Counter[str] = Counter()
    for run in _RUNS.finditer(text):
        counts[str(run.lastgroup)] += len(run[0]) * (1 if run.lastgroup == "Latn" else NATIVE)
    if not counts:
        return Identified(None, None)
    script = counts.most_common(1)[0][0]
    among = LANGUAGES[script]
    if script == "Latn":
        likeliest, probability = _classifier().classify(text)
        return Identified("en" if likeliest in _LIKE_ENGLISH or probability < SURE else None, script)
    if len(among) == 1:
        return Identified(among[0], script)
    return Identified(next(code for code, _ in _classifier().rank(text) if code in among), script)


@cache
def _classifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
