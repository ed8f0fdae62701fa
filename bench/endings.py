"""Section "end": from `end_of_stream` to the last byte."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.served import play
from dragoman.bench.percentiles import Spread
from dragoman.bench.report import Grid, Section
from dragoman.bench.talk import Talk
from dragoman.testing import RunningServer

BEFORE_END_S = 0.3
"""The speaker is cut off this long before the end of a segment: in a word, before any pause could have been noticed."""


@dataclass(frozen=True, slots=True)
class Ending:
    """One session that was cut off. `sound_s` and `end_s`: from `end_of_stream` to the last audio, and to the end."""

    spoken_s: float
    sound_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Endings:
    """`live`: speakers in real time, cut off in a word. `at_once`: the whole talk sent as fast as it was taken."""

    live: list[Ending]
    at_once: list[Ending]


def measure(server: RunningServer, talk: Talk, ends_s: Sequence[float], *, cuts: int, files: int) -> Endings:
    """Cut `cuts` of the talk's segments off; send the whole talk at once `files` times."""
    spans = [(max(0.0, start_s), end_s - BEFORE_END_S) for start_s, end_s in zip([0.0, *ends_s], ends_s, strict=False)]
    spans = [span for span in spans if span[1] - span[0] > 2 * BEFORE_END_S]
    chosen = spans[:: max(1, len(spans) // max(1, cuts))][:cuts]
    live = [_ending(server, talk.between(*span), paced=True) for span in chosen]
    return Endings(live, [_ending(server, talk, paced=False) for _ in range(files)])


def _ending(server: RunningServer, talk: Talk, *, paced: bool) -> Ending:
    heard = play(server, talk, paced=paced).conversation
    return Ending(talk.duration_s, heard.last_sound_s - heard.finished_s, heard.ended_s - heard.finished_s)


def section(endings: Endings) -> Section:
    """As a table and figures."""
    rows: list[list[str]] = []
    figures: dict[str, float] = {}
    for name, label, found in (
        ("live", "live, cut off in a word", endings.live),
        ("file", "whole talk sent at once", endings.at_once),
    ):
        spread = Spread.of(ending.end_s for ending in found)
        if spread is None:
            continue
        spoken = Spread.of(ending.spoken_s for ending in found)
        assert spoken is not None
        rows.append(
            [
                label,
                str(spread.count),
                f"{spoken.least:.1f} to {spoken.most:.1f}",
                *(f"{value:.2f}" for value in (spread.p50, spread.p95, spread.most)),
            ]
        )
        figures |= {f"{name}_p50_s": spread.p50, f"{name}_p95_s": spread.p95}
    columns = ["input", "sessions", "spoken, s", "p50", "p95", "max"]
    return Section("end", [Grid("From end_of_stream to the last byte, s", columns, rows)], figures, endings)
