"""Section "capacity": how many sessions in real time the machine holds before the translations come late."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bench.child import in_child
from bench.crowd import Crowd, crowd
from dragoman.bench.acoustic import ends_of
from dragoman.bench.clauses import Clause, clauses_of, nearest, sound_delays
from dragoman.bench.percentiles import Spread
from dragoman.bench.report import Grid, Section
from dragoman.bench.talk import CHUNK_S, Talk
from dragoman.testing import RunningServer

SEED = 20


@dataclass(frozen=True, slots=True)
class Step:
    """`size` sessions at once. Delays in seconds, of the clauses that ended while all of them spoke.

    `refused` sessions never began, `broken` ones ended early. `pauses` are the clauses before a pause only, whose delay
    holds no waiting for the speaker but the pause itself. Cores are means over the span in which all spoke.
    """

    size: int
    delays: Spread | None
    pauses: Spread | None
    refused: int
    broken: int
    server_cores: float
    clients_cores: float
    others_cores: float
    latest_chunk_s: float
    ended_late_s: float

    def holds(self, limit_s: float) -> bool:
        """Whether every session was served in time."""
        return not self.refused and not self.broken and self.pauses is not None and self.pauses.p95 <= limit_s


def step(size: int, found: Crowd, ends_s: Sequence[Sequence[float]]) -> Step:
    """The figures of one crowd; `ends_s` are the pauses of each session's talk."""
    began = [(number, one) for number, one in enumerate(found.conversations) if one.began_s]
    every: list[Clause] = []
    before_pause: list[Clause] = []
    for number, one in began:
        zero_s = one.began_s - CHUNK_S
        for clause in clauses_of(one.arrivals):
            if found.window_s[0] <= zero_s + clause.source_stop_s <= found.window_s[1]:
                every.append(clause)
                if nearest(ends_s[number], clause.source_stop_s) is not None:
                    before_pause.append(clause)
    return Step(
        size=size,
        delays=Spread.of(sound_delays(every)),
        pauses=Spread.of(sound_delays(before_pause)),
        refused=size - len(began),
        broken=sum(bool(one.failure) for _, one in began),
        server_cores=found.usage.family_cores,
        clients_cores=found.clients_s / found.usage.wall_s,
        others_cores=found.usage.others_cores(found.clients_s),
        latest_chunk_s=max((one.latest_s for _, one in began), default=0.0),
        ended_late_s=max((one.ended_s - one.finished_s for _, one in began), default=0.0),
    )


def measure(
    server: RunningServer,
    talk: Talk,
    *,
    sizes: Iterable[int],
    limit_s: float,
    tell: Callable[[str], None],
) -> list[Step]:
    """Steps of growing size, up to the first that does not hold, and then one in the gap before it."""

    def take(size: int) -> Step:
        tell(f"{size} sessions at once")
        found = in_child(crowd, server.url, server.process.pid, talk, size, SEED)
        steps.append(step(size, found, [ends_of(talk.turned(place_s)) for place_s in found.places_s]))
        return steps[-1]

    steps: list[Step] = []
    held = 0
    for size in sizes:
        if take(size).holds(limit_s):
            held = size
            continue
        if size - held > 1:
            take((held + size) // 2)
        break
    return sorted(steps, key=lambda one: one.size)


def section(steps: Sequence[Step], limit_s: float, cores: int) -> Section:
    """As a table and figures."""
    held = max((one.size for one in steps if one.holds(limit_s)), default=0)
    rows = [
        [
            str(one.size),
            *_times(one.delays),
            *_times(one.pauses),
            str(one.refused + one.broken),
            f"{one.server_cores:.2f}",
            f"{one.clients_cores:.2f}",
            f"{one.others_cores:.2f}",
            f"{1000 * one.latest_chunk_s:.0f}",
        ]
        for one in steps
    ]
    columns = ["sessions", "p50", "p95", "pause p50", "pause p95", "refused", "server", "clients", "others", "late, ms"]
    tested = steps[-1].size if steps else 0
    verdict = f"{held} sessions hold" + ("" if held < tested else " and no more were tried")
    note = (
        f"{verdict} ('pause p95' at most {limit_s:g} s, none refused). Delay to the first sound, s; 'pause': only "
        f"clauses before a pause. Cores kept busy, of {cores}: server with its children, clients, anything else. "
        "'late': the latest chunk of any client"
    )
    figures: dict[str, float] = {"sessions_held": held}
    for one in steps:
        if one.pauses and one.delays:
            figures |= {f"n{one.size}_p95_s": one.delays.p95, f"n{one.size}_pause_p95_s": one.pauses.p95}
        figures[f"n{one.size}_server_cores"] = one.server_cores
    return Section("capacity", [Grid("Sessions at once, in real time", columns, rows, note)], figures, steps)


def _times(spread: Spread | None) -> list[str]:
    return ["–", "–"] if spread is None else [f"{spread.p50:.2f}", f"{spread.p95:.2f}"]
