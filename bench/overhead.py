"""Section "overhead": processor time of the served session over that of the bare engines on the same audio."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.child import in_child
from bench.replay import Costs, record_calls, replay
from bench.served import Round
from dragoman.bench.clauses import clauses_of
from dragoman.bench.percentiles import median
from dragoman.bench.report import Grid, Section
from dragoman.bench.talk import Talk
from dragoman.pipeline.latency import Latency


@dataclass(frozen=True, slots=True)
class Overhead:
    """Processor seconds for one talk.

    `served` (in real time) and `served_at_once` are by session, `paced` (in real time) and `bare` (one call after the
    other) by replay in a fresh process.
    `same_texts`: whether the recorded session, whose calls were replayed, said what the served ones said.
    `idle_cores` is what the server uses while nobody is connected.
    """

    spoken_s: float
    served: list[float]
    served_at_once: list[float]
    paced: list[Costs]
    bare: list[Costs]
    same_texts: bool
    idle_cores: float


def measure(
    talk: Talk,
    latency: Latency,
    rounds: Sequence[Round],
    at_once: Sequence[Round],
    idle_cores: float,
    replays: int,
) -> Overhead:
    """Record the calls of a session over the talk and replay them `replays` times in each way."""
    log = in_child(record_calls, talk, latency)
    texts = [[clause.text for clause in clauses_of(one.conversation.arrivals)] for one in rounds]
    return Overhead(
        spoken_s=talk.duration_s,
        served=[one.usage.family_s for one in rounds],
        served_at_once=[one.usage.family_s for one in at_once],
        paced=[in_child(replay, log, paced=True) for _ in range(replays)],
        bare=[in_child(replay, log, paced=False) for _ in range(replays)],
        same_texts=all(found == log.texts for found in texts),
        idle_cores=idle_cores,
    )


def section(overhead: Overhead) -> Section:
    """As tables and figures."""
    served, bare = median(overhead.served), median(one.total_s for one in overhead.bare)
    least = median(one.least_s for one in overhead.bare)
    at_once, paced = median(overhead.served_at_once), median(one.total_s for one in overhead.paced)
    totals = [
        ("served, in real time", served),
        ("served, sent at once", at_once),
        ("bare engines, the same calls in real time", paced),
        ("bare engines, the same calls at once", bare),
        ("bare engines, recognitions that committed words", least),
    ]
    spoken_s = overhead.spoken_s
    summary = Grid(
        "Processor time for one talk",
        ["", "s", "ms per s of speech", "of bare", "of least"],
        [
            [name, f"{value:.2f}", f"{1000 * value / spoken_s:.0f}", f"{value / bare:.2f}", f"{value / least:.2f}"]
            for name, value in totals
        ],
        f"{spoken_s:.1f} s of speech; medians of {len(overhead.served)} sessions and {len(overhead.bare)} replays; "
        f"an idle server uses {1000 * overhead.idle_cores:.1f} ms each second; the replayed calls are "
        f"{'those of the served sessions' if overhead.same_texts else 'NOT QUITE those of the served sessions'}",
    )
    split = Grid(
        "Where it goes",
        ["part", "calls", "bare, s", "in real time, s", "of served"],
        [
            *(
                [name, str(count), f"{at_once_s:.2f}", f"{paced_s:.2f}", f"{100 * paced_s / served:.0f} %"]
                for name, count, at_once_s, paced_s in _parts(overhead)
            ),
            ["everything else", "", "", f"{served - paced:.2f}", f"{100 * (1 - paced / served):.0f} %"],
        ],
        "'everything else' is what the served sessions took beyond the engines in real time: sockets, JSON, base64, "
        "resampling, encoding, the event loop and its threads",
    )
    figures = {
        "served_s": served,
        "bare_s": bare,
        "bare_paced_s": paced,
        "least_s": least,
        "served_of_bare_ratio": served / bare,
        "served_of_bare_paced_ratio": served / paced,
        "at_once_of_bare_ratio": at_once / bare,
        "served_of_least_ratio": served / least,
        "searches_s": bare - least,
    }
    return Section("overhead", [summary, split], figures, overhead)


def _parts(overhead: Overhead) -> list[tuple[str, int, float, float]]:
    """Each engine's name, number of calls, and processor seconds: one call after the other, and in real time."""
    calls = overhead.bare[0].calls
    searches = calls.get("recognise", 0) - calls["committed"]
    chosen: list[tuple[str, int, Callable[[Costs], float]]] = [
        ("voice activity", calls.get("detect", 0), lambda one: one.detect_s),
        ("recognition, committed", calls["committed"], lambda one: one.committed_s),
        ("recognition, that committed nothing", searches, lambda one: one.recognise_s - one.committed_s),
        ("translation", calls.get("translate", 0), lambda one: one.translate_s),
        ("speech", calls.get("speak", 0), lambda one: one.speak_s),
    ]
    return [
        (name, count, median(map(part, overhead.bare)), median(map(part, overhead.paced)))
        for name, count, part in chosen
    ]
