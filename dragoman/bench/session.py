"""The figures of one session."""

from collections.abc import Sequence
from dataclasses import dataclass

from dragoman.bench.clauses import Clause, clauses_of
from dragoman.bench.client import Conversation
from dragoman.bench.lagging import Delayed, Lagging, Segment, by_segment, stream_laal
from dragoman.bench.quality import Pair
from dragoman.bench.units import joined, units


@dataclass(frozen=True, slots=True)
class Against:
    """The streamed text beside the sentences of something else: its StreamLAAL, and what stands for each sentence."""

    segments: Sequence[Segment]
    lagging: Lagging | None
    pairs: Sequence[Pair]


@dataclass(frozen=True, slots=True)
class SessionFigures:
    """One session: what it was, what came, and how that compares with the offline text and with the reference.

    `offline` and `reference` are None where there are no such sentences. Empty `clauses` where it was refused.
    """

    name: str
    spoken_s: float
    failure: str
    refused: bool
    latest_chunk_s: float
    ended_late_s: float
    clauses: Sequence[Clause]
    offline: Against | None
    reference: Against | None

    @property
    def first_sound_s(self) -> float | None:
        """From the beginning of the first clause that was heard to the first sound of a translation."""
        return next((one.ear_voice_s for one in self.clauses if one.ear_voice_s is not None), None)


def figures_of(
    name: str, heard: Conversation, offline: Sequence[Segment], reference: Sequence[Segment], unit: str
) -> SessionFigures:
    """Work out a session. Raises ValueError for a server that tells no source times."""
    clauses = clauses_of(heard.arrivals)
    said = delayed(clauses, unit)
    return SessionFigures(
        name=name,
        spoken_s=heard.spoken_s,
        failure=heard.failure,
        refused=not heard.began_s,
        latest_chunk_s=heard.latest_s,
        ended_late_s=heard.ended_s - heard.finished_s,
        clauses=clauses,
        offline=_against(said, offline, unit),
        reference=_against(said, reference, unit),
    )


def delayed(clauses: Sequence[Clause], unit: str) -> list[Delayed]:
    """The words of the text in their order, each with the times of its clause."""
    return [
        Delayed(piece, clause.text_at_s, clause.source_stop_s)
        for clause in clauses
        for piece in units(clause.text, unit)
    ]


def _against(said: Sequence[Delayed], segments: Sequence[Segment], unit: str) -> Against | None:
    if not segments:
        return None
    pairs = [
        (joined([word.text for word in piece], unit), segment.text)
        for piece, segment in zip(by_segment(said, segments, unit), segments, strict=True)
        if segment.counts
    ]
    return Against(segments, stream_laal(said, segments, unit), pairs)
