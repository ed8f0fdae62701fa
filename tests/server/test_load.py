import math

import pytest

from dragoman.models.base import Batching
from dragoman.models.batching import BatchRecord
from dragoman.server.failures import TooManySessions
from dragoman.server.limits import Admission
from dragoman.server.load import HALF_LIFE_S, LoadMeter


class FakeClock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def call(name: str, run_s: float, size: int = 1, finals: int = 1) -> BatchRecord:
    return BatchRecord(name, size, 0.0, run_s, 0, finals)


def test_nothing_is_known_at_first() -> None:
    meter = LoadMeter(cores=2, now=FakeClock())
    assert meter.capacity(1.0) == math.inf
    meter.audio(10.0)
    meter.engine(call("whisper", 5.0))
    assert meter.capacity(1.0) == math.inf


def test_the_scarcest_engine_decides() -> None:
    meter = LoadMeter(cores=100, now=FakeClock())
    meter.engines({"whisper": Batching(workers=2), "espeak": Batching()})
    meter.audio(100.0)
    meter.engine(call("whisper", 20.0))  # 0.2 of a worker for each session, of which there are two
    meter.engine(call("espeak", 5.0))
    assert meter.capacity(1.0) == pytest.approx(10)
    assert meter.capacity(0.5) == pytest.approx(5)
    meter.engine(call("espeak", 15.0))  # now 0.2 of the only one
    assert meter.capacity(1.0) == pytest.approx(5)


def test_all_engines_share_the_cores() -> None:
    meter = LoadMeter(cores=2, now=FakeClock())
    meter.engines({"one": Batching(workers=2), "two": Batching(workers=2)})
    meter.audio(100.0)
    meter.engine(call("one", 10.0))
    meter.engine(call("two", 10.0))
    assert meter.capacity(1.0) == pytest.approx(10)


def test_partials_give_way_and_do_not_count() -> None:
    meter = LoadMeter(cores=1, now=FakeClock())
    meter.audio(100.0)
    meter.engine(call("one", 50.0, size=1, finals=0))
    meter.engine(call("one", 20.0, size=4, finals=2))
    assert meter.capacity(1.0) == pytest.approx(10)


def test_old_measurements_fade() -> None:
    clock = FakeClock()
    meter = LoadMeter(cores=1, now=clock)
    meter.audio(400.0)
    meter.engine(call("one", 400.0))
    clock.now_s = HALF_LIFE_S * 2
    meter.audio(100.0)
    assert meter.capacity(1.0) == pytest.approx(2)
    clock.now_s = HALF_LIFE_S * 20
    assert meter.capacity(1.0) == math.inf


def test_admission_lets_in_as_many_as_fit_and_always_one() -> None:
    capacity = 2.7
    admission = Admission(32, lambda: capacity)
    first, second = admission.enter(), admission.enter()
    with pytest.raises(TooManySessions, match="2 sessions"):
        admission.enter()
    capacity = 0.2
    first.leave()
    with pytest.raises(TooManySessions):
        admission.enter()
    second.leave()
    admission.enter()
