"""One session's events as messages: texts and audio of every target, under the ids that join them.

A *passage* is what a target makes of a unit of speech or of a text that was given: translations, each a part with a
number, and their audio, whose last message is marked.
"""

import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from dragoman.pipeline.events import Event, Speech, Transcript, Translated, Translation, Unspoken
from dragoman.server.commands import Output, Send
from dragoman.server.protocols.palabra import messages
from dragoman.server.protocols.palabra.errors import SERVER_ERROR, error_message
from dragoman.server.protocols.palabra.job import OUTPUT_HZ, Job, Tongue
from dragoman.server.protocols.palabra.task import PARTIAL, PARTIAL_TRANSLATED, TRANSLATED, VALIDATED
from dragoman.server.protocols.palabra.units import Unit, Units

CHUNK_BYTES = OUTPUT_HZ // 5 * 2
"""A message holds 200 ms of audio, the last one of a passage what is left."""


def new_id() -> str:
    """16 hexadecimal digits."""
    return secrets.token_hex(8)


@dataclass(slots=True)
class _Passage:
    """`told`: its translations are told as text too. `complete`: no more translations will come."""

    passage_id: str
    told: bool
    complete: bool
    parts: int = 0
    unsaid: int = 0
    """Parts whose audio has not ended."""
    text: str = ""


@dataclass(slots=True)
class _Part:
    """A translation that is being spoken."""

    passage: _Passage
    number: int
    audio: bytearray = field(default_factory=bytearray)


class Stream:
    """What is told of one session. `wall_s` is the Unix time at which its input began."""

    def __init__(self, job: Job, wall_s: float, make_id: Callable[[], str] = new_id) -> None:
        self.job = job
        self._wall_s = wall_s
        self._units = Units(make_id)
        self._parts: dict[tuple[int, int], _Part] = {}
        """By target and clause."""
        self._passages: dict[tuple[int, str], _Passage] = {}
        """By target and id: what is not all said."""
        self._newest: dict[int, _Passage] = {}
        """By target: of what was heard, what was translated last."""

    def give(self, text_id: str, *, translated: bool, targets: Collection[int]) -> None:
        """A text goes in; these targets will say it."""
        for branch in targets:
            self._passages[branch, text_id] = _Passage(text_id, told=translated, complete=False)

    def event(self, event: Event) -> list[Output]:
        """Render what happened."""
        match event:
            case Transcript():
                return self._transcript(event)
            case Translation():
                return self._translation(event)
            case Speech():
                return self._speech(event)
            case Translated(text_id=str(text_id)):
                return self._complete(event.branch, self._passages.get((event.branch, text_id)))
            case Translated():
                return self._complete(event.branch, self._newest.get(event.branch))
            case Unspoken():
                return [error_message(SERVER_ERROR, event.reason)]
            case _:
                return []

    def interrupt(self, branches: Collection[int]) -> list[Output]:
        """Nothing more is said of what these targets had to say; each is told to have ended."""
        outputs: list[Output] = []
        for (branch, passage_id), passage in list(self._passages.items()):
            if branch in branches:
                del self._passages[branch, passage_id]
                outputs += self._end(branch, passage)
        for key in [key for key in self._parts if key[0] in branches]:
            del self._parts[key]
        for branch in branches:
            self._newest.pop(branch, None)
        return outputs

    def _transcript(self, event: Transcript) -> list[Output]:
        units, supposed = self._units.push(event)
        told = [(VALIDATED, unit) for unit in units] + ([(PARTIAL, supposed)] if supposed is not None else [])
        return [Send(self._heard(kind, unit)) for kind, unit in told if kind in self.job.wanted]

    def _heard(self, kind: str, unit: Unit) -> str:
        segment = self._segment(unit.text, unit.start_s, unit.stop_s)
        text = messages.Transcription(
            transcription_id=unit.unit_id,
            language=self.job.language_of(unit.language),
            text=unit.text,
            segments=[segment],
        )
        return messages.transcription(kind, text)

    def _translation(self, event: Translation) -> list[Output]:
        tongue = self.job.tongues[event.branch]
        passage, outputs = self._passage(event, tongue)
        if passage is None:
            return outputs
        number, passage.parts = passage.parts, passage.parts + 1
        if passage.told:
            passage.text = f"{passage.text} {event.text}".strip()
            if tongue.partials and PARTIAL_TRANSLATED in self.job.wanted:
                outputs.append(self._told(PARTIAL_TRANSLATED, event, tongue, passage, passage.text, number))
            if TRANSLATED in self.job.wanted:
                outputs.append(self._told(TRANSLATED, event, tongue, passage, event.text, number))
        if tongue.speaks:
            passage.unsaid += 1
            self._parts[event.branch, event.clause_id] = _Part(passage, number)
        return outputs

    def _passage(self, event: Translation, tongue: Tongue) -> tuple[_Passage | None, list[Output]]:
        """What a translation belongs to, and the end of what it does not belong to any more.

        None where it was interrupted, or is not meant for this target.
        """
        if event.text_id is not None:
            return self._passages.get((event.branch, str(event.text_id))), []
        unit_id, stop_s = self._units.at(event.start_s)
        known, outputs = self._newest.get(event.branch), list[Output]()
        if known is None or known.passage_id != unit_id:
            outputs = self._complete(event.branch, known)
            # Most units are translated at once. Of others the end is known when something follows.
            known = _Passage(unit_id, told=True, complete=event.stop_s >= stop_s - 1e-6)
            self._newest[event.branch] = known
        if tongue.speaks:
            self._passages[event.branch, unit_id] = known
        return known, outputs

    def _told(self, kind: str, event: Translation, tongue: Tongue, passage: _Passage, text: str, number: int) -> Output:
        heard = event.text_id is None
        told = messages.Transcription(
            transcription_id=passage.passage_id,
            language=tongue.spelled,
            text=text,
            segments=[self._segment(text, event.start_s, event.stop_s)] if heard else [],
            translation_part_id=number,
        )
        return Send(messages.transcription(kind, told))

    def _speech(self, event: Speech) -> list[Output]:
        if event.clause_id is None or (part := self._parts.get((event.branch, event.clause_id))) is None:
            return []
        passage, outputs = part.passage, list[Output]()
        part.audio += event.audio
        while len(part.audio) > CHUNK_BYTES:
            outputs.append(self._audio(event.branch, passage, part.number, bytes(part.audio[:CHUNK_BYTES])))
            del part.audio[:CHUNK_BYTES]
        if event.last:
            del self._parts[event.branch, event.clause_id]
            passage.unsaid -= 1
            last = passage.complete and not passage.unsaid
            if last:
                self._passages.pop((event.branch, passage.passage_id), None)
            if last or part.audio:
                outputs.append(self._audio(event.branch, passage, part.number, bytes(part.audio), last=last))
        return outputs

    def _complete(self, branch: int, passage: _Passage | None) -> list[Output]:
        """All translations of a passage were told; its last audio may have gone out already."""
        if passage is None or passage.complete:
            return []
        passage.complete = True
        if passage.unsaid:
            return []
        self._passages.pop((branch, passage.passage_id), None)
        return self._end(branch, passage)

    def _end(self, branch: int, passage: _Passage) -> list[Output]:
        if not self.job.tongues[branch].speaks:
            return []
        return [self._audio(branch, passage, max(0, passage.parts - 1), b"", last=True)]

    def _audio(self, branch: int, passage: _Passage, number: int, samples: bytes, *, last: bool = False) -> Output:
        data = messages.output_audio(
            samples,
            packed=self.job.packed,
            language=self.job.tongues[branch].spelled,
            last=last,
            transcription_id=passage.passage_id,
            part_id=number,
        )
        return Send(data, len(samples) / 2 / OUTPUT_HZ)

    def _segment(self, text: str, start_s: float, stop_s: float) -> messages.Segment:
        return messages.Segment(
            text=text,
            start=round(start_s, 3),
            end=round(stop_s, 3),
            start_timestamp=round(self._wall_s + start_s, 3),
            end_timestamp=round(self._wall_s + stop_s, 3),
        )
