"""Section "memory": what the server holds when it is ready, and what each session adds."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from time import monotonic

from bench.child import in_child
from bench.crowd import crowd
from bench.served import play
from dragoman.bench.client import SessionFailed
from dragoman.bench.percentiles import median
from dragoman.bench.processes import Memory
from dragoman.bench.report import Grid, Section
from dragoman.bench.talk import Talk
from dragoman.testing import RunningServer

EVERY_S = 2.0
"""Between two looks at the server's memory."""
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Held:
    """The memory of a server that was ready, had served a first talk, had `size` sessions, had none, and so once more.

    `during` are looks while all sessions spoke.
    """

    size: int
    ready: Memory
    primed: Memory
    during: Sequence[Memory]
    after: Memory
    again: Memory

    @property
    def session_rss(self) -> float:
        """Bytes that one session adds, shared pages included."""
        return (median(one.rss for one in self.during) - self.primed.rss) / self.size

    @property
    def session_uss(self) -> float:
        """Bytes that one session adds to the memory that is the server's alone."""
        return (median(one.uss for one in self.during) - self.primed.uss) / self.size


def measure(server: RunningServer, talk: Talk, size: int) -> Held:
    """Hold `size` sessions, twice, at a server that has just become ready. Raises SessionFailed."""
    pid = server.process.pid
    ready = Memory.of(pid)
    play(server, talk, paced=False)
    primed = Memory.of(pid)
    during = _during(server, talk, size)
    after = Memory.of(pid)
    _during(server, talk, size)
    return Held(size, ready, primed, during, after, Memory.of(pid))


def _during(server: RunningServer, talk: Talk, size: int) -> list[Memory]:
    """What the server held while all sessions spoke."""
    pid = server.process.pid
    looks: list[tuple[float, Memory]] = []
    with ThreadPoolExecutor(1) as pool:
        talking = pool.submit(in_child, crowd, server.url, pid, talk, size, size)
        while not wait([talking], timeout=EVERY_S).done:
            looks.append((monotonic(), Memory.of(pid)))
        found = talking.result()
    for heard in found.conversations:
        if heard.failure:
            raise SessionFailed(heard.failure)
    return [memory for at_s, memory in looks if found.window_s[0] <= at_s <= found.window_s[1]]


def section(held: Held) -> Section:
    """As a table and figures."""

    def row(name: str, rss: float, uss: float) -> list[str]:
        return [name, f"{rss / MIB:.1f}", f"{uss / MIB:.1f}"]

    rows = [
        row("ready", held.ready.rss, held.ready.uss),
        row("of it the translator's programs", held.ready.children_rss, held.ready.children_uss),
        row("after a first talk", held.primed.rss, held.primed.uss),
        row(
            f"{held.size} sessions while all speak, median",
            median(one.rss for one in held.during),
            median(one.uss for one in held.during),
        ),
        row("the same, most", max(one.rss for one in held.during), max(one.uss for one in held.during)),
        row("each session, by the medians", held.session_rss, held.session_uss),
        row("after they have gone", held.after.rss, held.after.uss),
        row("after as many again have gone", held.again.rss, held.again.uss),
    ]
    note = "server and its children; RSS counts shared pages in each process, USS only what is nobody else's"
    figures = {
        "ready_rss_mib": held.ready.rss / MIB,
        "ready_uss_mib": held.ready.uss / MIB,
        "primed_uss_mib": held.primed.uss / MIB,
        "session_uss_mib": held.session_uss / MIB,
        "after_uss_mib": held.after.uss / MIB,
        "again_uss_mib": held.again.uss / MIB,
    }
    return Section("memory", [Grid("Memory, MiB", ["", "RSS", "USS"], rows, note)], figures, held)
