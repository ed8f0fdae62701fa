"""What a section of the measurements gives, how it is shown, and how it is written down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from dragoman.bench.machine import About
from dragoman.bench.percentiles import METHOD

LATEST = "latest.json"


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of finished texts. `note` says what a reader must know about it."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def show(self, console: Console) -> None:
        table = Table(title=self.title, title_justify="left", box=box.SIMPLE_HEAD, caption=self.note or None)
        table.caption_justify = "left"
        for number, column in enumerate(self.columns):
            table.add_column(column, justify="right" if number else "left")
        for row in self.rows:
            table.add_row(*row)
        console.print(table)


@dataclass(frozen=True, slots=True)
class Section:
    """One group of measurements.

    `figures` are what two runs are compared by; each name ends in its unit. `details` is all that was measured,
    anything that msgspec can write.
    """

    name: str
    grids: Sequence[Grid]
    figures: Mapping[str, float]
    details: Any = field(default=None)


def write(folder: Path, about: About, sections: Sequence[Section]) -> Path:
    """Write the run to `<date>.json` and to `latest.json` in `folder`; returns the path of the former."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "about": about,
        "percentiles": METHOD,
        "figures": {f"{one.name}.{name}": value for one in sections for name, value in one.figures.items()},
        "details": {one.name: one.details for one in sections},
    }
    text = msgspec.json.format(msgspec.json.encode(_rounded(msgspec.to_builtins(document))), indent=1)
    path = folder / f"{about.date[:16].replace('T', '-').replace(':', '')}.json"
    for target in (path, folder / LATEST):
        target.write_bytes(text + b"\n")
    return path


def read(path: Path) -> dict[str, Any]:
    """A run that was written by `write`. Raises OSError or ValueError."""
    try:
        document: dict[str, Any] = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        if not isinstance(document.get("figures"), dict):
            raise ValueError(f"{path} holds no figures")
    except msgspec.DecodeError as error:
        raise ValueError(f"{path}: {error}") from error
    return document


def _rounded(value: Any) -> Any:
    """Floats with five decimals: ten microseconds, which is finer than anything measured here."""
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list) else value
