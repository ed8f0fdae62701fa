"""What a text is made to be before hibari reads it, and in which pieces it is spoken.

hibari's own reading of numbers, dates, units and abbreviations is good (its `g2p/normalize.py`); here stands what
breaks it or what it reads wrongly, found by trying version 0.2.1:

- `[word](/phonemes/)` is a command to it, and a row of brackets takes it minutes: brackets go;
- more than 36 digits in a row, and capitals that become two letters when small (İ), raise;
- signs of currencies are read in front of their number only, and `models/text/spoken.py` puts them behind it;
- "555-1234." at the end of a sentence is no telephone number to it, nor "No. 5" a number, nor "a.com" an address.
"""

import re
import unicodedata
from collections.abc import Iterator

from dragoman.models.engines.espeak.speakable import speakable
from dragoman.models.sentences import split_sentences

LONGEST_PIECE = 400
"""So many phonemes, about 30 s, are computed at once at most, as in hibari itself."""

_BRACKETS = str.maketrans("[]{}", "    ")
_LONG_NUMBER = re.compile(r"(?:[0-9],?){15,}[0-9]")
"""Said digit by digit."""
_MONEY = re.compile(r"(?<![\w.,])([0-9][0-9.,]*+)( (?:thousand|million|billion|trillion))? ?([$£€¥₹₩])(?!\w)")
_NUMBER_OF = re.compile(r"\bNo\. ?(?=[0-9])")
_STOP_BEHIND_DIGIT = re.compile(r"(?<=[0-9])\.(?=\s|$)")
_WEB = re.compile(r"\bwww\.", re.IGNORECASE)
_DOT = re.compile(r"(?<=[^\W_]{2})\.(?=[a-z]{2})")


def sentences(text: str) -> list[str]:
    """The sentences of `text` as hibari reads them right, each in one line; none if it has no letter or digit."""
    return [sentence for sentence in map(_readable, split_sentences(speakable(text))) if sentence]


def parted(phonemes: str, longest: int = LONGEST_PIECE) -> Iterator[str]:
    """Pieces of `longest` phonemes at most: parted behind marks, else at blanks, else anywhere."""
    start = 0
    while len(phonemes) - start > longest:
        window = phonemes[start : start + longest]
        marked = max(window.rfind(f"{mark} ") for mark in ",;:—") + 1
        stop = marked if marked > longest // 2 else window.rfind(" ")
        stop = start + (stop if stop > 0 else longest)
        yield phonemes[start:stop].strip()
        start = stop
    yield phonemes[start:].strip()


def _readable(sentence: str) -> str:
    sentence = "".join(map(_one_small_letter, sentence.translate(_BRACKETS)))
    sentence = _LONG_NUMBER.sub(lambda number: " ".join(number[0].replace(",", "")), sentence)
    sentence = _MONEY.sub(lambda money: f"{money[3]}{money[1]}{money[2] or ''}", sentence)
    sentence = _NUMBER_OF.sub("number ", sentence)
    sentence = _DOT.sub(" dot ", _WEB.sub("W W W dot ", sentence))
    sentence = _STOP_BEHIND_DIGIT.sub(" .", sentence)
    return " ".join(sentence.split()) if any(character.isalnum() for character in sentence) else ""


def _one_small_letter(character: str) -> str:
    return character if len(character.lower()) == 1 else unicodedata.normalize("NFD", character)[0]
