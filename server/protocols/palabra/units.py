"""What was said, cut into units: the pieces that are confirmed, translated and spoken together, each under one id.

A session tells which clauses are complete before it translates them; so each is confirmed first, under the id that its
translations and its audio will carry.
"""

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dragoman.models.base import Word
from dragoman.pipeline.events import Transcript
from dragoman.pipeline.timing import join_words

_NEAR_S = 1e-6
_KEPT = 1_024
"""Units whose translations may still come; a session's queues hold fewer."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of speech, or its supposed text so far; times on the input clock."""

    unit_id: str
    text: str
    language: str
    start_s: float
    stop_s: float


class Units:
    """The units of one session. `new_id` makes their ids."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._open_id = new_id()
        self._open: tuple[Word, ...] = ()
        """Certain words behind the last unit."""
        self._shown = ""
        self._known: deque[Unit] = deque(maxlen=_KEPT)

    def push(self, said: Transcript) -> tuple[list[Unit], Unit | None]:
        """The units that are complete with a transcript, and what is supposed of the next where that has changed.

        Certain words alone are nothing new: they were supposed before, and what follows them comes at once.
        """
        if not said.final:
            return [], self._supposed([*self._open, *said.words], said.language)
        units = []
        self._open = said.growing.words
        for piece in said.clauses:
            units.append(self._unit(piece.words, piece.language))
            self._open_id, self._shown = self._new_id(), ""
        self._known += units
        return units, None

    def abandon(self) -> str:
        """Nothing comes of what was supposed last: the id that it had; what follows gets another."""
        unit_id, self._open_id, self._shown = self._open_id, self._new_id(), ""
        return unit_id

    def at(self, start_s: float) -> tuple[str, float]:
        """The id of the unit that holds a place on the input clock, or the nearest before it, and where it ends.

        The one that is still open has no end: infinity.
        """
        nearest = next((unit for unit in reversed(self._known) if unit.start_s <= start_s + _NEAR_S), None)
        if nearest is None or (self._open and self._open[0].start_s <= start_s + _NEAR_S):
            return self._open_id, math.inf
        return nearest.unit_id, nearest.stop_s

    def _supposed(self, words: Sequence[Word], language: str) -> Unit | None:
        unit = self._unit(words, language) if words else None
        if unit is None or unit.text == self._shown:
            return None
        self._shown = unit.text
        return unit

    def _unit(self, words: Sequence[Word], language: str) -> Unit:
        text = " ".join(join_words(words, language).split())
        return Unit(self._open_id, text, language, words[0].start_s, words[-1].stop_s)
