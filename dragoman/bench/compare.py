"""`python -m bench compare A.json B.json`: the figures of two runs and their ratios."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from dragoman.bench.report import Grid, read

SHOWN = ("date", "revision", "cores", "processor", "python", "load")


def ratios(before: Mapping[str, float], after: Mapping[str, float]) -> list[tuple[str, float | None, float | None]]:
    """Each figure that either run has, in order of the first: name, and both values, None where there is none."""
    names = dict.fromkeys([*before, *after])
    return [(name, before.get(name), after.get(name)) for name in names]


def grid(before: Mapping[str, Any], after: Mapping[str, Any]) -> Grid:
    """Two runs side by side; the last column is the second divided by the first."""
    rows = [[name, *(str(run.get("about", {}).get(name, "–")) for run in (before, after)), ""] for name in SHOWN]
    for name, one, other in ratios(before["figures"], after["figures"]):
        ratio = f"{other / one:.2f}" if one and other is not None else "–"
        rows.append([name, *("–" if value is None else f"{value:.3f}" for value in (one, other)), ratio])
    return Grid("Two runs", ["figure", "A", "B", "B / A"], rows)


def compare(first: Path, second: Path, console: Console) -> None:
    """Print the comparison. Raises OSError or ValueError for a file that is no run."""
    grid(read(first), read(second)).show(console)
