"""How many sessions fit, from what engines did for what came in."""

import math
from typing import ClassVar

import pytest

from dragoman.models.base import Batching
from dragoman.models.batching import BatchRecord
from dragoman.pipeline.stages.speak import S_PER_CHARACTER
from dragoman.server.failures import TooManySessions
from dragoman.server.limits import Admission
from dragoman.server.load import HALF_LIFE_S, LoadMeter
from dragoman.server.metrics import Metrics


class FakeClock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


STAGES = {"whisper": "recognise", "speakers": "identify", "argos": "translate", "espeak": "speak"}


def call(name: str, run_s: float, size: int = 1, finals: int = 1, *, failed: bool = False) -> BatchRecord:
    return BatchRecord(name, size, 0.0, run_s, 0, finals, failed)


def test_nothing_is_known_at_first() -> None:
    meter = LoadMeter(cores=2, now=FakeClock())
    assert meter.capacity(1.0) == math.inf
    meter.audio(10.0)
    meter.engine(call("whisper", 5.0))
    assert meter.capacity(1.0) == math.inf


def test_the_scarcest_engine_decides() -> None:
    meter = LoadMeter(cores=100, now=FakeClock())
    meter.engines({"whisper": Batching(workers=2), "espeak": Batching()}, STAGES)
    meter.audio(100.0)
    meter.engine(call("whisper", 20.0))  # 0.2 of a worker for each session, of which there are two
    meter.engine(call("espeak", 5.0))
    assert meter.capacity(1.0) == pytest.approx(10)
    assert meter.capacity(0.5) == pytest.approx(5)
    meter.engine(call("espeak", 15.0))  # now 0.2 of the only one
    assert meter.capacity(1.0) == pytest.approx(5)


def test_all_engines_share_the_cores() -> None:
    meter = LoadMeter(cores=2, now=FakeClock())
    meter.engines({"one": Batching(workers=2), "two": Batching(workers=2)}, {})
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


def test_calls_that_failed_tell_of_no_work() -> None:
    meter = LoadMeter(cores=1, now=FakeClock())
    meter.audio(100.0)
    meter.engine(call("one", 10.0))
    meter.engine(call("one", 70.0, failed=True))  # a program that hung
    assert meter.capacity(1.0) == pytest.approx(10)


class Machine:
    """Two cores, and what each engine needs for a second of speech."""

    COSTS: ClassVar = {"whisper": 0.15, "speakers": 0.01, "argos": 0.05, "espeak": 0.02}

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.metrics = Metrics()
        self.meter = self.metrics.load = LoadMeter(cores=2, now=self.clock)
        self.meter.engines({name: Batching(workers=2) for name in self.COSTS}, STAGES)
        self.observer = self.metrics.observer("test")

    def hear(self, seconds: float = 1.0) -> None:
        """Somebody speaks, is translated and spoken."""
        self.observer.audio_in(seconds)
        self._work(seconds, *self.COSTS)

    def say(self, seconds: float, *, translated: bool) -> None:
        """A client gives a text."""
        for name in ("argos", "espeak") if translated else ("espeak",):
            self.observer.given(STAGES[name], round(seconds / S_PER_CHARACTER))
            self._work(seconds, name)

    def _work(self, seconds: float, *names: str) -> None:
        for name in names:
            self.metrics.engine(call(name, self.COSTS[name] * seconds))


@pytest.mark.parametrize("translated", [False, True])
@pytest.mark.parametrize("flood_s", [3.0, 60.0])
def test_texts_beside_a_speaker_leave_the_capacity_what_it_was(flood_s: float, translated: bool) -> None:
    machine = Machine()
    for _ in range(120):
        machine.hear()
        machine.clock.now_s += 1
    before = machine.meter.capacity(0.8)
    assert before == pytest.approx(0.8 / (0.23 / 2))
    for second in range(300):
        machine.hear()
        machine.say(flood_s, translated=translated)
        machine.clock.now_s += 1
        assert machine.meter.capacity(0.8) == pytest.approx(before, rel=0.01), second


def test_texts_alone_tell_of_the_engines_that_they_need() -> None:
    machine = Machine()
    machine.say(10.0, translated=False)
    assert machine.meter.capacity(1.0) == math.inf
    machine.say(90.0, translated=False)
    assert machine.meter.capacity(1.0) == pytest.approx(2 / 0.02, rel=0.01)
    machine.hear(19.0)  # too little to tell of the recogniser
    assert machine.meter.capacity(1.0) == pytest.approx(2 / 0.02, rel=0.01)
    machine.hear(181.0)
    assert machine.meter.capacity(1.0) == pytest.approx(2 / 0.23, rel=0.01)


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
