"""What a text is made to be before hibari reads it.

hibari's own reading of numbers, dates, units and abbreviations is good (its `g2p/normalize.py`); here stands what
breaks it or what it reads wrongly, found by trying version 0.2.1:

- `[word](/phonemes/)` is a command to it, and a row of brackets takes it minutes: brackets go;
- more than 36 digits in a row, and capitals that become two letters when small (İ), raise;
- signs of currencies are read in front of their number only, and `models/text/spoken.py` puts them behind it;
- "555-1234." at the end of a sentence is no telephone number to it, nor "No. 5" a number, nor "a.com" an address.
"""

import re
import unicodedata

from dragoman.models.engines.espeak.speakable import speakable
from dragoman.models.sentences import split_sentences
from dragoman.models.text.parts import digit_by_digit

_BRACKETS = str.maketrans("[]{}", "    ")
_MONEY = re.compile(r"(?<![\w.,])([0-9][0-9.,]*+)( (?:thousand|million|billion|trillion))? ?([$£€¥₹₩])(?!\w)")
_NUMBER_OF = re.compile(r"\bNo\. ?(?=[0-9])")
_STOP_BEHIND_DIGIT = re.compile(r"(?<=[0-9])\.(?=\s|$)")
_WEB = re.compile(r"\bwww\.", re.IGNORECASE)
_DOT = re.compile(r"(?<=[^\W_]{2})\.(?=[a-z]{2})")


def sentences(text: str) -> list[str]:
    """The sentences of `text` as hibari reads them right, each in one line; none if it has no letter or digit."""
    return [sentence for sentence in map(_readable, split_sentences(speakable(text))) if sentence]


def _readable(sentence: str) -> str:
    sentence = "".join(map(_one_small_letter, sentence.translate(_BRACKETS)))
    sentence = digit_by_digit(sentence)
    sentence = _MONEY.sub(lambda money: f"{money[3]}{money[1]}{money[2] or ''}", sentence)
    sentence = _NUMBER_OF.sub("number ", sentence)
    sentence = _DOT.sub(" dot ", _WEB.sub("W W W dot ", sentence))
    sentence = _STOP_BEHIND_DIGIT.sub(" .", sentence)
    return " ".join(sentence.split()) if any(character.isalnum() for character in sentence) else ""


def _one_small_letter(character: str) -> str:
    return character if len(character.lower()) == 1 else unicodedata.normalize("NFD", character)[0]
