"""What a session says. A vendor's message is a rendering of these.

Two clocks are used. The *input clock* counts the seconds of audio that came in, after decoding; the *output clock*
counts the seconds of audio that were sent out. There is no wall-clock time here.
"""

from collections.abc import Hashable
from dataclasses import dataclass

from dragoman.models.base import Word
from dragoman.pipeline.clauses import NOTHING, Piece


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody began to speak, at `at_s` on the input clock."""

    at_s: float


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """A pause was long enough to end the segment, at `at_s` on the input clock."""

    at_s: float


@dataclass(frozen=True, slots=True)
class Listened:
    """The audio before `at_s` on the input clock has come in; a session that follows its input's clock is told so after
    each piece. What is still to be judged of it is an eighth of a second at most, once nothing more waits."""

    at_s: float


@dataclass(frozen=True, slots=True)
class Transcript:
    """Words that were said, in the speaker's language. `start_s` and `stop_s` are on the input clock.

    A final adds to the finals before it and is never taken back; a partial is what is supposed to follow the last
    final, until the next partial or final. `segment_id` counts the segments in which something was said; `closes`
    marks a segment's last final, whose text may be empty; it is `paused` if the speaker paused there, and not if a
    flush or the end of the input closed it. `complete`: a sentence, or a piece that is translated by itself, ends here.
    `english` is the recogniser's own translation, where it was asked for one (`Plan.english_for`).
    `language_confidence` is how sure it was of the language, in [0, 1], where it chose it and says so. `rest` are the
    words that are still supposed behind a final, in a session that wants to see partials: a partial that repeats them
    may follow, and until another one does, they are what is supposed. `clauses` are complete with this final, the first
    of them often begun by those before it; `growing` is what is certain of the next. Every branch translates these.
    """

    text: str
    language: str
    start_s: float
    stop_s: float
    final: bool = True
    words: tuple[Word, ...] = ()
    speaker: str | None = None
    english: str | None = None
    segment_id: int = 0
    complete: bool = True
    closes: bool = True
    paused: bool = True
    language_confidence: float | None = None
    rest: tuple[Word, ...] = ()
    clauses: tuple[Piece, ...] = ()
    growing: Piece = NOTHING


@dataclass(frozen=True, slots=True)
class Recognised:
    """All that was heard before `at_s` on the input clock has been told; it may be nothing. Translations may follow.

    It comes behind every segment, with the place of its `SpeechEnded`, and behind every flush, with its `flush_id`.
    """

    at_s: float
    flush_id: Hashable | None = None


@dataclass(frozen=True, slots=True)
class Translation:
    """One clause in a target language. `start_s` and `stop_s` are the clause's source span on the input clock.

    `clause_id` counts from 0 in each branch of each session and joins the text to the `Speech` that says it. `branch`
    is the number of the target. `segment_id` is the segment that was heard, `text_id` the text that was given instead
    (`Session.say`); one of the two is None. `source` is the language that it was translated from.
    """

    text: str
    language: str
    start_s: float
    stop_s: float
    clause_id: int
    final: bool = True
    branch: int = 0
    segment_id: int | None = None
    text_id: Hashable | None = None
    source: str = ""
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class Translated:
    """A branch has said all translations of a segment or of a text; one of the two is None."""

    branch: int
    segment_id: int | None = None
    text_id: Hashable | None = None


@dataclass(frozen=True, slots=True)
class Speech:
    """A piece of the translation's audio, encoded in the session's output format.

    `start_s` and `stop_s` are on the output clock of the branch and abut from piece to piece. `clause_stop_s` is where
    the whole clause ends on the output clock (an estimate until its last piece, where the engine speaks block by
    block). Every clause has at least one piece; `audio` may be empty where there was nothing to say, or where the
    clause was interrupted. Container headers and trailers, and pauses that were asked for, belong to no clause and have
    `clause_id` None; `text_id` is that of the given text behind which they stand, and `last` then tells that its file
    ends (`GivenText.ends_stream`).
    """

    audio: bytes
    language: str
    start_s: float
    stop_s: float
    clause_id: int | None
    clause_stop_s: float
    last: bool
    branch: int = 0
    text_id: Hashable | None = None


@dataclass(frozen=True, slots=True)
class Unspoken:
    """A clause that was told cannot be spoken; `reason` says why, in one sentence. A `Speech` without audio closes it,
    and the session goes on."""

    clause_id: int
    reason: str
    branch: int = 0


@dataclass(frozen=True, slots=True)
class Flushed:
    """Everything that came in before the flush with this id has been said. `at_s` is its place on the input clock."""

    flush_id: Hashable
    at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Ended:
    """The input ended and everything has been said; nothing follows. `at_s` is the input's length in seconds."""

    at_s: float = 0.0


Event = (
    SpeechStarted
    | SpeechEnded
    | Listened
    | Transcript
    | Recognised
    | Translation
    | Translated
    | Speech
    | Unspoken
    | Flushed
    | Ended
)
