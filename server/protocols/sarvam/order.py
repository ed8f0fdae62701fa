"""In which order things are told: the beginning, the end and the text of one utterance, then the beginning of the next.

The detector is faster than the recogniser: somebody may have begun again before the text of what was said is there.
The vendor's clients take an utterance through its states one after the other, and what comes in between is lost or
counts for the wrong one. So what concerns an utterance waits until the one before it has its text, or is known to have
none.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from dragoman.server.commands import Key, Output, Send


@dataclass(slots=True)
class _Turn:
    """An utterance that is not settled. `owed` are the segments whose translation it waits for."""

    held: list[Output] = field(default_factory=list)
    ended: bool = False
    recognised: bool = False
    owed: set[int] = field(default_factory=set)


class Order:
    """The utterances of one session. What each method gives can be told now; the rest is kept."""

    def __init__(self) -> None:
        self._turns: deque[_Turn] = deque()
        self._open: set[int] = set()
        """Segments that are being translated."""

    def started(self, outputs: Sequence[Output]) -> list[Output]:
        """Speech began."""
        self._turns.append(_Turn())
        return self._tell(self._turns[-1], outputs)

    def ended(self, outputs: Sequence[Output]) -> list[Output]:
        """A pause was long enough."""
        turn = self._turns[-1] if self._turns and not self._turns[-1].ended else None
        if turn is None:
            self._turns.append(turn := _Turn())
        turn.ended = True
        return self._tell(turn, outputs)

    def supposed(self, outputs: Sequence[Output]) -> list[Output]:
        """Something that may change yet, of the utterance that is being recognised."""
        turn = next((turn for turn in self._turns if not turn.recognised), None)
        return self._tell(turn, outputs) if turn is not None else list(outputs)

    def translating(self, segment_id: int) -> None:
        """A segment has words, and will be translated."""
        self._open.add(segment_id)

    def translated(self, segment_id: int | None) -> list[Output]:
        """All of a segment has been translated, and told."""
        self._open.discard(segment_id or 0)
        return self._settle()

    def recognised(self) -> list[Output]:
        """All words of the oldest utterance that has ended are there."""
        turn = next((turn for turn in self._turns if not turn.recognised), None)
        if turn is None or not turn.ended:
            return []
        turn.recognised, turn.owed = True, set(self._open)
        return self._settle()

    def close(self) -> list[Output]:
        """Nothing follows."""
        held = [output for turn in self._turns for output in turn.held]
        self._turns.clear()
        return held

    def _tell(self, turn: _Turn, outputs: Sequence[Output]) -> list[Output]:
        if turn is self._turns[0]:
            return list(outputs)
        turn.held += outputs
        return []

    def _settle(self) -> list[Output]:
        told: list[Output] = []
        while self._turns and self._turns[0].recognised and not self._turns[0].owed & self._open:
            self._turns.popleft()
            if self._turns:
                told += self._turns[0].held
                self._turns[0].held.clear()
        return told


@dataclass(slots=True)
class _Waiting:
    held: list[Output] = field(default_factory=list)
    over: bool = False


class Line:
    """The sessions of one connection: what a later one says waits until those before it are over."""

    def __init__(self) -> None:
        self._sessions: dict[Key, _Waiting] = {}
        self.held_bytes = 0
        """Of the messages that wait."""

    def __len__(self) -> int:
        return len(self._sessions)

    def add(self, key: Key) -> None:
        """A session behind those that are there."""
        self._sessions[key] = _Waiting()

    def say(self, key: Key, outputs: Sequence[Output]) -> list[Output]:
        """What a session says, if it is its turn."""
        if key == next(iter(self._sessions)):
            return list(outputs)
        self._sessions[key].held += outputs
        self.held_bytes += _size(outputs)
        return []

    def over(self, key: Key) -> list[Output]:
        """A session says nothing more; what those behind it have said, as far as it is their turn."""
        self._sessions[key].over = True
        told: list[Output] = []
        while self._sessions and (first := next(iter(self._sessions.items())))[1].over:
            del self._sessions[first[0]]
            if self._sessions:
                behind = next(iter(self._sessions.values()))
                told += behind.held
                self.held_bytes -= _size(behind.held)
                behind.held.clear()
        return told

    def close(self) -> list[Output]:
        """All sessions are over; what they have said, in their order."""
        held = [output for waiting in self._sessions.values() for output in waiting.held]
        self._sessions.clear()
        self.held_bytes = 0
        return held


def _size(outputs: Sequence[Output]) -> int:
    return sum(len(output.data) for output in outputs if isinstance(output, Send))
