"""What texts are counted in: words, or characters in languages that are written without blanks."""

from collections.abc import Sequence

from dragoman.pipeline.timing import UNSPACED

WORD = "word"
CHARACTER = "char"


def unit_of(language: str) -> str:
    """ "word" or "char"."""
    return CHARACTER if language in UNSPACED else WORD


def units(text: str, unit: str) -> list[str]:
    """The words of a text, or its characters without blanks."""
    words = text.split()
    return words if unit == WORD else list("".join(words))


def joined(pieces: Sequence[str], unit: str) -> str:
    """The text that the pieces make."""
    return (" " if unit == WORD else "").join(pieces)


def plain(text: str, unit: str = WORD) -> list[str]:
    """The units in lower case without punctuation, as word errors are counted on."""
    kept = "".join(letter if letter.isalnum() or letter in "'’ " else " " for letter in text.lower())
    return units(kept.replace("’", "'"), unit)
