"""The arithmetic of the sections, on conversations that never took place."""

from collections import Counter
from dataclasses import astuple
from itertools import pairwise

import pytest

from bench.capacity import Step, section, step
from bench.crowd import Crowd, places
from bench.delay import measure
from bench.memory import Held
from bench.overhead import Overhead
from bench.overhead import section as overhead_section
from bench.replay import Costs
from bench.served import Round
from bench.soak import Look, Soaked
from bench.soak import section as soak_section
from dragoman.bench.client import Arrival, Conversation, Message
from dragoman.bench.crowd import LEAD_S, STAGGER_S, starts
from dragoman.bench.percentiles import Spread
from dragoman.bench.processes import Memory, Usage
from dragoman.bench.talk import CHUNK_S

USAGE = Usage(wall_s=10.0, family_s=5.0, machine_s=9.0)


def conversation(*clauses: tuple[float, float], began_s: float = 100.0, failure: str = "") -> Conversation:
    """One with a clause for each pair: where its source ends, and the delay of its text and its first sound."""
    arrivals = [
        Arrival(stop_s + delay_s, message)
        for stop_s, delay_s in clauses
        for message in (
            Message("text", "words", source_start_s=stop_s - 1, source_stop_s=stop_s),
            Message("audio", start_s=0.0, stop_s=0.1),
        )
    ]
    return Conversation(began_s, finished_s=20.0, ended_s=20.5, latest_s=0.01, failure=failure, arrivals=arrivals)


def test_delays_are_told_for_all_clauses_and_for_those_before_a_pause() -> None:
    rounds = [Round(conversation((2.0, 0.5), (4.0, 3.0), (6.02, 0.7)), USAGE)]
    found = measure(rounds, [2.0, 6.0, 9.0])
    assert astuple(found.spreads["sound"]) == pytest.approx((3, 0.7, 2.77, 0.5, 3.0))
    assert found.spreads["sound, clause inside a segment"].p50 == pytest.approx(3.0)
    pauses = found.spreads["sound, clause before a pause, from its end in the recording"]
    assert [pauses.least, pauses.most] == pytest.approx([0.5, 0.72])
    assert (found.ends, found.ends_found, found.latest_chunk_s) == (3, 2, 0.01)


def test_a_crowd_counts_what_was_said_while_all_spoke() -> None:
    zero_s = 100.0 - CHUNK_S
    began = conversation((1.0, 9.0), (5.0, 0.5), (6.0, 2.0), (15.0, 9.0))
    refused = Conversation(failure="too many")
    crowd = Crowd([began, refused], [0.0, 1.0], (zero_s + 4.0, zero_s + 10.0), USAGE, clients_s=1.0)
    found = step(2, crowd, [[5.0], []])
    assert found.delays is not None
    assert found.pauses is not None
    assert astuple(found.delays) == pytest.approx((2, 1.25, 1.925, 0.5, 2.0))
    assert (found.pauses.count, found.pauses.p95) == (1, 0.5)
    assert (found.refused, found.broken) == (1, 0)
    assert (found.server_cores, found.clients_cores) == (0.5, 0.1)
    assert found.others_cores == pytest.approx(0.3)
    assert found.ended_late_s == 0.5
    assert not found.holds(3.0)


def test_a_session_that_breaks_is_not_held() -> None:
    crowd = Crowd([conversation((5.0, 0.5), failure="broke")], [0.0], (0.0, 1000.0), USAGE, 1.0)
    found = step(1, crowd, [[5.0]])
    assert (found.refused, found.broken) == (0, 1)
    assert not found.holds(3.0)


def made(size: int, p95: float) -> Step:
    spread = Spread(10, 0.5, p95, 0.4, p95)
    return Step(size, spread, spread, 0, 0, 0.1 * size, 0.01, 0.0, 0.002, 0.1)


def test_the_largest_crowd_that_holds() -> None:
    found = section([made(1, 0.6), made(2, 2.9), made(3, 3.1)], 3.0, 2)
    assert found.figures["sessions_held"] == 2
    assert "2 sessions hold (" in found.grids[0].note
    assert "no more were tried" in section([made(1, 0.6)], 3.0, 2).grids[0].note
    assert section([made(1, 9.0)], 3.0, 2).figures["sessions_held"] == 0


def test_starts_are_staggered_and_repeatable() -> None:
    found = starts(5, seed=1)
    assert found == starts(5, seed=1) != starts(5, seed=2)
    assert found[0] == LEAD_S
    gaps = [later - earlier for earlier, later in pairwise(found)]
    assert all(STAGGER_S[0] <= gap <= STAGGER_S[1] for gap in gaps)


def test_speakers_are_spread_over_the_talk() -> None:
    begins = starts(6, seed=1)
    found = places(begins, 60.0, seed=1)
    assert found == places(begins, 60.0, seed=1) != places(begins, 60.0, seed=2)
    assert all(0.0 <= place_s < 60.0 for place_s in found)
    at_one_moment = [(place_s - begin_s) % 60.0 for place_s, begin_s in zip(found, begins, strict=True)]
    assert sorted(place_s // 10.0 for place_s in at_one_moment) == [0, 1, 2, 3, 4, 5]


def costs(scale: float) -> Costs:
    calls = {"detect": 10, "recognise": 5, "committed": 3, "translate": 4, "speak": 4}
    return Costs(1.0 * scale, 5.0 * scale, 3.0 * scale, 1.0 * scale, 1.0 * scale, calls)


def test_overhead_is_served_over_bare() -> None:
    assert costs(1).total_s == 8.0
    assert costs(1).least_s == 6.0
    overhead = Overhead(
        60.0, [16.0, 12.0, 99.0], [9.0, 9.0, 12.0], [costs(1.5)], [costs(1), costs(1), costs(7)], True, 0.002
    )
    figures = overhead_section(overhead).figures
    assert figures["served_of_bare_ratio"] == 2.0
    assert figures["served_of_bare_paced_ratio"] == pytest.approx(16 / 12)
    assert figures["at_once_of_bare_ratio"] == 9 / 8
    assert figures["served_of_least_ratio"] == 16 / 6
    assert figures["searches_s"] == 2.0


def test_memory_of_a_session() -> None:
    before, during = Memory(300, 200, 50, 40), Memory(340, 220, 50, 40)
    held = Held(4, before, before, [during] * 3, before, before)
    assert (held.session_rss, held.session_uss) == (10.0, 5.0)


def test_usage_in_cores() -> None:
    assert USAGE.family_cores == 0.5
    assert USAGE.others_cores(1.0) == pytest.approx(0.3)
    assert USAGE.others_cores(10.0) == 0.0


def test_a_soak_compares_its_first_third_with_its_last() -> None:
    looks = [Look(at_s, uss, 50, 20, 10, 60) for at_s, uss in [(5, 1), (70, 2**20), (75, 2**21), (80, 2**22)]]
    found = soak_section(Soaked(looks, Counter({"gradium: goodbye": 3}), Counter({"gradium": 9}), left=1))
    assert (found.figures["first_uss_mib"], found.figures["last_uss_mib"]) == (1.0, 4.0)
    assert (found.figures["first_tasks"], found.figures["sessions"], found.figures["left"]) == (60, 3, 1)
