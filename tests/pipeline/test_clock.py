import pytest

from dragoman.pipeline.clock import STEP_S, InputClock


def test_delay_is_measured_from_the_arrival_of_the_chunk_that_holds_the_position() -> None:
    now = 100.0
    clock = InputClock(now=lambda: now)
    for _ in range(3):
        clock.advance(1.0)
        now += 1.0
    assert clock.received_s == 3.0
    assert clock.delay_since(0.5) == pytest.approx(3.0)
    assert clock.delay_since(1.0) == pytest.approx(3.0)
    assert clock.delay_since(2.5) == pytest.approx(1.0)
    assert clock.delay_since(3.5) is None


def test_only_the_recent_past_is_kept() -> None:
    clock = InputClock(now=lambda: 0.0, keep_s=10.0)
    for _ in range(1000):
        clock.advance(1.0)
    assert clock.delay_since(5.0) is None
    assert clock.delay_since(999.5) == 0.0


def test_audio_that_comes_sample_by_sample_is_remembered_in_steps() -> None:
    now = 0.0
    clock = InputClock(now=lambda: now, keep_s=1.0)
    for number in range(3 * 16_000):
        now = number / 16_000
        clock.advance(1 / 16_000)
    assert len(clock._positions) == len(clock._times) <= 1.0 / STEP_S + 2
    assert clock.delay_since(2.5) == pytest.approx(0.5, abs=STEP_S)
