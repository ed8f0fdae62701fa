from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.config.settings import ListenSettings, load_settings
from dragoman.pipeline.endpointing import Activity, Endpointer, Started, Stopped

FRAME_S = 0.032


def settings(**changes: Any) -> ListenSettings:
    chosen = {"end_silence_ms": 480, "long_segment_s": 6.0, "long_end_silence_ms": 256, **changes}
    return load_settings().listen.model_copy(update=chosen)


def run(probabilities: Sequence[float], **changes: Any) -> list[Started | Stopped]:
    endpointer = Endpointer(settings(**changes), FRAME_S)
    changes_seen = [endpointer.push(probability) for probability in probabilities]
    return [change for change in changes_seen if change is not None]


def test_speech_starts_at_its_first_frame_and_stops_at_the_first_of_the_silence() -> None:
    assert run([0.0] * 10 + [0.9] * 20 + [0.0] * 30) == [Started(10), Stopped(30)]


def test_a_short_burst_is_not_speech() -> None:
    assert run([0.9] * 2 + [0.0] * 30, min_speech_ms=96) == []


def test_hesitation_between_the_thresholds_changes_nothing() -> None:
    assert run([0.9] * 5 + [0.4] * 100) == [Started(0)]
    assert run([0.4] * 100) == []
    assert run([0.9] * 5 + [0.0] * 10 + [0.4] * 4 + [0.0] * 10) == [Started(0), Stopped(5)]


def test_a_pause_shorter_than_the_limit_does_not_end_a_segment() -> None:
    assert run([0.9] * 5 + [0.0] * 14 + [0.9] * 5) == [Started(0)]
    assert run([0.9] * 5 + [0.0] * 15) == [Started(0), Stopped(5)]


def test_a_long_segment_ends_at_a_shorter_pause() -> None:
    long = round(6.0 / FRAME_S) + 1
    assert run([0.9] * long + [0.0] * 8) == [Started(0), Stopped(long)]
    assert run([0.9] * (long - 20) + [0.0] * 8) == [Started(0)]


def test_stop_ends_an_open_segment_where_its_silence_began() -> None:
    endpointer = Endpointer(settings(), FRAME_S)
    assert endpointer.stop() is None
    for probability in [0.9] * 5 + [0.0] * 3:
        endpointer.push(probability)
    assert endpointer.stop() == Stopped(5)
    assert endpointer.activity is Activity.SILENCE
    assert endpointer.stop() is None


@given(st.lists(st.floats(0, 1), max_size=300))
def test_starts_and_stops_alternate_and_are_in_order(probabilities: list[float]) -> None:
    changes = run(probabilities)
    kinds = [type(change) for change in changes]
    assert kinds == [Started, Stopped] * (len(kinds) // 2) + [Started] * (len(kinds) % 2)
    frames = [change.frame for change in changes]
    assert frames == sorted(frames)


@pytest.mark.parametrize("negative", [0.35, 0.9])
def test_a_negative_threshold_over_the_threshold_is_pulled_down(negative: float) -> None:
    assert run([0.6] * 10 + [0.0] * 20, negative_threshold=negative) == [Started(0), Stopped(10)]


def test_events_are_values() -> None:
    assert replace(Started(1), frame=2) == Started(2)
