from collections.abc import Iterable
from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.pipeline.audio.timeline import MAX_GAP_S, MIN_GAP_S, RESTART_S, Timeline

PACKET_S = 0.02


def gaps(times: Iterable[float | None], length_s: float = PACKET_S, start_s: float | None = None) -> list[float]:
    timeline = Timeline(start_s)
    return [timeline.gap_s(at_s, length_s) for at_s in times]


def steady(count: int, start_s: float = 0.0) -> list[float]:
    return [start_s + PACKET_S * number for number in range(count)]


def test_packets_without_a_gap_have_none() -> None:
    assert gaps(steady(100)) == [0.0] * 100
    assert gaps(repeat(None, 100)) == [0.0] * 100


@pytest.mark.parametrize("start_s", [0.0, -0.0065, 0.3, 7_200.0, 2e9])
def test_times_begin_anywhere(start_s: float) -> None:
    found = gaps(steady(50, start_s) + steady(50, start_s + 50 * PACKET_S + 5.0))
    assert found == [*[0.0] * 50, pytest.approx(5.0, abs=1e-5), *[0.0] * 49]


def test_or_where_it_is_said() -> None:
    assert gaps(steady(3, 2.5), start_s=0.5) == [2.0, 0.0, 0.0]
    assert gaps(steady(3, 0.55), start_s=0.5) == [0.0] * 3


@pytest.mark.parametrize("jitter_s", [0.003, 0.03, 0.09])
def test_jitter_is_no_gap(jitter_s: float) -> None:
    times = [at_s + jitter_s * (number % 3 == 1) for number, at_s in enumerate(steady(5_000))]
    assert not any(gaps(times))


def test_jitter_beyond_all_measure_does_not_grow() -> None:
    times = [at_s + 0.3 * (number % 7 == 5) for number, at_s in enumerate(steady(5_000))]
    assert sum(gaps(times)) == pytest.approx(0.3)


def test_a_clock_that_goes_wrong_by_little_is_followed() -> None:
    fast, slow = ([at_s * rate for at_s in steady(180_000)] for rate in (1.0001, 0.9999))
    assert sum(gaps(fast)) == pytest.approx(0.36, abs=MIN_GAP_S)
    assert max(gaps(fast)) < MIN_GAP_S + PACKET_S
    assert not any(gaps(slow))


def test_lost_packets_make_a_gap_together() -> None:
    times = [at_s for number, at_s in enumerate(steady(1_000)) if number % 10]
    found = gaps(times)
    assert sum(found) == pytest.approx(100 * PACKET_S, abs=MIN_GAP_S)
    assert min(gap for gap in found if gap) > MIN_GAP_S


def test_discontinuous_transmission_keeps_its_time() -> None:
    """A packet in 400 ms, for twenty minutes."""
    times = [0.4 * number for number in range(3_000)]
    assert sum(gaps(times)) == pytest.approx(0.4 * 2_999 - PACKET_S * 2_999)


def test_no_gap_is_longer_than_half_a_minute() -> None:
    assert gaps([0.0, PACKET_S + 29.5]) == [0.0, 29.5]
    assert gaps([0.0, 3_600.0, 3_600.0 + PACKET_S, 3_601.0]) == [0.0, MAX_GAP_S, 0.0, pytest.approx(0.96)]


def test_nor_are_many_of_them_without_end() -> None:
    found = gaps([60.0 * number for number in range(1_000)])
    assert sum(found) <= 60 + 20 * 1_000 * PACKET_S
    assert found[1:3] == [MAX_GAP_S] * 2
    spent = [60.0 * number for number in range(100)]
    assert not any(gaps([*spent, *steady(500, spent[-1] + PACKET_S)])[100:]), "what was not put in stays out"
    after_speech = gaps([*(60.0 * number for number in range(10)), *steady(100, 600.0), 660.0])
    assert after_speech[-1] == MAX_GAP_S


def test_times_that_go_back_begin_anew() -> None:
    found = gaps([*steady(100, 50.0), *steady(100), *steady(100, 2.0 + 4.0)])
    assert [round(gap, 6) for gap in found if gap] == [4.0]
    little = gaps([*steady(100), *steady(100, 2.0 - RESTART_S / 2), *steady(100, 4.0 + 1.0)])
    assert sum(little) == pytest.approx(1.0)


def test_a_new_stream_has_times_of_its_own() -> None:
    timeline = Timeline()
    timeline.gap_s(0.0, PACKET_S)
    timeline.restart()
    assert timeline.gap_s(1_000.0, PACKET_S) == 0.0
    assert timeline.gap_s(1_001.0, PACKET_S) == pytest.approx(1.0 - PACKET_S)


def test_pieces_without_times_are_counted_between_those_that_have_some() -> None:
    assert gaps([None, 5.0, None, None, 5.0 + 3 * PACKET_S, None, 6.0]) == [0, 0, 0, 0, 0, 0, pytest.approx(0.9)]


@given(st.lists(st.floats(-1e12, 1e12) | st.none(), max_size=60), st.floats(0.0025, 0.12))
def test_any_times_are_taken(times: list[float | None], length_s: float) -> None:
    found = gaps(times, length_s)
    assert all(gap == 0 or 0 < gap <= MAX_GAP_S for gap in found)
    assert sum(found) <= 60 + 20 * length_s * len(times)
