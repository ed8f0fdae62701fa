"""Section "latency": what each latency, and each part of `low`, is worth in time and costs in quality."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.ablated import ablated_server
from bench.served import SETTLE_S
from dragoman.bench.client import Wish
from dragoman.bench.machine import About
from dragoman.bench.recordings import Recording
from dragoman.bench.report import Grid, Section
from dragoman.bench.run import Order, Run, measure
from dragoman.bench.step import Step, figures


@dataclass(frozen=True, slots=True)
class Variant:
    """`latency` is asked for; `policy` changes fields of `low`, `settings` are DRAGOMAN_* variables of the server."""

    latency: str
    policy: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


VARIANTS = {
    "quality": Variant("quality"),
    "balanced": Variant("balanced"),
    "low": Variant("low"),
    "low-whole-clauses": Variant(
        "low", {"comma_words": 0, "conjunction_words": 0, "phrase_words": 0, "max_delay_s": float("inf")}
    ),
    "low-no-phrases": Variant("low", {"phrase_words": 0}),
    "low-by-pause": Variant("low", {"incremental": False}),
    "low-agreement-only": Variant("low", {"trusts": False}),
    "low-slow-cadence": Variant("low", {"cadence_s": 1.0}),
    "low-long-pauses": Variant("low", {"pause_share": 1.0}),
    "low-one-tempo": Variant("low", settings={"DRAGOMAN_SPEAK__MAX_TEMPO": "1.0"}),
}
"""The three latencies, of which `quality` waits for pauses, and `low` without: clauses that end before their sentence
does, those of them that end before a mere phrase, agreement of hypotheses, the recogniser's own certainty, the short
time between hypotheses, the shorter pauses, and a voice that speaks faster when it lags."""

TARGET, SOURCE = "es", "en"


def measure_all(
    names: Sequence[str],
    recordings: Sequence[Recording],
    sizes: Sequence[int],
    out: Path,
    about: About,
    tell: Callable[[str], None],
) -> Iterator[tuple[str, Run]]:
    """Measure variants one after the other, each on a server of its own, and write each into a folder of its own."""
    for name in names:
        variant = VARIANTS[name]
        tell(f"latency: {name}")
        with ablated_server(variant.policy, variant.settings) as server:
            order = Order(server.url, recordings, Wish(TARGET, SOURCE, variant.latency), sizes, pid=server.process.pid)
            run = asyncio.run(measure(order, tell))
            time.sleep(SETTLE_S)
        run.write(out / name, about)
        yield name, run


def section(runs: Mapping[str, Run]) -> Section:
    """As a table and figures."""
    columns = ["", "sessions", "LAAL", "input alone", "text", "lag", "ear-voice", "chrF", "BLEU", "processor"]
    steps = [(name, run, step) for name, run in runs.items() for step in run.steps]
    note = (
        "Seconds; StreamLAAL beside the offline text, with the time that everything took and from the input alone; "
        "'text', 'lag' and 'ear-voice' are p50 / p95; chrF and BLEU are the streamed text beside the offline one; "
        "'processor' is its time for each second of speech"
    )
    values = {
        f"{name}_n{len(step.sessions)}_{figure}": value
        for name, run, step in steps
        for figure, value in figures(step, run.offline.factor if run.offline else None)
    }
    return Section("latency", [Grid("Latency", columns, [_row(*one) for one in steps], note)], values, runs)


def _row(name: str, run: Run, step: Step) -> list[str]:
    del run
    lagging = [step.offline.aware_s, step.offline.unaware_s] if step.offline else []
    spreads = [step.text, step.lag, step.ear_voice]
    return [
        name,
        str(len(step.sessions)),
        *([f"{value:.2f}" for value in lagging] or ["–", "–"]),
        *("–" if spread is None else f"{spread.p50:.2f} / {spread.p95:.2f}" for spread in spreads),
        *([f"{step.kept.chrf:.1f}", f"{step.kept.bleu:.1f}"] if step.kept else ["–", "–"]),
        f"{step.cost.cpu_ratio:.3f}" if step.cost else "–",
    ]
