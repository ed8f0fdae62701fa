"""The pictures of a run."""

from collections.abc import Callable, Sequence
from io import BytesIO
from statistics import median

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dragoman.bench.clauses import Clause
from dragoman.bench.step import Step

COLOURS = ("#1f5fa8", "#c8511b", "#2d7d46", "#7b4ea3", "#8a6d1d", "#4a4a4a")
"""One for each step, round again behind the last."""
SIZE_INCHES = (9.0, 4.2)
DPI = 120


def plots(steps: Sequence[Step]) -> dict[str, bytes]:
    """PNG files by name. What has nothing to show is left out."""
    spoken = [step for step in steps if step.lag is not None]
    if not spoken:
        return {}
    drawn = {"lag.png": _picture(spoken, _lag), "delays.png": _picture(spoken, _delays)}
    return drawn | ({"sessions.png": _picture(spoken, _sessions)} if len(spoken) > 1 else {})


def _picture(steps: Sequence[Step], draw: Callable[[Axes, Sequence[Step]], None]) -> bytes:
    figure = Figure(figsize=SIZE_INCHES, dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    draw(axes, steps)
    axes.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    out = BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def _lag(axes: Axes, steps: Sequence[Step]) -> None:
    """A point for each clause, and the median of each tenth of the talk."""
    for number, step in enumerate(steps):
        colour = COLOURS[number % len(COLOURS)]
        heard = [clause for one in step.sessions for clause in one.clauses if clause.heard_delay_s is not None]
        places = [clause.source_stop_s / 60 for clause in heard]
        lags = [clause.heard_delay_s or 0.0 for clause in heard]
        axes.scatter(places, lags, s=9, color=colour, alpha=0.35, linewidths=0)
        axes.plot(*_tenths(places, lags), color=colour, linewidth=1.8, marker="o", markersize=3, label=_label(step))
    axes.set(xlabel="minute of the talk", ylabel="seconds behind the end of the source", title="Lag over time")
    axes.set_ylim(bottom=0)


def _tenths(places: Sequence[float], values: Sequence[float]) -> tuple[list[float], list[float]]:
    """The median value in each tenth of the span of the places, at its middle; empty tenths are left out."""
    width = max(places) / 10 or 1.0
    found: dict[int, list[float]] = {}
    for place, value in zip(places, values, strict=True):
        found.setdefault(min(9, int(place / width)), []).append(value)
    return [(tenth + 0.5) * width for tenth in sorted(found)], [median(found[tenth]) for tenth in sorted(found)]


def _delays(axes: Axes, steps: Sequence[Step]) -> None:
    """How large a part of the clauses was there in time: solid the ear-voice span, dashed the lag, dotted the text."""
    kinds: tuple[tuple[str, str, Callable[[Clause], float | None]], ...] = (
        ("ear-voice span", "-", lambda clause: clause.ear_voice_s),
        ("lag", "--", lambda clause: clause.heard_delay_s),
        ("text", ":", lambda clause: clause.text_delay_s),
    )
    for number, step in enumerate(steps):
        for name, style, of in kinds:
            values = [of(clause) for one in step.sessions for clause in one.clauses]
            known = sorted(value for value in values if value is not None)
            part = [(place + 1) / len(known) for place in range(len(known))]
            colour = COLOURS[number % len(COLOURS)]
            axes.step(known, part, style, where="post", color=colour, label=f"{name}, {_label(step)}")
    axes.axhline(0.95, color="#999999", linewidth=0.8)
    axes.set(xlabel="seconds", ylabel="part of the clauses", title="Delays of the clauses", ylim=(0, 1.01))
    axes.set_xlim(left=0)


def _sessions(axes: Axes, steps: Sequence[Step]) -> None:
    """The 95th percentiles as the sessions become more."""
    sizes = [len(step.sessions) for step in steps]
    for number, (name, spreads) in enumerate(
        (
            ("ear-voice span", [step.ear_voice for step in steps]),
            ("lag", [step.lag for step in steps]),
            ("text", [step.text for step in steps]),
        )
    ):
        values = [spread.p95 if spread else 0.0 for spread in spreads]
        axes.plot(sizes, values, marker="o", color=COLOURS[number], label=name)
    axes.set(xlabel="sessions at once", ylabel="95th percentile, s", title="Sessions at once", xticks=sizes)
    axes.set_ylim(bottom=0)


def _label(step: Step) -> str:
    count = len(step.sessions)
    return "1 session" if count == 1 else f"{count} sessions"
