"""Abbreviations written out, for translators that take them for words and their full stops for ends of sentences.

"Dept. of Energy" becomes "Dept. De Energía", and "Sat." the past of "sit". What such a translator knows itself
("Mr.", "e.g.", "etc.", "U.S.", "p.m.", months) is not here, nor what other languages write alike ("Fig. 3":
`apertium.escape`).
"""

import re
from collections.abc import Iterable
from functools import cache

from dragoman.models.sentences import sentence_ends

_ANYWHERE = {
    "en": {
        "approx": "approximately", "dept": "department", "ave": "avenue", "max": "maximum",
        "incl": "including", "excl": "excluding", "esp": "especially", "jr": "junior", "ltd": "limited",
        "corp": "corporation", "co": "company", "bros": "brothers",
    },
    "es": {
        "ud": "usted", "uds": "ustedes", "vd": "usted", "vds": "ustedes", "av": "avenida", "avda": "avenida",
        "aprox": "aproximadamente", "p. ej": "por ejemplo", "p.ej": "por ejemplo", "ee. uu": "Estados Unidos",
        "ee.uu": "Estados Unidos", "gral": "general",
    },
    "fr": {"av": "avenue", "env": "environ", "p. ex": "par exemple", "p.ex": "par exemple"},
}  # fmt: skip

_BEFORE_NUMBERS = {
    "en": {
        "sec": "section", "vol": "volume", "vols": "volumes", "ch": "chapter", "chap": "chapter", "p": "page",
        "pp": "pages", "eq": "equation", "nos": "numbers", "par": "paragraph",
    },
    "es": {
        "fig": "figura", "figs": "figuras", "art": "artículo", "arts": "artículos", "cap": "capítulo",
        "pág": "página", "págs": "páginas", "p": "página", "pp": "páginas", "vol": "volumen", "núm": "número",
        "tel": "teléfono",
    },
    "fr": {
        "fig": "figure", "art": "article", "chap": "chapitre", "vol": "volume", "p": "page", "pp": "pages",
        "tél": "téléphone",
    },
}  # fmt: skip

_TITLES = {
    "en": {
        "Gen": "General", "Col": "Colonel", "Sen": "Senator", "Rep": "Representative", "Gov": "Governor",
        "Capt": "Captain", "Maj": "Major", "Lt": "Lieutenant", "Sgt": "Sergeant", "Prof": "Professor",
        "Rev": "Reverend", "Pres": "President", "Mt": "Mount", "Ft": "Fort",
    },
    "fr": {"St": "Saint", "Ste": "Sainte"},
}  # fmt: skip
"""With a capital, and in front of one."""

_DAYS = {
    "en": {
        "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday",
        "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday",
    },
}  # fmt: skip
"""With a capital only: "sat." and "sun." are words."""


_NEAR = 8
"""So far behind a full stop the next word begins."""


def abbreviations_written_out(text: str, language: str) -> str:
    """`text`, which is in `language`, with abbreviations in full where they end no sentence."""
    pattern = _pattern(language)
    if pattern is None or "." not in text or not pattern.search(text):
        return text
    ends = frozenset(sentence_ends(text))

    def written(match: re.Match[str]) -> str:
        ends_here = match.end() in ends and not text[match.end() :][:_NEAR].lstrip()[:1].islower()
        return match[0] if ends_here else _full(match, language)

    return pattern.sub(written, text)


def _full(match: re.Match[str], language: str) -> str:
    if capital := match["title"] or match["day"]:
        return (_TITLES[language] | _DAYS.get(language, {}))[capital]
    short = match["numbered"] or match["any"]
    full = (_BEFORE_NUMBERS if match["numbered"] else _ANYWHERE)[language][short.lower()]
    return full[0].upper() + full[1:] if short[0].isupper() else full


@cache
def _pattern(language: str) -> re.Pattern[str] | None:
    """Every abbreviation of the language with its full stop, if something is behind it."""
    if language not in _ANYWHERE:
        return None
    return re.compile(
        r"(?<![\w.-])(?:"
        rf"(?P<numbered>(?i:{_either(_BEFORE_NUMBERS[language])}))\.(?=\s+[0-9])"
        rf"|(?P<any>(?i:{_either(_ANYWHERE[language])}))\.(?=[\s,;:)]+\w)"
        rf"|(?P<title>{_either(_TITLES.get(language, {}))})\.(?=\s+[A-ZÀ-Þ])"
        rf"|(?P<day>{_either(_DAYS.get(language, {}))})\.(?=[\s,]+\w))"
    )


def _either(words: Iterable[str]) -> str:
    """Any of the words, or what is nowhere."""
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True))) or "(?!)"
