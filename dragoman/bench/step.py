"""The figures of so many sessions at once, and how they are shown."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from dragoman.bench.clauses import Clause
from dragoman.bench.crowd import Crowd
from dragoman.bench.lagging import Lagging
from dragoman.bench.percentiles import Spread
from dragoman.bench.processes import Memory
from dragoman.bench.quality import Pair, Quality, quality, word_errors
from dragoman.bench.report import Grid, Section
from dragoman.bench.session import Against, SessionFigures

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Cost:
    """What the server took. `cpu_ratio`: processor seconds for each second of speech; `cores`: how many were busy.

    Memory is the most that was seen, in bytes. `others_cores` were busy with anything but the server and the clients.
    """

    cpu_ratio: float
    cores: float
    others_cores: float
    rss: int
    uss: int

    @classmethod
    def of(cls, crowd: Crowd, spoken_s: float) -> "Cost | None":
        """None where the server's process is not known, or nothing was said."""
        if crowd.usage is None or not spoken_s:
            return None
        memory: Sequence[Memory] = crowd.memory or [Memory(0, 0, 0, 0)]
        return cls(
            crowd.usage.family_s / spoken_s,
            crowd.usage.family_cores,
            crowd.usage.others_cores(crowd.clients_s),
            max(one.rss for one in memory),
            max(one.uss for one in memory),
        )


@dataclass(frozen=True, slots=True)
class Minute:
    """The lag of the clauses whose source ended in one minute of the talk, counted from 0."""

    minute: int
    lag: Spread


@dataclass(frozen=True, slots=True)
class Step:
    """`sessions` at once, taken together. Spreads are over all clauses of all of them, in seconds.

    `text`: from the end of the source to the text; `lag`: to the beginning of the sound, as a player comes to it that
    plays everything in order; `ear_voice`: from the beginning of the source to the same. `own` is the offline text's
    quality beside the reference. `error_rate` where the text should be the transcript.
    """

    sessions: Sequence[SessionFigures]
    text: Spread | None
    lag: Spread | None
    ear_voice: Spread | None
    first_sound_s: float | None
    minutes: Sequence[Minute]
    offline: Lagging | None
    reference: Lagging | None
    kept: Quality | None
    scored: Quality | None
    own: Quality | None
    error_rate: float | None
    cost: Cost | None

    @property
    def refused(self) -> int:
        return sum(one.refused for one in self.sessions)

    @property
    def broken(self) -> int:
        """Sessions that ended early."""
        return sum(bool(one.failure) and not one.refused for one in self.sessions)

    @property
    def growth_s(self) -> float | None:
        """By how much the 95th percentile of the lag is larger at the end of the talk than at its beginning.

        Both are a sixth of it, and a minute at least: in one minute there are some thirty clauses, whose percentile is
        hardly more than the largest.
        """
        clauses = [one for session in self.sessions for one in session.clauses if one.heard_delay_s is not None]
        until_s = max((one.source_stop_s for one in clauses), default=0.0)
        piece_s = max(60.0, until_s / 6)
        first = Spread.of(_present([one for one in clauses if one.source_stop_s <= piece_s], _lag))
        last = Spread.of(_present([one for one in clauses if one.source_stop_s > until_s - piece_s], _lag))
        return last.p95 - first.p95 if first is not None and last is not None and until_s >= 2 * piece_s else None


def step_of(
    sessions: Sequence[SessionFigures], crowd: Crowd, own: Sequence[Pair], unit: str, *, transcribes: bool
) -> Step:
    """Take sessions together. `own`: the offline sentences beside the reference; `transcribes`: and that is what was
    said, so that word errors can be counted."""
    clauses = [clause for one in sessions for clause in one.clauses]
    kept = [one.offline for one in sessions if one.offline is not None]
    scored = [one.reference for one in sessions if one.reference is not None]
    spoken_s = sum(one.spoken_s for one in sessions if not one.refused)
    return Step(
        sessions=sessions,
        text=Spread.of(clause.text_delay_s for clause in clauses),
        lag=Spread.of(_present(clauses, _lag)),
        ear_voice=Spread.of(_present(clauses, lambda clause: clause.ear_voice_s)),
        first_sound_s=_mean(one.first_sound_s for one in sessions),
        minutes=by_minute(clauses),
        offline=_lagging(kept),
        reference=_lagging(scored),
        kept=quality([pair for one in kept for pair in one.pairs], unit),
        scored=quality([pair for one in scored for pair in one.pairs], unit),
        own=quality(own, unit),
        error_rate=_error_rate([pair for one in scored for pair in one.pairs], unit) if transcribes else None,
        cost=Cost.of(crowd, spoken_s),
    )


def by_minute(clauses: Iterable[Clause]) -> list[Minute]:
    """The lag in each minute in which a clause ended that was heard."""
    minutes: dict[int, list[float]] = {}
    for clause in clauses:
        if clause.heard_delay_s is not None:
            minutes.setdefault(int(clause.source_stop_s // 60), []).append(clause.heard_delay_s)
    return [Minute(number, spread) for number in sorted(minutes) if (spread := Spread.of(minutes[number]))]


def section(step: Step, factor: float | None) -> Section:
    """As tables and figures; `factor` is the real-time factor of the offline run."""
    size = len(step.sessions)
    grids = [_lateness(step), _text(step)]
    if len(step.minutes) > 1:
        grids.append(_minutes(step))
    return Section(f"n{size}", grids, dict(figures(step, factor)), step)


def figures(step: Step, factor: float | None) -> Iterable[tuple[str, float]]:
    """What two runs are compared by; what was not measured is left out."""
    for name, spread in (("text", step.text), ("lag", step.lag), ("ear_voice", step.ear_voice)):
        if spread is not None:
            yield f"{name}_p50_s", spread.p50
            yield f"{name}_p95_s", spread.p95
    for name, lagging in (("offline", step.offline), ("reference", step.reference)):
        if lagging is not None:
            yield f"laal_{name}_s", lagging.aware_s
            yield f"laal_{name}_unaware_s", lagging.unaware_s
            yield f"start_offset_{name}_s", lagging.start_offset_s
    for name, scores in (("offline", step.kept), ("reference", step.scored), ("reference_offline", step.own)):
        if scores is not None:
            yield f"chrf_{name}", scores.chrf
            yield f"bleu_{name}", scores.bleu
    optional = {
        "first_sound_s": step.first_sound_s,
        "lag_growth_s": step.growth_s,
        "wer": step.error_rate,
        "offline_rtf": factor,
        "cpu_ratio": step.cost.cpu_ratio if step.cost else None,
        "cores": step.cost.cores if step.cost else None,
        "uss_mib": step.cost.uss / MIB if step.cost else None,
        "rss_mib": step.cost.rss / MIB if step.cost else None,
    }
    yield from ((name, value) for name, value in optional.items() if value is not None)
    yield "refused", float(step.refused)
    yield "broken", float(step.broken)


def _lateness(step: Step) -> Grid:
    columns = ["seconds", "clauses", "p50", "p95", "min", "max"]
    rows = [
        [name, str(one.count), *(f"{value:.2f}" for value in (one.p50, one.p95, one.least, one.most))]
        for name, one in (
            ("text", step.text),
            ("lag", step.lag),
            ("ear-voice span", step.ear_voice),
        )
        if one is not None
    ]
    late_ms = 1000 * max((one.latest_chunk_s for one in step.sessions), default=0.0)
    note = f"{step.refused} refused, {step.broken} ended early; the latest chunk left {late_ms:.0f} ms late"
    if step.first_sound_s is not None:
        note += f"; first sound {step.first_sound_s:.2f} s behind the first speech"
    if step.cost is not None:
        cost = step.cost
        note += (
            f"; the server took {cost.cpu_ratio:.3f} s of processor time for each second of speech "
            f"({cost.cores:.2f} cores) and at most {cost.uss / MIB:.0f} MiB of its own; anything but it and the "
            f"clients kept {cost.others_cores:.2f} cores busy"
        )
    return Grid(f"{len(step.sessions)} at once", columns, rows, note)


def _text(step: Step) -> Grid:
    columns = ["text beside", "sentences", "StreamLAAL", "unaware", "StartOffset", "chrF", "BLEU"]
    rows = []
    for name, lagging, scores in (
        ("offline text", step.offline, step.kept),
        ("reference", step.reference, step.scored),
        ("offline, reference", None, step.own),
    ):
        if lagging is None and scores is None:
            continue
        times = (
            [f"{lagging.sentences}", *map(_seconds, (lagging.aware_s, lagging.unaware_s, lagging.start_offset_s))]
            if lagging
            else ["–"] * 4
        )
        rows.append([name, *times, *([f"{scores.chrf:.1f}", f"{scores.bleu:.1f}"] if scores else ["–", "–"])])
    note = "" if step.error_rate is None else f"word error rate {100 * step.error_rate:.1f} %"
    return Grid(f"The text of {len(step.sessions)} at once", columns, rows, note)


def _minutes(step: Step) -> Grid:
    rows = [
        [str(one.minute + 1), str(one.lag.count), _seconds(one.lag.p50), _seconds(one.lag.p95)] for one in step.minutes
    ]
    note = "" if step.growth_s is None else f"p95 of the last sixth less that of the first: {step.growth_s:+.2f} s"
    return Grid("Lag by minute, s", ["minute", "clauses", "p50", "p95"], rows, note)


def _seconds(value: float) -> str:
    return f"{value:.2f}"


def _lag(clause: Clause) -> float | None:
    return clause.heard_delay_s


def _present(clauses: Iterable[Clause], of: Callable[[Clause], float | None]) -> list[float]:
    return [value for clause in clauses if (value := of(clause)) is not None]


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _lagging(found: Sequence[Against]) -> Lagging | None:
    """The mean over sessions, each of which counts the same."""
    known = [one.lagging for one in found if one.lagging is not None]
    if not known:
        return None
    return Lagging(
        fmean(one.aware_s for one in known),
        fmean(one.unaware_s for one in known),
        fmean(one.start_offset_s for one in known),
        sum(one.sentences for one in known),
        sum(one.empty for one in known),
    )


def _error_rate(pairs: Sequence[Pair], unit: str) -> float | None:
    counted = [word_errors(*pair, unit) for pair in pairs]
    length = sum(words for _, words in counted)
    return sum(errors for errors, _ in counted) / length if length else None
