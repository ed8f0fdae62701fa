"""Numbers in the form of the language that they are said in.

Translators copy digits, or write them as their language does, now and then both in one sentence. So nothing is
converted blindly: a number of the translation is put into its language's form where it stands there as it stood in the
source (35,400 is thirty-five thousand in English and thirty-five in Spanish). What is a time, a date, a version, an
address, a telephone number or a list is no number here; years and other numbers without marks are alike everywhere.
"""

import re
from typing import NamedTuple

from dragoman.models.base import LanguagePair
from dragoman.models.text.money import SIGN, signs_behind_scales
from dragoman.models.text.number_forms import BLANKS, PLAIN_BLANK, UNBROKEN_BLANKS, NumberForm, form_of

SHARES = "%‰"


def _amounts(blanks: str) -> re.Pattern[str]:
    """A number with its currency or the sign of hundredths. `blanks` may part its thousands."""
    return re.compile(
        rf"(?P<money>{SIGN}[{BLANKS}]?)?"
        rf"(?P<number>(?<![0-9][{blanks}])[0-9]{{1,3}}(?:[{blanks}][0-9]{{3}})++(?:[.,][0-9]++)?(?![{blanks}]?[0-9])"
        r"|[0-9]++(?:[.,'’][0-9]++)*+|(?<![\w.,])\.[0-9]++)"
        rf"(?P<sign>[{BLANKS}]?[{SHARES}](?![0-9])"
        # Of two numbers around a sign it is that one's to which no line breaks, else the second's.
        rf"|[{UNBROKEN_BLANKS}]?{SIGN}(?![{UNBROKEN_BLANKS}]?\.?[0-9])|{PLAIN_BLANK}{SIGN}(?![{BLANKS}]?\.?[0-9]))?"
    )


_AMOUNT, _AMOUNT_BY_BLANKS = _amounts(UNBROKEN_BLANKS), _amounts(BLANKS)
_BESIDE = re.compile(rf"{SIGN}|[{SHARES}]")
_DIGIT = re.compile("[0-9]")
_ANY_BLANK = re.compile(f"[{BLANKS}]")
_SEPARATOR = re.compile(r"[^0-9]")
_OCTETS = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})")
_HUNDREDS = re.compile(r"[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}")
"""Groups as in India: 12,34,567."""

_NEAR = 24
"""So many characters around a number tell whether it is one."""

_NAMED = re.compile(
    r"(?:\b(?:v|ver|version|versión|versão|versione|release|chapter|chap|ch|section|sec|§|figure|fig|table|capítulo|cap|"
    r"sección|seção|seccão|figura|tabla|tabela|chapitre|tableau|kapitel|kap|abschnitt|abbildung|abb|tabelle|"
    r"phone|tel|teléfono|téléphone|tél|telefone|telefon|fax|ip|isbn|python|java|php|windows|android|ios|macos|ubuntu|"
    r"usb|http|tls|bluetooth)\b\.?|[§#@])\s*$",
    re.IGNORECASE,
)
"""What numbers are names of, if it stands in front of them."""

_CLOCK = re.compile(r"(?:[01]?[0-9]|2[0-4])[.,][0-5][0-9]")
_BEFORE_CLOCK = re.compile(r"(?:\bat|\bum|\bgegen|\ba las?|\bàs?|\balle|\b(?:seit|bis|von|ab))\s+$", re.IGNORECASE)
_BEHIND_CLOCK = re.compile(r"\s?(?:[ap]\.?\s?m\b|uhr\b|hrs?\b|h\b|heures?\b|horas?\b|o'clock)", re.IGNORECASE)
_END = re.compile(r"\s*+(?:[,.;:!?)]|$|(?:and|und|y|et|e|to|bis|till|until|or|oder|today|tomorrow|sharp)\b)")
"""What may follow a time of which nothing tells but a word in front of it; "at 5.30 percent" is none."""

_DAY = re.compile(r"(?:0?[1-9]|[12][0-9]|3[01])\.(?:0?[1-9]|1[0-2])")
_BEFORE_DAY = re.compile(r"\b(?:am|vom|zum|bis|den|dem|der|seit|ab|dom|de|le|del)\s+$", re.IGNORECASE)


class _Number(NamedTuple):
    """Digits before and behind the decimal sign, and whether thousands were parted."""

    whole: str
    fraction: str | None
    grouped: bool


class _Source(NamedTuple):
    """What the source holds: how each number of it stands in the translation, by how it stands there itself, and the
    numbers that have a sign."""

    forms: dict[str, str]
    order: list[str]
    signed: frozenset[str]


def localised(source: str, text: str, pair: LanguagePair) -> str:
    """`text`, a translation of `source`, with the numbers that were copied in the target's form. Doing it again changes
    nothing."""
    if not _DIGIT.search(text) or not _DIGIT.search(source):
        return text
    one, other = form_of(pair.source), form_of(pair.target)
    if one is None or other is None:
        return text
    found = _source_of(source, pair.source, one, other)
    if not found.forms and not found.signed:
        return text
    pattern = _AMOUNT_BY_BLANKS if any(PLAIN_BLANK in number for number in found.forms) else _AMOUNT
    forms = {} if _done(pattern, text, found) else found.forms

    def write(match: re.Match[str]) -> str:
        key = _key(match["number"])
        number = forms.get(key, match["number"])
        if key not in found.signed or not (match["money"] or match["sign"]):
            return f"{match['money'] or ''}{number}{match['sign'] or ''}"
        return _with_sign(match, number, other)

    text = pattern.sub(write, text)
    return signs_behind_scales(text, pair.target) if found.signed and other.money[1] else text


def _source_of(text: str, language: str, form: NumberForm, target: NumberForm) -> _Source:
    forms: dict[str, str] = {}
    order: list[str] = []
    signed: set[str] = set()
    for match in (_AMOUNT_BY_BLANKS if form.blank_grouped else _AMOUNT).finditer(text):
        shown = match["number"]
        if match["money"] or match["sign"]:
            signed.add(_key(shown))
        if shown.isdigit() or _is_name(text, match.start("number"), match.end("number"), language):
            continue
        if (number := _read(shown, form)) is not None:
            written = target.write(number.whole, number.fraction, grouped=number.grouped)
            if shown == written.removeprefix("0"):
                written = shown  # ".5", where it is written so
            forms[_key(shown)] = written
            order.append(_key(written))
    return _Source({shown: written for shown, written in forms.items() if shown != written}, order, frozenset(signed))


def _done(pattern: re.Pattern[str], text: str, source: _Source) -> bool:
    """Whether the translation has the source's numbers, one after the other, in its own form already."""
    known = frozenset(source.forms) | frozenset(source.order)
    keys = (_key(match["number"]) for match in pattern.finditer(text))
    return [key for key in keys if key in known] == source.order


def _read(shown: str, form: NumberForm) -> _Number | None:
    """The number that `shown` is in a language of this form; None where it is none, or a list without blanks.

    What can be read in one way only is read so, whatever the language; "35,400" and "35.400" are read as the language
    says.
    """
    marks = _SEPARATOR.findall(shown)
    parts = _SEPARATOR.split(shown)
    if not parts[0]:
        return _Number("0", parts[1], grouped=False)
    kinds = {PLAIN_BLANK if mark in BLANKS else mark for mark in marks}
    if len(kinds) == 2 and marks[-1] in ".," and marks.count(marks[-1]) == 1:
        return _Number("".join(parts[:-1]), parts[-1], grouped=True) if _groups(parts[:-1]) else None
    if len(kinds) != 1:
        return None
    mark = kinds.pop()
    if len(marks) > 1 or mark not in ".,":
        if _OCTETS.fullmatch(shown) and all(int(part) < 256 for part in parts):
            return None  # the address of a machine
        lakhs = form.decimal == "." and _HUNDREDS.fullmatch(shown)
        return _Number("".join(parts), None, grouped=True) if _groups(parts) or lakhs else None
    if mark != form.decimal and _groups(parts):
        return _Number("".join(parts), None, grouped=True)
    if mark != form.decimal and form.decimal == ".":
        return None  # "5,10" is a list in English
    leading = len(parts[0]) > 1 and parts[0].startswith("0")
    return None if leading else _Number(parts[0], parts[1], grouped=False)


def _groups(parts: list[str]) -> bool:
    return (
        len(parts) > 1 and 0 < len(parts[0]) <= 3 and parts[0][0] != "0" and all(len(part) == 3 for part in parts[1:])
    )


def _is_name(text: str, start: int, stop: int, language: str) -> bool:
    """Whether what looks like a number is a time, a date, a version, an address or part of a name."""
    before, shown, after = text[max(0, start - _NEAR) : start], text[start:stop], text[stop : stop + _NEAR]
    last = before[-1:]
    if _is_cased(last) or last in {"_", ":"} or (last == "-" and _is_cased(before[-2:-1])):
        return True
    if last == "+" and len(_SEPARATOR.findall(shown)) > 1:
        return True  # a telephone number
    if after[:1] in {":", "."} and after[1:2].isalnum():
        return True
    if _CLOCK.fullmatch(shown) and (_BEHIND_CLOCK.match(after) or (_BEFORE_CLOCK.search(before) and _END.match(after))):
        return True
    if language == "de" and _DAY.fullmatch(shown) and (after[:1] == "." or _BEFORE_DAY.search(before)):
        return True
    return _NAMED.search(before) is not None


def _is_cased(letter: str) -> bool:
    return letter.lower() != letter.upper()


def _with_sign(match: re.Match[str], number: str, form: NumberForm) -> str:
    """The number with its sign where the language has it; beside another sign or in a word it stays where it is."""
    before, after = match.string[match.start() - 1 : match.start()], match.string[match.end() : match.end() + 1]
    in_word = (match["money"] and (before.isalnum() or before == ".")) or (match["sign"] and after.isalnum())
    if in_word or (match["money"] and match["sign"]) or _BESIDE.search(before) or _BESIDE.search(after):
        return f"{match['money'] or ''}{number}{match['sign'] or ''}"
    sign = (match["sign"] or match["money"]).strip(BLANKS)
    front, behind = form.share if sign in SHARES else form.money
    return f"{front}{number}{behind}".replace("%" if sign in SHARES else "¤", sign)


def _key(number: str) -> str:
    """A number as it is compared: whatever blanks part it."""
    return _ANY_BLANK.sub(PLAIN_BLANK, number)
