"""From a conversation's messages to clauses: when each was spoken, when its translation came, when it was heard."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dragoman.bench.client import Arrival

NEAR_S = 0.15
"""A clause that the server says ends this close to the end of a segment is taken to end with it."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of the translation.

    `source_start_s` and `source_stop_s` are its source's span on the input clock, as the server tells it. The others
    are seconds from the first spoken sample: `text_at_s` when the text came, `sound_at_s` when its first sound came
    (None if none came), `heard_at_s` when a player that plays everything in order came to it.
    """

    text: str
    source_start_s: float
    source_stop_s: float
    text_at_s: float
    sound_at_s: float | None = None
    heard_at_s: float | None = None

    @property
    def text_delay_s(self) -> float:
        return self.text_at_s - self.source_stop_s

    @property
    def sound_delay_s(self) -> float | None:
        return None if self.sound_at_s is None else self.sound_at_s - self.source_stop_s

    @property
    def heard_delay_s(self) -> float | None:
        """The lag: from the end of the source to the beginning of its translation, in that player."""
        return None if self.heard_at_s is None else self.heard_at_s - self.source_stop_s

    @property
    def ear_voice_s(self) -> float | None:
        """The ear-voice span: from the beginning of the source to the beginning of its translation, in that player."""
        return None if self.heard_at_s is None else self.heard_at_s - self.source_start_s


def clauses_of(arrivals: Iterable[Arrival]) -> list[Clause]:
    """Match texts and sounds: the first audio behind a text, and before the next text, is its first sound.

    Raises ValueError for a text without source times: the server did not know the extension.
    """
    found: list[Clause] = []
    played_until_s = 0.0
    for arrival in arrivals:
        message = arrival.message
        if message.type == "text":
            if message.source_start_s is None or message.source_stop_s is None:
                raise ValueError(f"no source times with '{message.text}'")
            found.append(Clause(message.text, message.source_start_s, message.source_stop_s, arrival.at_s))
        elif message.type == "audio":
            begins_s = max(arrival.at_s, played_until_s)
            if found and found[-1].sound_at_s is None:
                last = found[-1]
                found[-1] = Clause(
                    last.text, last.source_start_s, last.source_stop_s, last.text_at_s, arrival.at_s, begins_s
                )
            played_until_s = begins_s + message.stop_s - message.start_s
    return found


def sound_delays(clauses: Iterable[Clause]) -> list[float]:
    """Delays of the first sounds in seconds; clauses without a sound have none."""
    return [delay for clause in clauses if (delay := clause.sound_delay_s) is not None]


def nearest(ends_s: Sequence[float], place_s: float) -> float | None:
    """Of the ascending `ends_s` the one nearest to `place_s`, if it is near enough to be the same."""
    index = bisect_left(ends_s, place_s)
    around = ends_s[max(0, index - 1) : index + 1]
    if not around:
        return None
    best = min(around, key=lambda end_s: abs(end_s - place_s))
    return best if abs(best - place_s) <= NEAR_S else None
