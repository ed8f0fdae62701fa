import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dragoman.pipeline.segment import OpenSegment
from tests.fakes.engines import silence, tone


def test_grows_and_is_cut() -> None:
    segment = OpenSegment(5.0)
    segment.append(np.arange(16_000, dtype=np.float32))
    segment.append(np.arange(8_000, dtype=np.float32))
    assert segment.duration_s == 1.5
    assert segment.stop_s == 6.5
    head = segment.cut(0.5)
    assert len(head) == 8_000
    assert segment.start_s == 5.5
    assert segment.duration_s == 1.0
    assert segment.samples[0] == 8_000


@given(st.lists(st.integers(0, 5_000), max_size=8), st.floats(-1, 3))
def test_no_sample_is_lost_by_a_cut(lengths: list[int], at_s: float) -> None:
    segment = OpenSegment(0.0)
    whole = np.arange(sum(lengths), dtype=np.float32)
    start = 0
    for length in lengths:
        segment.append(whole[start : start + length])
        start += length
    head = segment.cut(at_s)
    assert np.array_equal(np.concatenate([head, segment.samples]), whole)
    assert segment.start_s == len(head) / 16_000


def test_the_quietest_point_is_in_the_gap() -> None:
    segment = OpenSegment(0.0)
    for piece in (tone(2.0), silence(0.2), tone(2.0), tone(0.5, level=0.01), tone(1.0)):
        segment.append(piece)
    assert 2.0 <= segment.quietest(1.0, 3.5) <= 2.2
    assert 4.2 <= segment.quietest(3.5, 5.5) <= 4.7


def test_a_span_too_short_to_look_into_is_cut_in_its_middle() -> None:
    segment = OpenSegment(0.0)
    segment.append(tone(1.0))
    assert segment.quietest(0.4, 0.5) == 0.45


def test_a_draft_is_good_as_long_as_the_beginning_is_the_same() -> None:
    segment = OpenSegment(0.0)
    segment.append(np.zeros(16_000, np.float32))
    segment.draft = (1, 2, 3)
    segment.append(np.zeros(16_000, np.float32))
    assert segment.draft == (1, 2, 3)
    segment.cut(0.5)
    assert segment.draft == ()
