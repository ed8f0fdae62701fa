"""The turns of one session: their numbers, and where they lie on the client's timeline.

A session hears only what it is fed; where the client says when turns begin, that is less than what the client sends. So
there are two clocks: that of the session, and that of all the audio that came.
"""

from dataclasses import dataclass, field

from dragoman.server.protocols.sarvam.order import Order
from dragoman.server.protocols.sarvam.realtime.config import Config
from dragoman.server.protocols.sarvam.utterances import Utterances

MAX_TURNS = 64
_EDGE_S = 0.001


@dataclass(slots=True)
class _Stretch:
    """Audio without a gap: where it begins on both clocks, and how long it is."""

    session_s: float
    stream_s: float
    length_s: float


@dataclass(slots=True)
class TurnSession:
    """A session that has not ended, and what it has heard. `said` is what is certain of its open segment."""

    key: int
    config: Config
    utterances: Utterances
    order: Order = field(default_factory=Order)
    speaking: int | None = None
    """The number of the utterance that is being spoken."""
    said: str = ""
    shown: str = ""
    """The partial transcript that was sent last."""
    fed_s: float = 0.0
    _starts: list[tuple[float, int]] = field(default_factory=list)
    _stretches: list[_Stretch] = field(default_factory=list)

    def begin(self, at_s: float, number: int) -> None:
        """Speech began, at a place on the session's clock."""
        self.speaking = number
        self._starts.append((at_s, number))
        del self._starts[:-MAX_TURNS]

    def number_at(self, at_s: float) -> int:
        """The number of the utterance at a place on the session's clock."""
        return next((number for start_s, number in reversed(self._starts) if start_s <= at_s), 0)

    def fed(self, stream_s: float, length_s: float) -> None:
        """The session is fed audio from a place on the client's clock."""
        last = self._stretches[-1] if self._stretches else _Stretch(0.0, 0.0, 0.0)
        goes_on = abs(last.session_s + last.length_s - self.fed_s) < _EDGE_S
        if self._stretches and goes_on and abs(last.stream_s + last.length_s - stream_s) < _EDGE_S:
            last.length_s += length_s
        else:
            self._stretches.append(_Stretch(self.fed_s, stream_s, length_s))
            del self._stretches[:-MAX_TURNS]
        self.fed_s += length_s

    def on_stream(self, at_s: float, *, stop: bool = False) -> float:
        """A place on the session's clock, on the client's. What stops where a stretch begins was in the one before."""
        latest_s = at_s - _EDGE_S if stop else at_s + _EDGE_S
        found = next((one for one in reversed(self._stretches) if one.session_s <= latest_s), None)
        return found.stream_s + min(max(0.0, at_s - found.session_s), found.length_s) if found is not None else at_s
