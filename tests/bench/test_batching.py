"""The measurement of batches, on a model that takes no time."""

import pytest

from bench import batching
from bench.batching import Cost, Scaling, measure, section
from tests.fakes.whisper_model import Size


def test_a_small_model_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(batching.MODELS, "probe", Size())
    monkeypatch.setattr(batching, "UNBATCHED", 2)
    told: list[str] = []
    found = measure("probe", "cpu", (1, 3), threads=1, rounds=1, tell=told.append)
    assert (found.model, found.device, found.tokens) == ("probe", "cpu", 224)
    assert [(cost.sessions, cost.batch) for cost in found.batched] == [(1, 1.0), (3, 3.0)]
    assert [(cost.sessions, cost.batch) for cost in found.unbatched] == [(2, 1.0)] * 2
    assert all(cost.cpu_s > 0 and cost.wall_s > 0 for cost in [*found.batched, *found.unbatched])
    assert found.batched[1].waited_s > found.batched[1].wall_s
    assert len(told) == 5


def test_the_gain_is_over_the_mean_without_batches() -> None:
    alone = [Cost(8, 1.0, wall_s=1.0, cpu_s=2.0, waited_s=8.0), Cost(8, 1.0, wall_s=2.0, cpu_s=2.4, waited_s=8.0)]
    together = [Cost(1, 1.0, 1.5, 2.2, 1.5), Cost(8, 8.0, wall_s=0.5, cpu_s=1.1, waited_s=4.0)]
    found = section(Scaling("probe", "cpu", "int8", 224, alone, together))
    (grid,) = found.grids
    assert [row[:2] for row in grid.rows] == [["8", "no"], ["8", "no"], ["1", "yes"], ["8", "yes"]]
    assert grid.rows[3] == ["8", "yes", "8.0", "0.500", "3.00", "1.100", "2.00", "4.00"]
    assert found.figures["probe_8_cpu_gain_ratio"] == pytest.approx(2.0)
    assert found.figures["probe_8_wall_gain_ratio"] == pytest.approx(3.0)
    assert found.figures["probe_unbatched_wall_s"] == pytest.approx(1.5)
