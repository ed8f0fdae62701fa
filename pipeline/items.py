"""What travels through the queues between two stages. `Flush` and `End` are markers: they travel behind the data."""

from collections.abc import Hashable
from dataclasses import dataclass

from dragoman.models.base import Samples


@dataclass(frozen=True, slots=True)
class Flush:
    """Say everything before this marker, then say that it has been said. `at_s` is its place on the input clock."""

    flush_id: Hashable
    at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class End:
    """Nothing follows. `at_s` is the length of the input."""

    at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class NewTerms:
    """Names and terms that the recogniser is told to expect, from the next segment on, in place of those before."""

    keywords: tuple[str, ...]


LEAST_TEXT_BYTES = 256
"""A text that waits is an object, however short it is."""


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """The next piece of an open segment, 16 kHz; `start_s` is its place on the input clock.

    `speech_start_s` is where the segment's speech began; the audio kept from before lies in front of it.
    """

    samples: Samples
    start_s: float
    speech_start_s: float


@dataclass(frozen=True, slots=True)
class SegmentEnd:
    """The open segment ends. Its speech stops at `speech_stop_s`; audio from `keep_until_s` on is not part of it.

    Not `paused`: a flush or the end of the input ended it, not a pause of the speaker.
    """

    speech_stop_s: float
    keep_until_s: float
    paused: bool = True


@dataclass(frozen=True, slots=True)
class GivenText:
    """Text that a client gave instead of speech. Not `translate`: it is spoken as it is, where a branch's target is
    its language. `pause_s` of silence follow it. `ends_stream`: the bytes of the audio end with it as a file does, and
    what follows begins another one; a `Speech` with its `text_id` says so.
    """

    text_id: Hashable
    text: str
    language: str
    translate: bool
    pause_s: float = 0.0
    ends_stream: bool = False

    @property
    def size_bytes(self) -> int:
        """What it counts for while it waits."""
        return max(LEAST_TEXT_BYTES, len(self.text.encode("utf-8", "replace")))


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause in the target language, ready to be spoken.

    `stop_s` is where its source ends on the input clock, None for a text that was given. `epoch` counts the
    interruptions of the branch: what was begun before the newest one is not said any more. `goes_on`: it stands inside
    a sentence of which something was said already.
    """

    clause_id: int
    text: str
    language: str
    stop_s: float | None
    epoch: int = 0
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class TextEnd:
    """All clauses of a given text are in front of this: silence follows, or the audio's bytes end as a file does.

    `epoch` is as in `Clause`; of an interrupted text no silence is heard, but its file ends.
    """

    text_id: Hashable
    pause_s: float
    ends_stream: bool
    epoch: int


@dataclass(frozen=True, slots=True)
class SpokenBlock:
    """A block of a clause's samples at the synthesizer's rate; `last` closes the clause (its samples may be none).

    `clause_length_s` is how long the whole clause will be, as well as that is known yet; `gap_s` is the silence that
    parts it from the clause before.
    """

    clause: Clause
    samples: Samples
    rate_hz: int
    clause_length_s: float
    gap_s: float
    last: bool
