"""A text as a model can take it: sentences of a bounded length, in letters that its vocabulary knows.

What a model must not touch, or cannot know, is kept as it is: marks of markup, addresses, sums of money (these models
write "$1.250.50"), letters of other scripts, pictures. Inside of a sentence a made-up name stands for each of them,
which the models copy; at its ends they are left out. Blanks and line breaks between sentences stay.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from dragoman.models.sentences import sentence_ends
from dragoman.models.text.money import SIGN

MOST_TOKENS = 96
"""The longest piece. From about 110 on the models leave things out, and their time grows with the square."""

_LONGEST_TOKEN = 16  # characters, in every vocabulary of SentencePiece that does not say otherwise

LONGEST_WORD = 60
"""A longer row of ASCII without a blank is no word: an address, a key, a keyboard that somebody leaned on."""

_UNSENDABLE = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_PLAIN = {
    "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‹": "'", "›": "'",
    "–": "-", "—": "-", "−": "-", "‑": "-", "¿": "", "¡": "",
}  # fmt: skip
"""Punctuation beside what stands in for it where a vocabulary lacks it."""

_KEPT = re.compile(
    rf"\bXv[0-9]+x\b|<[^<>\s][^<>]{{0,200}}>|(?:https?://|www\.)[!-~]+|[!-~]{{{LONGEST_WORD + 1},}}"
    rf"|{SIGN}\s?[0-9][0-9.,]*(?<=[0-9])|(?<![\w.,])[0-9][0-9.,]*\s?[€£¥₹](?!\w)"
)
_MARK = "Xv{}x"
_FOUND = re.compile(r"(?P<left> ?)\bXv(?P<number>[0-9]+)x\b(?P<right> ?)", re.IGNORECASE)
_CLINGS = {"Mn", "Me", "Cf", "Sk"}
"""Categories of what belongs to the character in front of it."""


class Vocabulary:
    """What a model knows of its source language, by its SentencePiece file. Any number of threads may ask."""

    def __init__(self, path: Path) -> None:
        import sentencepiece  # noqa: PLC0415  (20 ms that only models need)

        self._processor: Any = sentencepiece.SentencePieceProcessor(model_file=str(path))
        self._unknown: int = self._processor.unk_id()
        self.knows = lru_cache(maxsize=4096)(self._knows)

    def tokens(self, text: str) -> int:
        """How many tokens `text` is."""
        return len(self._processor.encode(text))

    def _knows(self, character: str) -> bool:
        return self._unknown not in self._processor.encode(character)


class Kept(NamedTuple):
    """What a mark stands for, and on which sides of the mark there is a blank that the text has not."""

    text: str
    left: bool = False
    right: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """What becomes what: `text` is for the model, with marks for `kept`; empty where `before` is all there is.

    `before` and `after` stay around the translation. `source` is what the piece was made of, without those two.
    """

    before: str
    text: str = ""
    after: str = ""
    kept: tuple[Kept, ...] = ()
    source: str = ""
    capitals: bool = False

    def finish(self, translation: str) -> str | None:
        """The piece with the model's `translation` of its text; None where a mark did not come back."""
        numbers = [int(match["number"]) for match in _FOUND.finditer(translation)]
        if sorted(numbers) != list(range(len(self.kept))):
            return None
        made = _FOUND.sub(self._unmarked, translation.strip())
        if not any(map(str.isalnum, made)):
            made = self.source  # nothing came: words in the wrong language are better than none
        return self.before + (made.upper() if self.capitals else made) + self.after

    def _unmarked(self, match: re.Match[str]) -> str:
        kept = self.kept[int(match["number"])]
        return ("" if kept.left else match["left"]) + kept.text + ("" if kept.right else match["right"])


def pieces(text: str, vocabulary: Vocabulary, *, marks: bool = True) -> Iterator[Piece]:
    """`text` in pieces, which put together are all of it. Without `marks`, what is kept divides a sentence."""
    text = _UNSENDABLE.sub("", text)
    for line in re.split(r"(\n\s*)", text):
        starts = [0, *sentence_ends(line)]
        for start, stop in zip(starts, [*starts[1:], len(line)], strict=True):
            yield from _sentence(line[start:stop], vocabulary, marks=marks)


def _sentence(text: str, vocabulary: Vocabulary, *, marks: bool) -> Iterator[Piece]:
    text = "".join(_written(character, vocabulary) for character in text)
    spans = _merged([*((match.start(), match.end()) for match in _KEPT.finditer(text)), *_unknown(text, vocabulary)])
    if not marks:
        at = 0
        for start, stop in spans:
            yield from _piece(text[at:start], [], vocabulary)
            yield Piece(text[start:stop])
            at = stop
        yield from _piece(text[at:], [], vocabulary)
        return
    yield from _piece(text, spans, vocabulary)


def _piece(text: str, spans: list[tuple[int, int]], vocabulary: Vocabulary) -> Iterator[Piece]:
    """A sentence, or parts of it where it is too long."""
    start, stop, spans = _trimmed(text, spans)
    if not any(map(str.isalnum, text[start:stop])):
        yield Piece(text)
        return
    source = text[start:stop]
    written, kept, at = "", list[Kept](), start
    for first, last in spans:
        one = Kept(text[first:last], _joins(text[first - 1 : first]), _joins(text[last : last + 1]))
        written += f"{text[at:first]}{' ' * one.left}{_MARK.format(len(kept))}{' ' * one.right}"
        kept.append(one)
        at = last
    written += text[at:stop]
    # Without the first question a very long text would be counted again and again.
    fits = len(written) <= MOST_TOKENS * _LONGEST_TOKEN and vocabulary.tokens(written) <= MOST_TOKENS
    if fits or not (cut := _cut(source, [(a - start, b - start) for a, b in spans])):
        capitals = not kept and source.isupper() and " " in source
        written = written.capitalize() if capitals else written
        yield Piece(text[:start], written, text[stop:], tuple(kept), source, capitals)
        return
    cut += start
    yield from _piece(text[:cut], [span for span in spans if span[1] <= cut], vocabulary)
    yield from _piece(text[cut:], [(a - cut, b - cut) for a, b in spans if a >= cut], vocabulary)


def _joins(character: str) -> bool:
    """Whether a mark beside `character` would be one word with it."""
    return character.isalnum() or character == "_"


def _trimmed(text: str, spans: list[tuple[int, int]]) -> tuple[int, int, list[tuple[int, int]]]:
    """Where a piece begins and ends without blanks, and without what is kept at its ends; and the spans in between."""
    start, stop, first, last = 0, len(text), 0, len(spans)
    while start < stop and (text[start].isspace() or (first < last and spans[first][0] <= start)):
        if text[start].isspace():
            start += 1
        else:
            start, first = spans[first][1], first + 1
    while start < stop and (text[stop - 1].isspace() or (first < last and spans[last - 1][1] >= stop)):
        if text[stop - 1].isspace():
            stop -= 1
        else:
            stop, last = spans[last - 1][0], last - 1
    return start, max(start, stop), spans[first:last]


def _cut(text: str, spans: list[tuple[int, int]]) -> int:
    """Where to divide `text`: behind a comma in its middle half, else at the blank nearest to the middle."""
    middle = len(text) // 2
    inside = [place for start, stop in spans for place in range(start + 1, stop)]
    forbidden = set(inside)
    commas = [match.end() for match in re.finditer(r"[,;:、，；：]\s*", text)]
    blanks = [match.end() for match in re.finditer(r"\s+", text)]
    near = [place for place in commas if abs(place - middle) <= len(text) // 4 and place not in forbidden]
    places = near or [place for place in blanks if 0 < place < len(text) and place not in forbidden]
    places = places or [place for place in (middle,) if 0 < place < len(text) and place not in forbidden]
    return min(places, key=lambda place: abs(place - middle), default=0)


def _written(character: str, vocabulary: Vocabulary) -> str:
    """A character in a form that the vocabulary knows, where there is one that means the same."""
    if character.isascii() or vocabulary.knows(character):
        return character
    if (plain := _PLAIN.get(character)) is not None:
        return plain
    base = unicodedata.normalize("NFD", character)[0]
    return base if base.isascii() and base.isalpha() else character


def _unknown(text: str, vocabulary: Vocabulary) -> Iterator[tuple[int, int]]:
    """Where there are characters that the vocabulary does not know; blanks between two of them are among them."""
    start = stop = -1
    for at, character in enumerate(text):
        if character.isspace():
            continue
        clings = start >= 0 and stop == at and unicodedata.category(character) in _CLINGS
        if clings or not vocabulary.knows(character):
            start, stop = (at if start < 0 else start), at + 1
        elif start >= 0:
            yield start, stop
            start = stop = -1
    if start >= 0:
        yield start, stop


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans in order, those that touch or overlap made one."""
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(stop, merged[-1][1])
        else:
            merged.append((start, stop))
    return merged
