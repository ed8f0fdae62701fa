"""Where a connection, or the adapter of one, is: one enum for each, and only the steps forward that exist."""

from collections.abc import Collection, Mapping
from enum import Enum
from typing import TypeVar

PhaseT = TypeVar("PhaseT", bound=Enum)


def step(now: PhaseT, to: PhaseT, before: Mapping[PhaseT, Collection[PhaseT]]) -> PhaseT:
    """`to`, if it may come behind `now` (`before` says behind which). Raises RuntimeError: no client can cause that."""
    if now not in before[to]:
        names = " or ".join(phase.name for phase in before[to])
        raise RuntimeError(f"expected {names} before {to.name}, but it is {now.name}")
    return to
