"""The command line: which measurements to make, in which order, and where the results go."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from rich.console import Console

from bench import batching, capacity, delay, endings, latencies, memory, overhead, served, soak, targets, tokens
from dragoman.bench import compare, report
from dragoman.bench.acoustic import ends_of
from dragoman.bench.machine import About
from dragoman.bench.processes import Meter
from dragoman.bench.recordings import read_all
from dragoman.bench.report import Section
from dragoman.bench.talk import join, packaged_recordings
from dragoman.pipeline.latency import POLICIES, Latency
from dragoman.testing import running_server

OUT = Path(__file__).parent / "out"
SECTIONS = ("latency", "delay", "end", "overhead", "tokens", "targets", "capacity", "memory")
MORE = ("batching", "soak")
"""Sections that are measured only when they are named."""
IDLE_S = 3.0


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured: sessions one after the other, seconds of the talk, sessions at once; for batches sessions
    at once, and requests of each."""

    rounds: int
    first_s: float
    cuts: int
    sizes: tuple[int, ...]
    memory_sessions: int
    batches: tuple[int, ...]
    batch_rounds: int
    variants: tuple[str, ...]


FULL = Scale(
    3, 600.0, 8, (1, 2, 4, 8, 12, 16, 20, 24, 28, 32, 36), 16, (1, 2, 4, 8, 16, 32, 64), 2, tuple(latencies.VARIANTS)
)
QUICK = Scale(1, 20.0, 3, (1, 2, 4), 4, (1, 8), 1, ("quality", "low"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what was asked for."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    if given[:1] == ["compare"]:
        parser = argparse.ArgumentParser("python -m bench compare", description=compare.__doc__)
        parser.add_argument("first", type=Path)
        parser.add_argument("second", type=Path)
        chosen = parser.parse_args(given[1:])
        try:
            compare.compare(chosen.first, chosen.second, console)
        except (OSError, ValueError) as error:
            raise SystemExit(str(error)) from error
        return
    chosen = _parser().parse_args(given)
    only = tuple(chosen.only.split(",")) if chosen.only else SECTIONS
    if wrong := set(only) - {*SECTIONS, *MORE}:
        raise SystemExit(f"no such section: {', '.join(sorted(wrong))}; there is {', '.join(SECTIONS + MORE)}")
    paths = chosen.audio or packaged_recordings()
    about = About.here([path.name for path in paths], given)
    for line in about.lines():
        console.print(line)
    scale = QUICK if chosen.quick else FULL
    run = Run(scale, paths, chosen.latency, chosen.limit, about.cores, console, chosen.minutes)
    sections = []
    latency = _latency(scale, chosen, only, paths, about, console)
    for section in chain(_batching(scale, chosen, only, console), latency, run.sections(only)):
        sections.append(section)
        for grid in section.grids:
            grid.show(console)
    console.print(f"wrote {report.write(chosen.out, about, sections)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m bench", description="Measure the server; see docs/performance.md.")
    parser.add_argument("--quick", action="store_true", help="a short run, for a first look")
    names = ",".join(SECTIONS + MORE)
    parser.add_argument("--only", default="", help=f"some of the sections, with commas: {names}")
    parser.add_argument("--device", default="cpu", help="for batching: cpu (default), cuda or cuda:1")
    parser.add_argument("--model", choices=batching.MODELS, default="probe", help="for batching: size of the model")
    parser.add_argument("--threads", type=int, default=1, help="for batching: processor threads (default: 1)")
    parser.add_argument("--audio", nargs="+", type=Path, default=[], help="recordings of English speech, any format")
    parser.add_argument("--variants", default="", help=f"for latency, with commas: {','.join(latencies.VARIANTS)}")
    parser.add_argument("--sessions", default="1", help="for latency: sessions at once, with commas (default: 1)")
    parser.add_argument(
        "--latency", choices=list(POLICIES), default="balanced", help="of the other sections (default: balanced)"
    )
    parser.add_argument("--minutes", type=float, default=15.0, help="for soak (default: 15)")
    parser.add_argument("--limit", type=float, default=3.0, help="seconds of delay that are too much (default: 3)")
    parser.add_argument("--out", type=Path, default=OUT, help="where the JSON files go (default: bench/out)")
    return parser


def _batching(scale: Scale, chosen: argparse.Namespace, only: Sequence[str], console: Console) -> Iterator[Section]:
    """The section that needs no server and no speech."""
    if "batching" in only:
        found = batching.measure(
            chosen.model,
            chosen.device,
            scale.batches,
            threads=chosen.threads,
            rounds=scale.batch_rounds,
            tell=console.print,
        )
        yield batching.section(found)


def _latency(
    scale: Scale,
    chosen: argparse.Namespace,
    only: Sequence[str],
    paths: Sequence[Path],
    about: About,
    console: Console,
) -> Iterator[Section]:
    """The section in which each variant has a server of its own."""
    if "latency" in only:
        names = tuple(chosen.variants.split(",")) if chosen.variants else scale.variants
        if wrong := set(names) - set(latencies.VARIANTS):
            raise SystemExit(f"no such variant: {', '.join(sorted(wrong))}; there is {', '.join(latencies.VARIANTS)}")
        sizes = [int(size) for size in chosen.sessions.split(",")]
        recordings = read_all(paths)
        found = latencies.measure_all(names, recordings, sizes, chosen.out, about, console.print)
        yield latencies.section(dict(found))


class Run:
    """One run: what is measured with what, on one warm server for each group of sections."""

    def __init__(
        self,
        scale: Scale,
        paths: Sequence[Path],
        latency: Latency,
        limit_s: float,
        cores: int,
        console: Console,
        minutes: float,
    ) -> None:
        self._minutes = minutes
        self._latency, self._settings = latency, {"DRAGOMAN_LATENCY": latency}
        self._scale, self._limit_s, self._cores, self._console = scale, limit_s, cores, console
        self._talk = join(paths).first(scale.first_s)
        self._ends_s = ends_of(self._talk)

    def sections(self, only: Sequence[str]) -> Iterator[Section]:
        """The sections of `only`, as each becomes ready."""
        groups: list[tuple[set[str], Callable[[Sequence[str]], Iterator[Section]]]] = [
            ({"delay", "end", "overhead"}, self._single),
            ({"tokens", "targets"}, self._other_wires),
            ({"capacity"}, self._capacity),
            ({"memory"}, self._memory),
            ({"soak"}, self._soak),
        ]
        if any(names & set(only) for names, _ in groups):
            self._console.print(f"{self._talk.duration_s:.1f} s of speech: {self._talk.name}")
        for names, measure in groups:
            if names & set(only):
                yield from measure(only)

    def _single(self, only: Sequence[str]) -> Iterator[Section]:
        """One session at a time. Delay and overhead are measured on the same sessions."""
        scale = self._scale
        with served.warm_server(self._talk, settings=self._settings) as server:
            if {"delay", "overhead"} & set(only):
                meter = Meter(server.process.pid)
                time.sleep(IDLE_S)
                idle_cores = meter.read().family_cores
                rounds = []
                for number in range(scale.rounds):
                    self._console.print(f"session {number + 1} of {scale.rounds}, in real time")
                    rounds.append(served.play(server, self._talk))
            if "delay" in only:
                yield delay.section(delay.measure(rounds, self._ends_s), rounds)
            if "end" in only:
                self._console.print("sessions that are cut off")
                found = endings.measure(server, self._talk, self._ends_s, cuts=scale.cuts, files=scale.rounds)
                yield endings.section(found)
            if "overhead" in only:
                self._console.print("the same engine calls without a server")
                at_once = [served.play(server, self._talk, paced=False) for _ in range(scale.rounds)]
        if "overhead" in only:
            yield overhead.section(
                overhead.measure(self._talk, self._latency, rounds, at_once, idle_cores, scale.rounds)
            )

    def _other_wires(self, only: Sequence[str]) -> Iterator[Section]:
        """The Soniox and Palabra sockets, in real time."""
        with served.warm_server(self._talk, settings=self._settings) as server:
            if "tokens" in only:
                yield tokens.section(tokens.measure(server, self._talk), self._talk)
            if "targets" in only:
                yield targets.section(targets.measure(server, self._talk), self._talk)

    def _capacity(self, only: Sequence[str]) -> Iterator[Section]:
        del only
        with served.warm_server(self._talk, settings=self._settings) as server:
            steps = capacity.measure(
                server,
                self._talk,
                sizes=self._scale.sizes,
                limit_s=self._limit_s,
                tell=self._console.print,
            )
        yield capacity.section(steps, self._limit_s, self._cores)

    def _memory(self, only: Sequence[str]) -> Iterator[Section]:
        del only
        self._console.print(f"{self._scale.memory_sessions} sessions, for their memory")
        with running_server("embedded", environment=self._settings) as server:
            yield memory.section(memory.measure(server, self._talk, self._scale.memory_sessions))

    def _soak(self, only: Sequence[str]) -> Iterator[Section]:
        del only
        self._console.print(f"{soak.CALLERS} callers on four wires, for {self._minutes:g} minutes")
        with running_server("embedded", environment=self._settings) as server:
            yield soak.section(soak.measure(server, self._talk, self._minutes))
