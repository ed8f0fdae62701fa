"""An engine, and owners that are closed at the end of each test."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from dragoman.models.batching import EngineOwner
from tests.models.batching.engine import Engine, Owner
from tests.waiting import PATIENCE_S


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def make(engine: Engine) -> Iterator[Callable[..., Owner]]:
    owners: list[Owner] = []

    def build(run: Callable[[Sequence[str]], Any] | None = None, **options: Any) -> Owner:
        owners.append(EngineOwner("fake", run or engine.run, **options))
        return owners[-1]

    yield build
    engine.released.set()
    for owner in owners:
        owner.close(PATIENCE_S)
