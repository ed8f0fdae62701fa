"""Where in the audio each word is: Whisper's cross-attention, aligned with the sound by faster-whisper.

A word is what stands between two blanks; in a language without blanks each character is one, as it is for recognisers
that give no times (`pipeline/timing.py`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dragoman.models.base import Word
from dragoman.models.engines.whisper.features import FRAMES_PER_SECOND

UNSPACED = frozenset({"zh", "yue", "ja", "th", "lo", "my", "km"})
"""Languages that are written without blanks between words."""

_LONGEST_TIMES = 2.0
"""No word at the edge of a text is taken to be longer than this many times the median word: the silence before the
first word and behind the last one is counted to them."""
_LONGEST_MEDIAN_S = 0.7

_INVENTED = 3
"""So many words without length at the end of a text were never said."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a text, by the offsets of its characters without blanks around them, with its time in seconds and its
    tokens' probability."""

    first: int
    behind: int
    start_s: float
    stop_s: float
    probability: float
    tokens: int

    def at(self, character: int) -> float:
        """The time of a character's edge; all characters are taken to be equally long."""
        share = (character - self.first) / (self.behind - self.first)
        return self.start_s + (self.stop_s - self.start_s) * min(1.0, max(0.0, share))


def align(
    model: Any, tokenizer: Any, encoded: Any, texts: Sequence[str], tokens: Sequence[list[int]], frames: Sequence[int]
) -> list[tuple[Word, ...]]:
    """The words of each text; none for a text whose tokens do not spell it.

    `tokenizer` is faster-whisper's for the language of all of them, `tokens` are the texts', `encoded` is the encoder's
    output for them, and `frames` are how many of 10 ms hold audio.
    """
    aligned = model.find_alignment(tokenizer, list(tokens), encoded, list(frames))
    unspaced = tokenizer.language_code in UNSPACED
    return [
        tuple(_words(text, parts, count / FRAMES_PER_SECOND, unspaced=unspaced))
        for text, parts, count in zip(texts, aligned, frames, strict=True)
    ]


def placed(words: Sequence[Word]) -> tuple[Word, ...]:
    """The words without those at the end that have no place in the sound, where they are several: a text that was
    written on behind what was said, often its own beginning. A single word may be given no length by mistake."""
    count = len(words)
    while count and words[count - 1].stop_s <= words[count - 1].start_s:
        count -= 1
    return tuple(words[:count] if len(words) - count >= _INVENTED else words)


def _words(text: str, parts: Sequence[dict[str, Any]], length_s: float, *, unspaced: bool) -> list[Word]:
    spelled, pieces = _pieces(parts)
    if spelled.split() != text.split():
        return []
    words = []
    for match in re.finditer(r"\S" if unspaced else r"\S+", spelled):
        own = [piece for piece in pieces if piece.first < match.end() and piece.behind > match.start()]
        tokens = sum(piece.tokens for piece in own)
        start_s = min(max(0.0, own[0].at(match.start())), length_s)
        words.append(
            Word(
                match.group(),
                start_s,
                min(max(start_s, own[-1].at(match.end())), length_s),
                min(1.0, sum(piece.probability * piece.tokens for piece in own) / tokens),
            )
        )
    return words if unspaced else _without_silence(words)


def _pieces(parts: Sequence[dict[str, Any]]) -> tuple[str, list[_Piece]]:
    """The text that the parts spell, and each as a piece of it."""
    spelled, pieces = "", []
    for part in parts:
        word = part["word"].replace("\ufffd", "")
        first = len(spelled) + len(word) - len(word.lstrip())
        times_s = float(part["start"]), float(part["end"])
        pieces.append(
            _Piece(first, first + len(word.strip()), *times_s, float(part["probability"]), len(part["tokens"]))
        )
        spelled += word
    return spelled, pieces


def _without_silence(words: list[Word]) -> list[Word]:
    """The words, the first and the last shortened to a length that words have."""
    lengths_s = sorted(word.stop_s - word.start_s for word in words if word.stop_s > word.start_s)
    if not lengths_s:
        return words
    longest_s = _LONGEST_TIMES * min(_LONGEST_MEDIAN_S, lengths_s[len(lengths_s) // 2])
    first, last = words[0], words[-1]
    if first.stop_s - first.start_s > longest_s:
        words[0] = Word(first.text, first.stop_s - longest_s, first.stop_s, first.confidence)
    if len(words) > 1 and last.stop_s - last.start_s > longest_s:
        words[-1] = Word(last.text, last.start_s, last.start_s + longest_s, last.confidence)
    return words
