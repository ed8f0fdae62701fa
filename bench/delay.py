"""Section "delay": from the end of each spoken clause to its translation, in real time."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from bench.served import Round
from dragoman.bench.clauses import clauses_of, nearest, sound_delays
from dragoman.bench.percentiles import Spread
from dragoman.bench.report import Grid, Section


@dataclass(frozen=True, slots=True)
class Delays:
    """Delays in seconds; the groups are those of the table that `section` makes.

    `ends_found` of `ends` pauses in the recording had a clause that the server says ends there.
    """

    spreads: dict[str, Spread]
    ends: int
    ends_found: int
    latest_chunk_s: float


def measure(rounds: Sequence[Round], ends_s: Sequence[float]) -> Delays:
    """The delays of all clauses of all rounds together."""
    clauses = [clause for one in rounds for clause in clauses_of(one.conversation.arrivals)]
    at_pauses = [(clause, end_s) for clause in clauses if (end_s := nearest(ends_s, clause.source_stop_s)) is not None]
    inside = [clause for clause in clauses if nearest(ends_s, clause.source_stop_s) is None]
    groups: dict[str, Iterable[float]] = {
        "text": (clause.text_delay_s for clause in clauses),
        "sound": sound_delays(clauses),
        "heard": _present(clause.heard_delay_s for clause in clauses),
        "sound, clause before a pause": sound_delays(clause for clause, _ in at_pauses),
        "sound, clause before a pause, from its end in the recording": _present(
            clause.sound_at_s - end_s if clause.sound_at_s is not None else None for clause, end_s in at_pauses
        ),
        "sound, clause inside a segment": sound_delays(inside),
    }
    spreads = {name: spread for name, values in groups.items() if (spread := Spread.of(values))}
    found = {end_s for _, end_s in at_pauses}
    return Delays(spreads, len(ends_s), len(found), max(one.conversation.latest_s for one in rounds))


def section(delays: Delays, rounds: Sequence[Round]) -> Section:
    """As a table and figures."""
    others_cores = max(one.usage.others_cores(0.0) for one in rounds)
    rows = [
        [name, str(spread.count), *(f"{value:.2f}" for value in (spread.p50, spread.p95, spread.least, spread.most))]
        for name, spread in delays.spreads.items()
    ]
    note = (
        f"{len(rounds)} sessions, one after the other; {delays.ends_found} of {delays.ends} pauses found in the "
        f"recording had a clause that ends there; the latest chunk left {delays.latest_chunk_s * 1000:.0f} ms late; "
        f"anything but the server kept {others_cores:.2f} cores busy"
    )
    grid = Grid("Delay from the end of a spoken clause, s", ["to", "clauses", "p50", "p95", "min", "max"], rows, note)
    short = {"text": "text", "sound": "sound", "heard": "heard", "sound, clause before a pause": "pause_sound"}
    figures = {
        f"{key}_{name}_s": value
        for long, key in short.items()
        if (spread := delays.spreads.get(long))
        for name, value in (("p50", spread.p50), ("p95", spread.p95))
    }
    details = {"delays": delays, "rounds": [_clauses(one) for one in rounds]}
    return Section("delay", [grid], figures, details)


def _clauses(one: Round) -> list[dict[str, object]]:
    return [asdict(clause) for clause in clauses_of(one.conversation.arrivals)]


def _present(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]
