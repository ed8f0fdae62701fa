"""The two ends of a translated clause that is only a part of its sentence.

Translators take whatever they are given for a sentence of its own: they begin it with a capital, and neural ones like
to end it with a full stop.
"""

import re

from dragoman.pipeline.agreement import ends_with_mark

_KEEPS = frozenset({"de", "lb"})
"""Languages that write nouns with a capital: there the translator's is as likely right as wrong."""

_CAPITALS = """
    I Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April June July August September
    October November December Christmas Easter African American Arab Arabic Argentine Asian Australian
    Austrian Belgian Brazilian British Bulgarian Canadian Catalan Chilean Chinese Christian Colombian Croatian Cuban
    Czech Danish Dutch Egyptian English European Finnish French German Greek Hebrew Hindi Hungarian Indian Indonesian
    Iranian Iraqi Irish Islamic Israeli Italian Japanese Jewish Korean Latin Mexican Moroccan Muslim Norwegian Persian
    Peruvian Polish Portuguese Romanian Russian Scottish Serbian Slovak Spanish Swedish Swiss Thai Turkish Ukrainian
    Vietnamese Welsh
"""
_ENGLISH = frozenset(_CAPITALS.split())
"""Words that English writes with a capital and most other languages do not; "May" is more often the verb."""

_LETTERS = re.compile(r"[^a-zA-Z]")

_FULL_STOP = re.compile(r"(?:^|[\s¿¡«(])[^\s.]{2,}[.。।]\s*$")
"""One behind a word that has no other."""


def within_sentence(text: str, source: str, language: str) -> str:
    """`text` with a small first letter, if its `source` has one too; a name or "I" keeps its capital.

    A word whose second letter is a capital as well is an abbreviation, and stays.
    """
    start = next((at for at, letter in enumerate(text) if letter.isalnum()), None)
    origin = next((letter for letter in source if letter.isalnum()), "")
    if start is None or not origin.islower() or language in _KEEPS:
        return text
    word = text[start:].split(maxsplit=1)[0]
    if word[1:2].isupper() or (language == "en" and _LETTERS.split(word, maxsplit=1)[0] in _ENGLISH):
        return text
    return text[:start] + text[start].lower() + text[start + 1 :]


def without_full_stop(text: str, source: str) -> str:
    """`text` without the full stop at its end, if its `source` has no mark there; an abbreviation keeps its own."""
    if ends_with_mark(source.rstrip()) or not _FULL_STOP.search(text):
        return text
    return text.rstrip()[:-1]
