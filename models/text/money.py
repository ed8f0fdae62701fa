"""Signs of currencies beside the words for thousands and millions."""

import re
from functools import cache

from dragoman.models.text.number_forms import BLANKS, UNBROKEN_BLANKS

SIGN = r"(?:\b(?:US|CA|AU|NZ|HK|MX|R|A|C|S)\$|[$€£¥₹₩₽₺₴₫₪₱฿])"
"""A pattern for the signs that stand beside numbers."""

_SCALES = {
    "en": r"thousand|million|billion|trillion",
    "es": r"mil millones|millones|millón|billones|billón|mil",
    "fr": r"millions?|milliards?|billions?|mille",
    "pt": r"mil milhões|milhões|milhão|bilhões|bilhão|biliões|trilhões|mil",
    "it": r"milioni|milione|miliardi|miliardo|mila",
    "de": r"Millionen|Million|Milliarden?|Billionen|Tausend|Mio\.?|Mrd\.?",
}  # fmt: skip
_OF = {"es": "de ", "fr": "de ", "pt": "de ", "it": "di "}
_NO_OF = frozenset({"mil", "mille", "mila"})
_SHORT = r"[kKM]\b|bn\b"
"""Letters for them, close behind the number."""


_IN_FRONT = re.compile(
    rf"(?P<sign>{SIGN})[{BLANKS}]?(?P<number>[0-9]++(?:[.,{UNBROKEN_BLANKS}][0-9]++)*+)(?![–-]|[{BLANKS}]?{SIGN})"
)
"""A sum with its sign in front; not the first of two ("$5–10")."""


def signs_behind_scales(text: str, language: str) -> str:
    """`text` with "1,5 $ millones" as "1,5 millones de $": the sign stands behind the whole number."""
    return _pattern(language).sub(lambda match: _behind(match, language), text)


def signs_behind_numbers(text: str, language: str) -> str:
    """`text` with "$1.5 million" as "1.5 million $", in the order in which it is said."""
    text = _IN_FRONT.sub(lambda match: f"{match['number']} {match['sign']}", text)
    return signs_behind_scales(text, language)


def _behind(match: re.Match[str], language: str) -> str:
    sign, word, short = match["sign"], match["word"], match["short"]
    if short:
        return f"{short}{match['gap']}{sign}"
    of = "" if word in _NO_OF else _OF.get(language, "")
    return f" {word} {of}{sign}"


@cache
def _pattern(language: str) -> re.Pattern[str]:
    words = _SCALES.get(language, "(?!)")
    return re.compile(
        rf"(?<=[0-9])(?P<gap>[{BLANKS}])(?P<sign>{SIGN})(?:[{BLANKS}](?P<word>(?:{words})(?!\w))|(?P<short>{_SHORT}))"
    )
