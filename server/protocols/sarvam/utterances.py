"""The pieces of what was said in one session, until an utterance is complete and can be told in one message."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from dragoman.pipeline.events import Transcript, Translation
from dragoman.pipeline.timing import UNSPACED
from dragoman.server.protocols.sarvam.query import Mode
from dragoman.server.protocols.sarvam.romanise import romanise

_SLACK_S = 0.001
MAX_ENDS = 64


@dataclass(frozen=True, slots=True)
class Utterance:
    """What was said between two pauses. `language` is ours; `confidence`, in [0, 1], says how sure it is: 1 where there
    was no other to choose. Places are on the input clock, in seconds; `ended_at` is when the clock on the wall noticed
    its end."""

    text: str
    language: str
    confidence: float
    start_s: float
    stop_s: float
    ended_at: float


@dataclass(slots=True)
class _Pieces:
    heard: list[Transcript] = field(default_factory=list)
    english: list[str] = field(default_factory=list)


class Utterances:
    """Collects the transcripts and translations of a session by segment. `now` is a clock on the wall, in seconds."""

    def __init__(self, mode: Mode, now: Callable[[], float]) -> None:
        self._mode = mode
        self._now = now
        self._open: dict[int, _Pieces] = {}
        self._ends: OrderedDict[float, float] = OrderedDict()
        """When the ends of speech were noticed, by their places on the input clock."""

    def speech_ended(self, at_s: float) -> None:
        """A pause was long enough; the text of what was said before it comes later."""
        self._ends[at_s] = self._now()
        while len(self._ends) > MAX_ENDS:
            self._ends.popitem(last=False)

    def heard(self, transcript: Transcript) -> Utterance | None:
        """More of a segment; the utterance if that was all of it."""
        pieces = self._open.setdefault(transcript.segment_id, _Pieces())
        pieces.heard.append(transcript)
        return self._complete(transcript.segment_id) if transcript.closes and not self.translates else None

    def translated(self, translation: Translation) -> None:
        """A clause of a segment's English."""
        if translation.segment_id in self._open:
            self._open[translation.segment_id].english.append(translation.text)

    def complete(self, segment_id: int | None) -> Utterance | None:
        """All of a segment has been translated."""
        return self._complete(segment_id) if segment_id in self._open and self.translates else None

    @property
    def translates(self) -> bool:
        """Whether an utterance is complete with its translation, and not before."""
        return self._mode is Mode.TRANSLATE

    def _complete(self, segment_id: int | None) -> Utterance | None:
        pieces = self._open.pop(segment_id or 0)
        said = [piece for piece in pieces.heard if piece.text]
        if not said:
            return None
        longest = max(said, key=lambda piece: len(piece.text))
        stop_s = pieces.heard[-1].stop_s
        text = " ".join(pieces.english) if self.translates else self._written(said)
        confidence = 1.0 if longest.language_confidence is None else longest.language_confidence
        return Utterance(text, longest.language, confidence, said[0].start_s, stop_s, self._ended_at(stop_s))

    def _written(self, said: list[Transcript]) -> str:
        if self._mode is Mode.TRANSLIT:
            return " ".join(romanise(piece.text, piece.language) for piece in said)
        return ("" if said[0].language in UNSPACED else " ").join(piece.text for piece in said)

    def _ended_at(self, stop_s: float) -> float:
        """When the end at this place was noticed. Ends before it are forgotten: nothing was said before those."""
        found = self._now()
        while self._ends and next(iter(self._ends)) <= stop_s + _SLACK_S:
            found = self._ends.popitem(last=False)[1]
        return found
