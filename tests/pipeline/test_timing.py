from hypothesis import given
from hypothesis import strategies as st

from dragoman.models.base import Word
from dragoman.pipeline.timing import begin_at, count_words, estimate_words, join_words, shift_words, spans


def test_words_share_a_span_by_their_letters() -> None:
    words = estimate_words("a bbb", 10.0, 16.0)
    assert [(word.text, word.start_s, word.stop_s) for word in words] == [("a", 10.0, 12.0), ("bbb", 12.0, 16.0)]
    assert estimate_words("", 0.0, 1.0) == ()


def test_estimated_words_keep_their_confidences() -> None:
    assert [word.confidence for word in estimate_words("a bbb", 0.0, 1.0, "en", (0.5, 0.9))] == [0.5, 0.9]
    assert [word.confidence for word in estimate_words("a bbb", 0.0, 1.0)] == [None, None]


def test_shift() -> None:
    assert shift_words((Word("a", 0.0, 1.0, 0.5),), 2.0) == (Word("a", 2.0, 3.0, 0.5),)


def test_the_first_word_begins_where_speech_does() -> None:
    words = (Word("a", 1.0, 2.0, 0.5), Word("b", 2.0, 3.0))
    assert begin_at(words, 1.4) == (Word("a", 1.4, 2.0, 0.5), words[1])
    for start_s in (0.5, 1.0, 2.0, 2.5):  # whoever says so of a whole word is mistaken: words have a length
        assert begin_at(words, start_s) == words
    assert begin_at((), 1.0) == ()


def test_spans_follow_the_words() -> None:
    words = (Word("One", 0.0, 0.5), Word("two.", 0.6, 1.0), Word("Three.", 2.0, 3.0))
    assert spans(["One two.", "Three."], words, 0.0, 3.0) == [(0.0, 1.0), (2.0, 3.0)]


@given(st.lists(st.lists(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=5), min_size=1, max_size=5))
def test_spans_are_in_order_even_when_the_words_do_not_match(tokens: list[list[str]]) -> None:
    found = spans([" ".join(words) for words in tokens], (), 1.0, 5.0)
    flat = [edge for span in found for edge in span]
    assert flat == sorted(flat)
    assert flat[0] == 1.0
    assert abs(flat[-1] - 5.0) < 1e-9


def test_words_of_a_language_without_blanks() -> None:
    words = estimate_words("你好 世界", 0.0, 4.0, "zh")
    assert [word.text for word in words] == ["你", "好", "世", "界"]
    assert words[-1].stop_s == 4.0
    assert join_words(words, "zh") == "你好世界"
    assert count_words("你好 世界", "zh") == 4
    assert count_words("hello world", "en") == 2
