from pathlib import Path

import numpy as np
import pytest

from bench.targets import Heard, section
from dragoman.bench import report
from dragoman.bench.machine import About
from dragoman.bench.processes import Usage
from dragoman.bench.talk import Talk


def heard(targets: tuple[str, ...], cpu_s: float) -> Heard:
    sounds = {target: {"a": 1.5 + number, "b": 3.5 + number} for number, target in enumerate(targets)}
    return Heard(targets, {"a": 1.0, "b": 3.0, "silent": 9.0}, sounds, Usage(10.0, cpu_s, cpu_s))


def test_delays_and_the_cost_of_each_further_target(tmp_path: Path) -> None:
    runs = [heard(("es", "fr", "pt")[:count], cpu_s) for count, cpu_s in ((1, 2.0), (2, 2.5), (3, 2.6))]
    assert runs[1].delays("fr") == [1.5, 1.5]
    assert runs[0].delays("fr") == []
    found = section(runs, Talk("talk", np.zeros(24_000, np.int16)))
    assert found.figures["1_targets_es_p50_s"] == pytest.approx(0.5)
    assert found.figures["target_2_over_first_ratio"] == pytest.approx(0.25)
    assert found.figures["target_3_over_first_ratio"] == pytest.approx(0.05)
    written = report.write(tmp_path, About.here([], []), [found])
    assert report.read(written)["figures"]["targets.3_targets_cpu_s"] == pytest.approx(2.6)
