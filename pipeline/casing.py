"""The first letter of a translation that goes on where the one before it stopped inside a sentence.

Translators take whatever they are given for a sentence of its own and begin it with a capital.
"""

import re

_KEEPS = frozenset({"de", "lb"})
"""Languages that write nouns with a capital: there the translator's is as likely right as wrong."""


def within_sentence(text: str, source: str, language: str) -> str:
    """`text` with a small first letter, if its `source` has one too; a name or "I" keeps its capital.

    A word whose second letter is a capital as well is an abbreviation, and stays.
    """
    start = next((at for at, letter in enumerate(text) if letter.isalnum()), None)
    origin = next((letter for letter in source if letter.isalnum()), "")
    if start is None or not origin.islower() or language in _KEEPS:
        return text
    word = text[start:].split(maxsplit=1)[0]
    if word[1:2].isupper() or (language == "en" and re.match(r"I\b", word)):
        return text
    return text[:start] + text[start].lower() + text[start + 1 :]
