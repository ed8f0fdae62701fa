"""StreamLAAL on examples that can be worked out by hand."""

import pytest

from dragoman.bench.lagging import Delayed, Segment, by_segment, laal, stream_laal
from dragoman.bench.units import CHARACTER, WORD


def said(text: str, at_s: float, covered_s: float) -> list[Delayed]:
    return [Delayed(word, at_s, covered_s) for word in text.split()]


def test_a_text_that_keeps_a_second_behind_lags_a_second() -> None:
    assert laal([1.0, 2.0, 3.0], 3.0, 3) == pytest.approx(1.0)


def test_words_behind_the_end_of_the_sentence_count_once() -> None:
    # Due at 0, 1, 2, 3: 1 - 0, 4 - 1; what follows is behind the end.
    assert laal([1.0, 4.0, 5.0, 6.0], 4.0, 4) == pytest.approx((1 + 3) / 2)


def test_many_words_do_not_make_it_look_early() -> None:
    # Six words in three seconds are due every half second; three are due every second, whatever the reference has.
    assert laal([3.0] * 6, 3.0, 3) == pytest.approx(3.0)
    assert laal([1.0, 1.5, 2.0, 2.5, 2.5, 2.5], 3.0, 3) == pytest.approx((1 + 1 + 1 + 1 + 0.5 + 0) / 6)
    assert laal([1.0, 2.0, 2.5], 3.0, 6) == pytest.approx((1 + 1.5 + 1.5) / 3)


def test_what_begins_behind_the_end_lags_from_the_beginning() -> None:
    assert laal([5.0, 6.0], 4.0, 2) == 5.0


SEGMENTS = [Segment(10.0, 12.0, "uno dos"), Segment(13.0, 15.0, "tres cuatro")]


def test_the_talk_is_the_mean_of_its_sentences() -> None:
    text = [*said("uno", 11.0, 10.5), *said("dos tres", 13.5, 12.0), *said("cuatro", 16.0, 15.0)]
    found = stream_laal(text, SEGMENTS, WORD)
    assert found is not None
    # Aware: 1 - 0 and 3.5 - 1 of the first; 0.5 - 0 and 3 - 1 of the second.
    assert found.aware_s == pytest.approx(((1 + 2.5) / 2 + (0.5 + 2) / 2) / 2)
    # From the input: 0.5 - 0 and 2 - 1; of the second -1 - 0 and 2 - 1.
    assert found.unaware_s == pytest.approx(((0.5 + 1) / 2 + (-1 + 1) / 2) / 2)
    assert found.start_offset_s == pytest.approx((1.0 + 0.5) / 2)
    assert (found.sentences, found.empty) == (2, 0)


def test_sentences_without_words_are_left_out_and_counted() -> None:
    found = stream_laal(said("tres cuatro", 16.0, 15.0), SEGMENTS, WORD)
    assert found is not None
    assert (found.aware_s, found.sentences, found.empty) == (3.0, 1, 1)
    assert stream_laal([], SEGMENTS, WORD) is None
    assert stream_laal([], [], WORD) is None


def test_what_does_not_count_only_takes_its_words() -> None:
    text = [*said("uno dos", 30.0, 12.0), *said("tres cuatro", 16.0, 15.0)]
    found = stream_laal(text, [Segment(10.0, 12.0, "uno dos", counts=False), SEGMENTS[1]], WORD)
    assert found is not None
    assert (found.aware_s, found.sentences, found.empty) == (3.0, 1, 0)


def test_characters_are_units_where_there_are_no_blanks() -> None:
    text = [Delayed(letter, 2.0, 2.0) for letter in "你好吗"]
    found = stream_laal(text, [Segment(0.0, 3.0, "你好 吗")], CHARACTER)
    assert found is not None
    assert found.aware_s == pytest.approx((2 + 1 + 0) / 3)


def test_a_segment_can_be_moved() -> None:
    assert SEGMENTS[0].moved(5.0) == Segment(15.0, 17.0, "uno dos")
    assert by_segment([], SEGMENTS, WORD) == [[], []]
