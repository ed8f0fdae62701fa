"""What a way of translating is worth, by the table in `config/worth.toml`, which says how it was measured."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import NamedTuple

from dragoman.models.base import LanguagePair


class Step(NamedTuple):
    """One translation on a way, and the engine that makes it."""

    pair: LanguagePair
    engine: str


@dataclass(frozen=True, slots=True)
class Worth:
    """chrF of a way, 0 to 100. Where it was not `measured` it is an estimate."""

    chrf: float
    measured: bool

    def __str__(self) -> str:
        return f"{self.chrf:.1f}" if self.measured else f"about {self.chrf:.0f}"


@dataclass(frozen=True, slots=True)
class WorthTable:
    """What is known: `routes` by their names ("en firefox pt apertium es"), and `engines` for steps without a measure.

    `other` is for engines that are not named; each further step of an estimate keeps `kept` of it. A recogniser's own
    English must be `margin` better than what translators do.
    """

    routes: Mapping[str, float]
    engines: Mapping[str, float]
    other: float
    kept: float
    margin: float

    def of(self, steps: Sequence[Step]) -> Worth:
        """What a way of at least one step is worth: what was measured of it, else as much as its worst step, less
        something for each further one."""
        if (chrf := self.routes.get(route_name(steps))) is not None:
            return Worth(chrf, measured=True)
        least = min(self._step(step) for step in steps)
        return Worth(least * self.kept ** (len(steps) - 1), measured=False)

    def _step(self, step: Step) -> float:
        return self.routes.get(route_name([step]), self.engines.get(step.engine, self.other))


def route_name(steps: Sequence[Step]) -> str:
    """A way as the table names it: languages, and between two of them the engine."""
    return " ".join([steps[0].pair.source, *(f"{step.engine} {step.pair.target}" for step in steps)])


@cache
def worth_table() -> WorthTable:
    """The packaged table."""
    text = resources.files("dragoman.config").joinpath("worth.toml").read_text(encoding="utf-8")
    return read_table(text)


def read_table(text: str) -> WorthTable:
    """A table in TOML. Raises ValueError for another form."""
    table = tomllib.loads(text)
    try:
        estimate = table["estimate"]
        return WorthTable(
            {str(name): float(chrf) for name, chrf in table["routes"].items()},
            {str(name): float(chrf) for name, chrf in estimate["engines"].items()},
            float(estimate["other"]),
            float(estimate["kept"]),
            float(estimate["own_english_margin"]),
        )
    except (KeyError, AttributeError, TypeError) as error:
        raise ValueError(f"this is no table of what routes are worth ({error!r})") from error
