"""A run as files that another scorer reads: those of simulstream 1.0.0 (FBK), which has a StreamLAAL of its own.

    simulstream_score_latency --eval-config scorer.yaml --log-file sessions.jsonl --audio-definition segments.yaml \\
        --reference reference.txt --scorer stream_laal

Its `total_audio_processed` is the end of the source that a text translates, and its `computation_time` all that passed
from there until the text came: waiting for the speaker, working, and the way. Its "ideal" latency is thus ours from
input alone, and its computation-aware one is ours.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from dragoman.bench.lagging import Segment
from dragoman.bench.session import SessionFigures
from dragoman.bench.units import WORD, joined, units

LOG, SEGMENTS, REFERENCE, SCORER = "sessions.jsonl", "segments.yaml", "reference.txt", "scorer.yaml"


def write_logs(folder: Path, sessions: Sequence[SessionFigures], unit: str) -> None:
    """Write the four files for the sessions that said something. YAML is written as JSON, which is YAML too."""
    said = [one for one in sessions if one.clauses and segments_of(one)]
    lines = [line for number, one in enumerate(said) for line in log_of(number, one, unit)]
    (folder / LOG).write_text(_lines(map(_json, lines)), encoding="utf-8")
    places = [(one.name, segment) for one in said for segment in segments_of(one)]
    spans = [
        {"wav": f"{name}.wav", "offset": one.start_s, "duration": one.stop_s - one.start_s} for name, one in places
    ]
    (folder / SEGMENTS).write_text(_lines(f"- {_json(span)}" for span in spans), encoding="utf-8")
    texts = (joined(units(segment.text, unit), unit) for _, segment in places)
    (folder / REFERENCE).write_text(_lines(texts), encoding="utf-8")
    detokenizer = {"detokenizer_type": "simuleval", "latency_unit": "word" if unit == WORD else "char"}
    (folder / SCORER).write_text(_json(detokenizer) + "\n", encoding="utf-8")


def segments_of(one: SessionFigures) -> Sequence[Segment]:
    """What a session is scored with: the references if every recording has one, else the offline sentences."""
    if one.reference is not None and all(segment.counts for segment in one.reference.segments):
        return one.reference.segments
    return one.offline.segments if one.offline is not None else ()


def log_of(number: int, one: SessionFigures, unit: str) -> Iterator[dict[str, Any]]:
    """The lines of one session: which it is, then one for each clause."""
    yield {"id": number, "metadata": {"wav_name": f"{one.name}.wav"}}
    for clause in one.clauses:
        yield {
            "id": number,
            "total_audio_processed": clause.source_stop_s,
            "computation_time": clause.text_at_s - clause.source_stop_s,
            "generated_tokens": units(clause.text, unit),
            "deleted_tokens": [],
        }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _lines(texts: Iterable[str]) -> str:
    return "".join(f"{text}\n" for text in texts)
