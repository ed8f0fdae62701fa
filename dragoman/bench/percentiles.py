"""Percentiles, by one method everywhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor

METHOD = "linear interpolation between the two nearest ranks (Hyndman and Fan's type 7, numpy's default)"


def percentile(values: Iterable[float], percent: float) -> float:
    """The `percent`-th percentile, `percent` in [0, 100]. Raises ValueError where there are no values."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values")
    if not 0 <= percent <= 100:
        raise ValueError(f"percent must be in [0, 100], not {percent:g}")
    place = (len(ordered) - 1) * percent / 100
    below = floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


@dataclass(frozen=True, slots=True)
class Spread:
    """A set of figures in short, all in the unit of the figures: how many, median, 95th percentile, extremes."""

    count: int
    p50: float
    p95: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread | None":
        """None where there are no values."""
        ordered = sorted(values)
        if not ordered:
            return None
        return cls(len(ordered), percentile(ordered, 50), percentile(ordered, 95), ordered[0], ordered[-1])


def median(values: Iterable[float]) -> float:
    """The 50th percentile."""
    return percentile(values, 50)
