"""Text that comes piece by piece, made into what is to be said: sentences, and the silence behind them.

Pieces are joined by one blank. A tag stands between blanks: `<flush>` says what there is, `<break time="1.5s" />` does
so too and is silent for as long.
"""

import re
from dataclasses import dataclass, field

from dragoman.pipeline.sentences import sentence_ends

MAX_WAITING = 16_384
"""Characters that wait for the end of their sentence; more are said without it."""
LEAST_BREAK_S, MOST_BREAK_S = 0.1, 2.0

_TAG = re.compile(r'(?:^|(?<= ))<(?:flush|break time="(\d{1,6}(?:\.\d{1,6})?)s")(?: ?/)?>(?= |$)')
_NEXT = " A"
"""Behind a piece there is a blank, and something follows."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something to say, possibly nothing, and how long to be silent then."""

    text: str
    pause_s: float = 0.0


@dataclass(slots=True)
class Saying:
    """The text of one request."""

    _waiting: str = field(default="")

    def push(self, text: str) -> list[Part]:
        """More of it: what is complete."""
        self._waiting = " ".join(f"{self._waiting} {text}".split())
        parts = []
        while (tag := _TAG.search(self._waiting)) is not None:
            pause_s = 0.0 if tag[1] is None else min(max(float(tag[1]), LEAST_BREAK_S), MOST_BREAK_S)
            parts.append(Part(self._waiting[: tag.start()].strip(), pause_s))
            self._waiting = self._waiting[tag.end() :].strip()
        ends = [end for end in sentence_ends(self._waiting + _NEXT) if end <= len(self._waiting)]
        if len(self._waiting) > MAX_WAITING:
            ends.append(len(self._waiting))
        if ends:
            parts.append(Part(self._waiting[: ends[-1]].strip()))
            self._waiting = self._waiting[ends[-1] :].strip()
        return [part for part in parts if part.text or part.pause_s]

    def finish(self) -> list[Part]:
        """All that is left."""
        text, self._waiting = self._waiting, ""
        return [Part(text)] if text else []
