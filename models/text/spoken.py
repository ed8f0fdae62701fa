"""What a voice is given of a text: signs and numbers as espeak-ng's phonemizer, which Piper has too, reads them right.

Asked of espeak-ng 1.52: of the blanks that part thousands it knows the plain one only, and that only in some languages;
without any it reads the number right in all. The sign of a currency it says where it stands, so "$5.99" comes out as
"dollar five point nine nine".
"""

import re

from dragoman.models.text.canonical import canonical
from dragoman.models.text.money import signs_behind_numbers
from dragoman.models.text.number_forms import UNBROKEN_BLANKS

_IN_NUMBER = re.compile(rf"(?<=[0-9])[{UNBROKEN_BLANKS}](?=[0-9]{{3}}(?![0-9]))")
_DIGIT = re.compile("[0-9]")


def spoken(text: str, language: str) -> str:
    """`text`, which is in `language`, for a voice."""
    text = canonical(text)
    if not _DIGIT.search(text):
        return text
    return signs_behind_numbers(_IN_NUMBER.sub("", text), language)
