"""Guards against invented text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models.guards import collapse_repetitions, has_words, natural_rate, plausible_rate, without_loops
from tests.costs import cpu_s

words = st.sampled_from(["it", "It", "was", "was,", "the", "end.", "no", "—", "♪"])
texts = st.lists(words, max_size=40).map(" ".join)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("It was bad. It was the age. It was the age. It was the age.", "It was bad. It was the age."),
        ("He said it was the age, it was the age, IT WAS THE AGE!", "He said it was the age!"),
        ("a b c a b c a b c and on", "a b c and on"),
        # The decoder was cut off inside the loop.
        ("So it goes on and which was me, which was me, which was me, which was", "So it goes on and which was me,"),
        ("The first is the first is the first is the first is the", "The first is"),
        # A loop inside a loop.
        ("a b c a b c a b c d a b c a b c a b c d a b c a b c a b c d", "a b c d"),
    ],
)
def test_loops_are_told_once(text: str, kept: str) -> None:
    assert collapse_repetitions(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No, no, no.",
        "Very, very, very, very good",
        "Bye bye. Bye bye. Bye bye.",
        "Try again, try again, try again.",
        "Ever tried, ever failed, no matter, try again, fail again, fail better.",
        "It was the age. It was the age.",
        "It was the best of times, it was the worst of times, it was the age of wisdom",
        "row row row your boat",
    ],
)
def test_what_people_say_is_left(text: str) -> None:
    assert collapse_repetitions(text) == text


def test_text_without_a_loop_is_untouched() -> None:
    assert collapse_repetitions("  two  spaces\nand a line ") == "  two  spaces\nand a line "


@pytest.mark.parametrize(("min_words", "min_times"), [(0, 3), (3, 1)])
def test_bounds_that_make_no_sense_are_refused(min_words: int, min_times: int) -> None:
    with pytest.raises(ValueError, match="must be at least"):
        collapse_repetitions("a", min_words=min_words, min_times=min_times)


@given(texts)
def test_collapsing_again_changes_nothing(text: str) -> None:
    once = collapse_repetitions(text)
    assert collapse_repetitions(once) == once


@given(texts)
def test_only_words_of_the_text_are_kept(text: str) -> None:
    kept = collapse_repetitions(text).split()
    assert len(kept) <= len(text.split())
    assert set(kept) <= set(text.split())


@given(st.lists(st.sampled_from("abcdefgh"), min_size=3, max_size=6, unique=True), st.integers(3, 8))
def test_a_loop_of_any_length_is_told_once(phrase: list[str], times: int) -> None:
    assert collapse_repetitions(" ".join(phrase * times)) == " ".join(phrase)


@pytest.mark.parametrize("period", [1, 97])
def test_a_long_text_costs_no_more_than_the_square_of_its_length(period: int) -> None:
    texts = [" ".join(str(number % period) for number in range(count)) for count in (600, 2_400)]
    short, long = (cpu_s(lambda text=text: collapse_repetitions(text)) for text in texts)
    assert long < 2 * 16 * short + 0.05  # with the cube it would be 64 times


REPEATED = [
    "One, one, one, one, one, one, one, one, one, one.",
    "No, no, no, no, no, no, no, no, no!",
    "Five, five, five, one, two, five, five, five, one, two, five, five, five, one, two.",
    "Very very very very very very very very very good.",
    "Four more years! Four more years! Four more years! Four more years!",
    "Let it go, let it go, let it go, let it go.",
]


@pytest.mark.parametrize("text", REPEATED)
def test_what_is_repeated_in_its_time_stays(text: str) -> None:
    assert without_loops(text, len(text.split()) / 3, sure=True) == text


@pytest.mark.parametrize("text", REPEATED)
def test_what_is_a_guess_or_leaves_no_time_is_a_loop(text: str) -> None:
    told = collapse_repetitions(text)
    assert len(told) < len(text)
    assert without_loops(text, len(text.split()) / 3, sure=False) == told
    assert without_loops(text, len(text.split()) / 20, sure=True) == told


@pytest.mark.parametrize(
    ("text", "seconds", "natural"),
    [
        ("", 0.0, True),
        ("no no", 0.0, True),
        ("no " * 14, 2.0, True),
        ("no " * 15, 2.0, False),
        ("remember " * 6, 2.0, True),
        ("remember " * 7, 2.0, False),
        ("no no no", -1.0, False),
    ],
)
def test_how_fast_people_repeat_themselves(text: str, seconds: float, natural: bool) -> None:
    assert natural_rate(text, seconds) is natural


@pytest.mark.parametrize(
    ("count", "seconds", "possible"),
    [(0, 0.0, True), (2, 0.1, True), (3, 0.1, False), (29, 3.0, True), (30, 3.0, False), (3, -1.0, False)],
)
def test_the_rate_of_speech(count: int, seconds: float, possible: bool) -> None:
    assert plausible_rate("word " * count, seconds) is possible


@pytest.mark.parametrize(
    ("text", "expected"), [("", False), ("♪♪♪?", False), ("...", False), ("No.", True), ("7", True), ("日本", True)]
)
def test_words_have_letters_or_digits(text: str, expected: bool) -> None:
    assert has_words(text) is expected
