"""What the settings beyond the usual ones change: where speech may begin, and how silence may be scattered."""

from collections.abc import Sequence
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.config.settings import ListenSettings, load_settings
from dragoman.pipeline.endpointing import Activity, Endpointer, Started, Stopped

FRAME_MS = 32
LOUD, SILENT, HESITANT = 0.9, 0.0, 0.4


def settings(**frames: Any) -> ListenSettings:
    """Settings from counts of frames (names in `_ms`) and plain values."""
    chosen: dict[str, Any] = {"min_speech_ms": 3, "end_silence_ms": 10, "long_end_silence_ms": 10, **frames}
    chosen = {name: value * FRAME_MS if name.endswith("_ms") else value for name, value in chosen.items()}
    return load_settings().listen.model_copy(update=chosen)


def run(
    probabilities: Sequence[float], levels: Sequence[float] | None = None, **changes: Any
) -> list[Started | Stopped]:
    endpointer = Endpointer(settings(**changes), FRAME_MS / 1000)
    levels = levels or [0.0] * len(probabilities)
    pushed = [endpointer.push(one, level) for one, level in zip(probabilities, levels, strict=True)]
    return [change for change in pushed if change is not None]


def test_the_opening_of_a_session_may_need_more_speech_than_later() -> None:
    burst = [SILENT] * 40 + [LOUD] * 5 + [SILENT] * 40
    assert run(burst * 2, opening_min_speech_ms=5) == [Started(40), Stopped(45), Started(125), Stopped(130)]
    assert run(burst * 2, opening_min_speech_ms=6) == []
    long = [LOUD] * 6 + [SILENT] * 50
    assert run(long + burst, opening_min_speech_ms=6) == [Started(0), Stopped(6), Started(96), Stopped(101)]


@pytest.mark.parametrize(("gap", "heard"), [(0, False), (30, False), (32, True), (60, True)])
def test_speech_right_behind_a_segment_may_need_more_speech_than_later(gap: int, heard: bool) -> None:
    first = [LOUD] * 5 + [SILENT] * 10
    found = run(first + [SILENT] * gap + [LOUD] * 5 + [SILENT] * 20, interrupt_min_speech_ms=6)
    assert len(found) == (4 if heard else 2)
    interrupting = run(first + [LOUD] * 6 + [SILENT] * 20, interrupt_min_speech_ms=6)
    assert interrupting == [Started(0), Stopped(5), Started(15), Stopped(21)]


def test_speech_that_goes_on_behind_a_flush_interrupts() -> None:
    endpointer = Endpointer(settings(interrupt_min_speech_ms=5), FRAME_MS / 1000)
    assert [endpointer.push(LOUD) for _ in range(4)][-2:] == [Started(0), None]
    assert endpointer.stop() == Stopped(4)
    assert [endpointer.push(LOUD) for _ in range(5)] == [None] * 4 + [Started(4)]


def test_frames_at_the_start_of_a_session_are_not_heard() -> None:
    assert run([LOUD] * 20 + [SILENT] * 20, ignore_start_ms=12) == [Started(12), Stopped(20)]
    assert run([LOUD] * 20 + [SILENT] * 20, ignore_start_ms=18) == []


def test_what_is_quieter_than_the_gate_starts_no_speech() -> None:
    levels = [-60.0] * 10 + [-44.9] * 10 + [-60.0] * 20
    assert run([LOUD] * 40, levels, start_level_dbfs=-45.0) == [Started(10)]
    assert run([LOUD] * 40, levels) == [Started(0)]
    assert run([LOUD] * 40, levels, start_level_dbfs=-44.0) == []
    # A quiet frame is as good as a silent one for a burst that has just begun.
    assert run([LOUD] * 5, [0.0, 0.0, -60.0, 0.0, 0.0], start_level_dbfs=-45.0) == []


def test_the_level_is_only_asked_for_where_there_is_a_gate() -> None:
    assert not Endpointer(settings(), 0.032).wants_level
    assert Endpointer(settings(start_level_dbfs=-90.0), 0.032).wants_level
    assert run([LOUD] * 5, [-inf] * 5) == [Started(0)]


def test_a_start_may_have_to_be_unbroken() -> None:
    broken = [LOUD, LOUD, HESITANT, LOUD, LOUD, LOUD]
    assert run(broken) == [Started(0)]
    assert run(broken, unbroken_start=True) == [Started(3)]


def test_silence_may_be_scattered_over_a_window() -> None:
    scattered = [LOUD] * 5 + ([SILENT] * 3 + [LOUD]) * 4 + [LOUD] * 10
    assert run(scattered) == [Started(0)]
    # The tenth silent frame of the last thirteen ends it, where the silence behind the last sound began.
    assert run(scattered, end_window_ms=13)[:2] == [Started(0), Stopped(17)]
    assert run(scattered, end_window_ms=12) == [Started(0)]


def test_hesitation_is_not_silence_within_a_window() -> None:
    assert run([LOUD] * 5 + [SILENT, HESITANT] * 9, end_window_ms=30) == [Started(0)]
    assert run([LOUD] * 5 + [SILENT, HESITANT] * 10, end_window_ms=30) == [Started(0), Stopped(5)]
    assert run([LOUD] * 5 + [SILENT, HESITANT] * 10) == [Started(0), Stopped(5)]


def test_the_window_of_one_segment_knows_nothing_of_the_one_before() -> None:
    twice = ([LOUD] * 3 + [SILENT] * 10) * 2
    assert run(twice, end_window_ms=40) == [Started(0), Stopped(3), Started(13), Stopped(16)]


def test_a_long_segment_ends_sooner_within_a_window_too() -> None:
    speech = [LOUD] * 100 + [SILENT] * 5
    assert run(speech, end_window_ms=20, long_segment_s=3.0, long_end_silence_ms=5) == [Started(0), Stopped(100)]
    assert run(speech, end_window_ms=20, long_segment_s=4.0, long_end_silence_ms=5) == [Started(0)]


def test_a_window_shorter_than_its_silence_is_as_long_as_it() -> None:
    assert run([LOUD] * 5 + [SILENT] * 10, end_window_ms=2) == [Started(0), Stopped(5)]


probability = st.sampled_from([0.0, 0.2, 0.4, 0.5, 0.7, 1.0]) | st.floats(0, 1)
tuned = st.fixed_dictionaries(
    {},
    optional={
        "threshold": st.floats(0, 1),
        "negative_threshold": st.floats(0, 1),
        "start_level_dbfs": st.floats(-100, 0) | st.just(-inf),
        "ignore_start_ms": st.integers(0, 20),
        "min_speech_ms": st.integers(0, 12),
        "opening_min_speech_ms": st.integers(0, 12),
        "interrupt_min_speech_ms": st.integers(0, 12),
        "interrupt_within_ms": st.integers(0, 40),
        "unbroken_start": st.booleans(),
        "end_silence_ms": st.integers(1, 20),
        "end_window_ms": st.integers(0, 30),
        "long_segment_s": st.floats(0.1, 5),
        "long_end_silence_ms": st.integers(1, 20),
    },
)


@given(st.lists(st.tuples(probability, st.floats(-100, 0)), max_size=300), tuned)
def test_whatever_is_chosen_starts_and_stops_alternate_and_keep_their_promises(
    frames: list[tuple[float, float]], changes: dict[str, Any]
) -> None:
    chosen = settings(**changes)
    endpointer = Endpointer(chosen, FRAME_MS / 1000)
    negative = min(chosen.negative_threshold, chosen.threshold)
    last: Started | Stopped = Stopped(0)
    for number, (one, level) in enumerate(frames):
        change = endpointer.push(one, level)
        if change is None:
            continue
        assert type(change) is not type(last)
        assert last.frame <= change.frame <= number
        if isinstance(change, Started):
            assert number >= chosen.ignore_start_ms / FRAME_MS
            assert frames[change.frame][0] >= chosen.threshold
            assert frames[change.frame][1] >= chosen.start_level_dbfs
            if chosen.unbroken_start:
                assert all(heard >= chosen.threshold for heard, _ in frames[change.frame : number + 1])
        else:
            silent = sum(heard < negative for heard, _ in frames[last.frame : number + 1])
            if chosen.end_window_ms:
                assert silent >= min(chosen.end_silence_ms, chosen.long_end_silence_ms) / FRAME_MS
            assert all(heard < chosen.threshold for heard, _ in frames[change.frame : number + 1])
        last = change
    assert (endpointer.activity is Activity.SPEECH) == isinstance(last, Started)
