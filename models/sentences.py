"""Where sentences end in text that a recogniser or a translator wrote, in any language, without a model.

A sentence that is cut in two is translated badly, two that stay together only come a moment later; so what is
doubtful stays together. Marks of the end are looked at one by one:

- a full stop after an abbreviation, an initial or a German ordinal is part of the word, unless a word follows that
  begins sentences ("in the U.S. They …");
- where the text writes capitals at all, a sentence that goes on in lower case has not ended ("approx. five", "well…
  maybe");
- Chinese, Japanese and Indian marks need no blank behind them.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_QUOTES = r"""(?:["'”’“‘»«›‹)\]」』）】》〉]|\s[»›](?=[\s.,;:!?]|$))*"""
"""What closes behind the mark; French leaves a blank before it."""

_MARKS = re.compile(
    rf"(?<![.!?…])(?P<spaced>[.!?…]++){_QUOTES}(?=\s|$)"
    rf"|(?P<other>[。！？｡।॥؟։።፧။។]+|．(?!\d)|۔(?=\s)|(?<=[\u0370-\u03ff\u1f00-\u1fff])[;\u037e](?=\s)){_QUOTES}"
    rf"|(?<![!?…])[!?…]++{_QUOTES}(?=[\u3040-\u30ff\u4e00-\u9fff])"
)
"""A mark and what closes behind it. The Greek question mark looks like a semicolon.

A row of marks is looked at once and whole: clients write the text, and a long row must not take the square of its time.
"""

_LAST_STOP = re.compile(rf"(?<!\.)(?P<stops>\.++){_QUOTES}\s*+$")
"""Full stops behind which nothing comes."""

_GOES_ON = re.compile(r"(?<=[」』])(?:と|って)")
"""Japanese puts "he said" behind the quotation."""

_TITLE = re.compile(
    r"(?<![^\s(\"'“‘«¿¡-])(?:(?i:mr|mrs|ms|mx|messrs|dr|dra|prof|profa|sr|sra|srta|sres|dña|uds?|vds?|gral|mmes?|mlles?|"
    r"mgr|dhr|mevr|st|ste|vs|med|ca|bzw|vgl|sog|evtl|ggf|inkl|exkl|zzgl|approx|aprox|p\.ej|por ej|por ex|par ex|núm|nr|"
    r"avda?|av|bijv|np|tzn|tj|ul|см|напр|örn)|Gen|Sen|Rep|Gov|Lt|Col|Capt|Cpt|Sgt|Maj|Adm|Rev|Hon|Fr|Hr|"
    r"Frl|Mt|Ft|Lic|Ing|Arq|Sig|Dott|Avv|Sn)\.$"
)
"""Words of a name or of what follows; they end no sentence. Some are other words where they have no capital."""

_ABBREVIATION = re.compile(
    r"(?<![^\s(\"'“‘«¿¡-])(?:(?:[^\W\d_]{1,4}\.)+[^\W\d_]{1,4}|([A-ZÁ])\1|[A-ZÀ-ÖØ-ÞА-ЯΑ-Ω]|[a-zгтдпнср]|"
    r"(?i:etc|usw|jr|inc|ltd|corp|bros|dept|млн|млрд|тыс|руб|др|vb)|Co)\.$"
)
"""Abbreviations with full stops inside, doubled letters (EE. UU.), initials, and words that may end a sentence."""

_BEFORE_NUMBER = re.compile(
    r"(?<![^\s(\"'“‘«¿¡-])(?:nos?|núm|num|n|art|arts|vol|ch|cap|chap|kap|abs|p[áa]gs?|pp?|s|fig|figs|abb|sec|bd|tel|ext|eq|"
    r"jan|feb|apr|jun|jul|aug|sept?|oct|nov|dec|ene|abr|dic|fev|dez|janv|févr|avr|juil|déc|(?-i:Mar|Ago|Set|Out))\.$",
    re.IGNORECASE,
)
"""Abbreviations if a number follows; the last ones are months if they have a capital, else words."""

_ORDINAL = re.compile(
    r"(?:(?<!\w)(?P<article>der|die|das|dem|den|des|vom|zum|zur|im|beim|ins)\s+)?(?<![\w.,])\d{1,2}\.$", re.IGNORECASE
)
_COUNTED = re.compile(
    r"(?:jan|feb|mär|mar|apr|mai|maj|jun|jul|aug|sep|okt|nov|dez|dec)[a-zäé]*\b|(?:jahr|jahrhundert|jahrtausend|weltkrieg|"
    r"geburtstag|lebensjahr|klasse|stock|etage|tag|mal|platz|kapitel)s?\b",
    re.IGNORECASE,
)
"""What German counts with ordinals."""

_WORDS = """
the he she it they we you this that these those there then but and so when what how why my his her our their yes
now well because after before
el los las un una yo tú él ella ellos ellas nosotros usted ustedes esto eso pero cuando como hay
le les une il elle je tu nous vous ils elles ce cela c'est mais et dans puis alors
der die das ein eine er sie es ich du wir ihr dies dieser diese aber und dann da wenn wie auch
os um uma ele ela eu nós você isto isso mas quando io lui lei noi voi loro questo questa ma poi
het een hij zij wij maar en
"""
"""Words that begin sentences and no names, in English, Spanish, French, German, Portuguese, Italian and Dutch."""

_STARTERS = frozenset(_WORDS.split())

_NEAR = 40
"""So many characters on each side of a mark are enough to know what stands there."""


class _Mark(NamedTuple):
    """A possible end: where the mark begins and its quotes end, the mark if blanks follow it, and what comes next."""

    start: int
    end: int
    spaced: str
    following: str


def sentence_ends(text: str) -> list[int]:
    """Offsets just behind each sentence end that is followed by more text."""
    return [mark.end for mark in _ends(text)]


def full_stops(text: str) -> list[int]:
    """Offsets of the full stops that end sentences, also the last one: those that are no part of an abbreviation."""
    stops = [mark.start for mark in _ends(text) if mark.spaced.startswith(".")]
    if last := _LAST_STOP.search(text):
        before = text[max(0, last.start() - _NEAR) : last.start()]
        if len(last["stops"]) > 1 or not (_TITLE.search(f"{before}.") or _ABBREVIATION.search(f"{before}.")):
            stops.append(last.start())
    return stops


def split_sentences(text: str) -> list[str]:
    """The sentences of `text`, in order, without surrounding blanks; joined by single blanks they are all of it."""
    starts = [0, *sentence_ends(text)]
    stops = [*starts[1:], len(text)]
    pieces = (text[start:stop].strip() for start, stop in zip(starts, stops, strict=True))
    return [piece for piece in pieces if piece]


def _ends(text: str) -> Iterator[_Mark]:
    """The marks that end a sentence and are followed by more text."""
    marks = list(_marks(text))
    cased = _first_letter(text).isupper() or any(_first_letter(mark.following).isupper() for mark in marks)
    seen, wordy = 0, False  # whether the sentence has a letter so far
    for mark in marks:
        wordy = wordy or any(map(str.isalpha, text[seen : mark.start]))
        seen = mark.start
        if _is_end(text[max(0, mark.start - _NEAR) : mark.start], mark, cased=cased, wordy=wordy):
            yield mark
            wordy = False


def _marks(text: str) -> Iterator[_Mark]:
    last = len(text.rstrip())
    for match in _MARKS.finditer(text):
        if match.end() < last and not _GOES_ON.match(text, match.end()):
            following = text[match.end() : match.end() + _NEAR].lstrip()
            yield _Mark(match.start(), match.end(), match["spaced"] or "", following)


def _is_end(before: str, mark: _Mark, *, cased: bool, wordy: bool) -> bool:
    """Whether a sentence ends with `mark`, behind the characters `before`."""
    following = mark.following
    if not mark.spaced or not following:
        return True
    if not wordy and mark.spaced[0] in ".…":
        return False  # the number of a paragraph, or dots before the first word
    if cased and following[0] not in "¿¡" and _first_letter(following).islower():
        return False
    return mark.spaced != "." or not _belongs_to_word(f"{before}.", following)


def _belongs_to_word(before: str, following: str) -> bool:
    """Whether the full stop at the end of `before` is one of an abbreviation or an ordinal."""
    if following[0].isdigit() and _BEFORE_NUMBER.search(before):
        return True
    if ordinal := _ORDINAL.search(before):
        return bool(_COUNTED.match(following) or (ordinal["article"] and following[0].isupper()))
    if _TITLE.search(before):
        return True
    return bool(_ABBREVIATION.search(before)) and not _begins_a_sentence(following)


def _begins_a_sentence(following: str) -> bool:
    first = following.split(maxsplit=1)[0]
    # "I" is a word of its own or an initial; only the word has a blank behind it.
    return first in {"I", "I'm", "I’m"} or (first[:1].isupper() and first.rstrip(",:;").casefold() in _STARTERS)


def _first_letter(text: str) -> str:
    return next((letter for letter in text[:_NEAR] if letter.isalnum()), "")
