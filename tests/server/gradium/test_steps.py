"""The clock of `speech/asr`, and the rule that turns hang on: words come before the steps that let one end."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.server.protocols.gradium.steps import HORIZONS_S, Step, Steps


def spoken(*, delay_s: float | None = 0.8) -> Steps:
    """Somebody has spoken from 1 s to 2 s, and no word is out; 3 s have come in."""
    steps = Steps(delay_s)
    steps.come(1.2)
    list(steps.take())
    steps.started(1.0)
    steps.come(3.0)
    return steps


def test_there_is_one_for_each_80_ms_at_whatever_pace_they_come() -> None:
    steps = Steps(0.8)
    taken: list[Step] = []
    for at_s in (0.02, 0.08, 0.3, 10.0):
        steps.come(at_s)
        taken += steps.take()
    assert [step.number for step in taken] == list(range(125))
    assert [step.total_s for step in taken] == pytest.approx([0.08 * (number + 1) for number in range(125)])


def test_before_anybody_speaks_it_is_silence() -> None:
    steps = Steps(0.8)
    steps.come(0.08)
    (step,) = steps.take()
    assert len(step.inactive) == len(HORIZONS_S)
    assert min(step.inactive) > 0.9


def test_steps_wait_for_words() -> None:
    steps = spoken()
    assert max(step.total_s for step in steps.take()) == pytest.approx(1.76), "0.8 s behind the start"
    steps.said(1.5)
    assert max(step.total_s for step in steps.take()) == pytest.approx(2.24)
    steps.heard()
    assert max(step.total_s for step in steps.take()) == pytest.approx(2.96)


def test_who_is_owed_words_sees_nobody_fall_silent() -> None:
    steps = spoken(delay_s=None)
    speech = list(steps.take())
    assert {max(step.inactive) < 0.4 for step in speech} == {True}
    assert speech[-1].total_s == pytest.approx(2.96)
    steps.owe(0)
    steps.stopped(4.0)
    steps.heard()
    steps.come(5.0)
    speech = list(steps.take())
    assert {max(step.inactive) < 0.4 for step in speech} == {True}
    assert speech[-1].total_s == pytest.approx(4.0), "silence waits for the translation"
    steps.settle(0)
    calm = list(steps.take())
    assert [calm[0].inactive[at] >= 0.4 for at in range(4)] == [True] * 4
    assert all(one.inactive <= two.inactive for one, two in pairwise(calm))
    assert min(calm[3].inactive) > 0.9


def test_silence_behind_speech_waits_for_its_words() -> None:
    """Else a recogniser that takes longer than the pause, or a client that sends a file, would join two turns."""
    steps = spoken()
    list(steps.take())
    steps.stopped(2.0)
    steps.started(2.5)
    steps.said(1.9)
    assert max(step.total_s for step in steps.take()) == pytest.approx(2.0)
    steps.heard()
    assert max(step.inactive[2] for step in steps.take() if step.total_s <= 2.5) > 0.9


def test_steps_that_come_late_are_of_speech_where_there_was_speech() -> None:
    steps = spoken()
    list(steps.take())
    steps.said(2.0)
    steps.heard()
    late = {step.total_s: step.inactive for step in steps.take()}
    assert max(late[2.0]) < 0.4
    assert late[2.16][0] > 0.5
    assert min(late[2.4]) > 0.9


def test_a_segment_behind_another_is_waited_for_from_its_start() -> None:
    steps = spoken()
    steps.started(2.5)
    steps.come(5.0)
    steps.heard()
    assert max(step.total_s for step in steps.take()) == pytest.approx(3.28)
    steps.heard()
    assert max(step.total_s for step in steps.take()) == pytest.approx(4.96)


def test_between_two_segments_that_came_at_once_there_is_silence() -> None:
    steps = spoken()
    steps.stopped(2.0)
    steps.started(6.0)
    steps.come(8.0)
    steps.said(2.0)
    steps.heard()
    told = {step.total_s: step.inactive[2] for step in steps.take()}
    assert told[4.0] > 0.9
    assert told[6.08] < 0.4


def test_the_end_owes_nothing() -> None:
    steps = spoken()
    steps.owe(3)
    steps.end(3.0)
    assert [step.number for step in steps.take()][-1] == 36


moves = st.sampled_from(["come", "start", "word", "heard", "owe", "settle", "stop", "take"])


@given(st.lists(st.tuples(moves, st.floats(0, 3)), max_size=60))
def test_whatever_happens_steps_come_in_order_and_words_in_time(happenings: list[tuple[str, float]]) -> None:
    steps, now_s, starts, told_s, taken = Steps(0.8), 0.0, list[float](), 0.0, list[Step]()
    for kind, amount in happenings:
        match kind:
            case "come":
                now_s += amount
                steps.come(now_s)
            case "start" if not starts or now_s > starts[-1]:
                starts.append(now_s)
                told_s = now_s if len(starts) == 1 else told_s
                steps.started(now_s)
            case "word" if starts:
                told_s = max(told_s, min(now_s, told_s + amount))
                steps.said(told_s)
            case "heard" if starts:
                starts.pop(0)
                told_s = max(told_s, starts[0]) if starts else told_s
                steps.heard()
            case "owe":
                steps.owe(0)
            case "settle":
                steps.settle(0)
            case "take":
                new = list(steps.take())
                taken += new
                assert not starts or all(step.total_s <= told_s + 0.8 + 1e-5 for step in new)
                assert not starts or all(max(step.inactive) < 0.4 for step in new if step.total_s > starts[0])
            case "stop":
                steps.stopped(now_s)
    assert [step.number for step in taken] == list(range(len(taken)))
    assert all(step.total_s <= now_s + 1e-5 for step in taken)
