"""A translation without what its engine left in it: blanks before stops, two variants of a word, marks of its own."""

import re

_UNKNOWN = re.compile("<unk>|\u2047")
"""SentencePiece's words for what a model has no token for."""

_WORD_MARK = "\u2581"

_MARKS = re.compile(r"(?<!\S)[*#@~]++(?=\w)|(?<=\w)[#@~](?!\S)")
"""Apertium's marks of unknown words (* # @), of words that it could not inflect ("banco# de dados") and of words that
are to be joined with what stands before them (~)."""

_BLANK_BEFORE_STOP = re.compile(r"(?<=[^\s.])\s++(?=[.,](?:[\s\"'”’»)\]]|$))")
_BLANK_BEFORE_MARK = re.compile(r"(?<=[^\s:;])\s++(?=[!?](?:[\s\"'”’»)\]!?]|$)|[;:](?:\s|$))")

_SPACED_MARKS = frozenset({"fr"})
"""Languages that leave a blank before a question mark and its like."""

_VARIANTS = re.compile(
    r"(?<![\w/])(?P<first>[^\W\d_]++(?:['’-][^\W\d_]++)*+)/(?P<second>[^\W\d_]++(?:['’-][^\W\d_]++)*+)(?![\w/])"
)

_WORDS = """
el/la los/las un/una unos/unas le/la lo/la él/ella ellos/ellas del/la al/la nosotros/nosotras este/esta ese/esa
un/une du/de il/elle ils/elles ce/cette celui/celle son/sa mon/ma ton/ta le/les
o/a os/as um/uma uns/umas ao/à do/da dos/das no/na nos/nas ele/ela eles/elas seu/sua seus/suas meu/minha
der/die der/das die/das er/sie ihm/ihr sein/ihr ein/eine einen/eine lui/lei il/la lo/la i/gli
he/she him/her his/her his/hers himself/herself s/he
"""
_PAIRS = frozenset(frozenset(pair.split("/")) for pair in _WORDS.split())
"""Articles and pronouns that are each other's variants."""

_LAST_LETTERS = "a as o os e es ne nes in innen rin r ra ras or ora oras trice euse rice esa essa ã"
_ENDINGS = frozenset(_LAST_LETTERS.split())
"""What a second variant may be when only its ending is written: "amigo/a"."""

_NEAR = 64
"""How far a mark's word is looked at on each side."""

_ALIKE = 3
"""Two variants of one word begin with so many letters alike."""


def tidy(source: str, text: str, language: str) -> str:
    """`text`, a translation of `source` into `language`, without marks, variants and blanks that nobody wrote."""
    if "<unk>" in text or "\u2047" in text or _WORD_MARK in text:
        text = _without_tokens(source, text)
    if any(mark in text for mark in "*#@~"):
        written = frozenset(source.split())
        text = _MARKS.sub(lambda mark: mark[0] if _token_at(text, mark.start()) in written else "", text)
    if "/" in text and "/" not in source:
        text = _VARIANTS.sub(_one_variant, text)
    return without_blanks_before_stops(text, language)


def without_blanks_before_stops(text: str, language: str) -> str:
    """`text` with every stop close behind its word, as far as `language` writes it so."""
    text = _BLANK_BEFORE_STOP.sub("", text)
    if language not in _SPACED_MARKS:
        text = _BLANK_BEFORE_MARK.sub("", text)
    return text


def _without_tokens(source: str, text: str) -> str:
    if not _UNKNOWN.search(source):
        text = " ".join(_UNKNOWN.sub(" ", text).split())
    return text if _WORD_MARK in source else " ".join(text.replace(_WORD_MARK, " ").split())


def _token_at(text: str, at: int) -> str:
    """What stands around this place, between two blanks; of a long one only what is near."""
    before, after = text[max(0, at - _NEAR) : at], text[at : at + _NEAR]
    inside = "" if before[-1:].isspace() or not before else before.rsplit(maxsplit=1)[-1]
    return inside + after.split(maxsplit=1)[0]


def _one_variant(match: re.Match[str]) -> str:
    """The first of two variants; both where they are no variants ("km/h")."""
    first, second = match["first"], match["second"]
    one, other = first.casefold(), second.casefold()
    alike = min(len(one), len(other)) >= _ALIKE and one[:_ALIKE] == other[:_ALIKE]
    ending = len(first) > _ALIKE and other in _ENDINGS
    return first if alike or ending or frozenset({one, other}) in _PAIRS else match[0]
