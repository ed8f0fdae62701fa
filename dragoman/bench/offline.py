"""What the same server makes of the recordings when it need not hurry: the whole talk at once, with `quality`.

It is what the streamed text is compared with, and its sentences are those of StreamLAAL where no reference is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dragoman.bench.clauses import clauses_of
from dragoman.bench.client import SessionFailed, Wish, converse
from dragoman.bench.lagging import Segment
from dragoman.bench.programme import Programme, programme
from dragoman.bench.recordings import Recording


@dataclass(frozen=True, slots=True)
class Offline:
    """The sentences of each recording, in seconds from its beginning.

    `factor` is the real-time factor: seconds that it took for each second of speech.
    """

    sentences: Sequence[Sequence[Segment]]
    factor: float

    def along(self, said: Programme) -> list[Segment]:
        """The sentences of a talk that is made of the recordings."""
        return [one.moved(start_s) for number, start_s in said.places for one in self.sentences[number]]


async def translate_offline(url: str, recordings: Sequence[Recording], wish: Wish) -> Offline:
    """Have each recording translated once. Raises SessionFailed, and ValueError for a server without source times."""
    said = programme(recordings)
    spoken_s = said.talk.duration_s
    heard = await converse(url, said.talk.encoded(), spoken_s, paced=False, wish=replace(wish, latency="quality"))
    if heard.failure:
        raise SessionFailed(heard.failure)
    sentences: list[list[Segment]] = [[] for _ in recordings]
    for clause in clauses_of(heard.arrivals):
        middle_s = (clause.source_start_s + clause.source_stop_s) / 2
        number, start_s = next(place for place in reversed(said.places) if place[1] <= middle_s)
        sentences[number].append(Segment(clause.source_start_s - start_s, clause.source_stop_s - start_s, clause.text))
    return Offline(sentences, heard.ended_s / spoken_s)


def wanted_along(
    said: Programme, recordings: Sequence[Recording], target: str, offline: Offline | None
) -> list[Segment]:
    """The references of a talk's recordings, each a sentence.

    For recordings without one stand the offline sentences, which do not count. None where that cannot be had, or where
    nothing would count.
    """
    segments: list[Segment] = []
    for number, start_s in said.places:
        recording = recordings[number]
        if text := recording.wanted(target):
            segments.append(Segment(start_s + recording.speech_s[0], start_s + recording.speech_s[1], text))
        elif offline is not None:
            segments += [replace(one.moved(start_s), counts=False) for one in offline.sentences[number]]
        else:
            return []
    return segments if any(one.counts for one in segments) else []
