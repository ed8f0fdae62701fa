from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models.base import Trust, Word
from dragoman.pipeline.agreement import LocalAgreement, distance, ends_with_mark
from dragoman.pipeline.timing import estimate_words


def words(text: str, stop_s: float = 4.0) -> tuple[Word, ...]:
    return estimate_words(text, 0.0, stop_s)


def said(found: list[Word]) -> str:
    return " ".join(word.text for word in found)


def pushed(*hypotheses: str) -> list[str]:
    agreement = LocalAgreement()
    return [said(agreement.push(words(text))) for text in hypotheses]


def test_words_are_certain_when_two_hypotheses_agree() -> None:
    assert pushed("the cat", "the cat sat", "the cat sat on a", "the cat sat on a mat") == [
        "",
        "the cat",
        "sat",
        "on a",
    ]


def test_the_last_word_of_a_hypothesis_is_never_taken() -> None:
    assert pushed("the house", "the house", "the houses were", "the houses were big") == ["", "the", "", "houses were"]


def test_a_hypothesis_that_disagrees_starts_anew() -> None:
    assert pushed("a cat sat there", "the cat sat there", "the cat sat there now") == ["", "", "the cat sat there"]


TRUST = Trust(sure=0.9, doubtful=0.4)


def sure_of(text: str, *confidences: float) -> tuple[Word, ...]:
    return estimate_words(text, 0.0, 4.0, "en", confidences)


def test_a_word_of_which_the_recogniser_is_sure_is_certain_at_once() -> None:
    agreement = LocalAgreement()
    assert said(agreement.push(sure_of("the cat sat on", 0.95, 0.9, 0.5, 0.99), TRUST)) == "the cat"
    # "sat" was there before, "on" is confirmed with it; the last word is never taken, however sure it is.
    assert said(agreement.push(sure_of("the cat sat on a mat", 0.9, 0.9, 0.5, 0.6, 0.95, 0.99), TRUST)) == "sat on a"


def test_a_sure_word_is_not_taken_where_the_hypothesis_before_said_another() -> None:
    agreement = LocalAgreement()
    assert said(agreement.push(sure_of("a dog ran up", 0.5, 0.5, 0.5, 0.5), TRUST)) == ""
    assert said(agreement.push(sure_of("a cat ran up there", 0.95, 0.95, 0.95, 0.95, 0.95), TRUST)) == "a"
    assert said(agreement.push(sure_of("a cat ran up there now", *(0.5,) * 6), TRUST)) == "cat ran up there"


def test_a_doubtful_word_is_certain_only_when_more_has_followed() -> None:
    agreement = LocalAgreement()
    assert said(agreement.push(sure_of("the cad sat on", 0.8, 0.3, 0.8, 0.8), TRUST)) == ""
    assert said(agreement.push(sure_of("the cad sat on", 0.8, 0.3, 0.8, 0.8), TRUST)) == "the"
    assert said(agreement.push(sure_of("the cat sat on a", 0.8, 0.5, 0.8, 0.8, 0.5), TRUST)) == ""
    assert said(agreement.push(sure_of("the cat sat on a mat", 0.8, 0.5, 0.8, 0.8, 0.5, 0.5), TRUST)) == "cat sat on a"
    agreement = LocalAgreement()
    assert said(agreement.push(sure_of("the cad sat on a", *(0.3,) * 5), TRUST)) == ""
    assert said(agreement.push(sure_of("the cad sat on a mat", *(0.3,) * 6), TRUST)) == "the cad"


def test_without_confidences_only_agreement_counts() -> None:
    agreement = LocalAgreement()
    assert said(agreement.push(words("the cat sat"), TRUST)) == ""
    assert said(agreement.push(words("the cat sat on"), TRUST)) == "the cat sat"


def timed(*words: tuple[str, float, float]) -> list[Word]:
    return [Word(*word) for word in words]


def test_which_word_took_whose_place_is_told_by_the_times() -> None:
    """Real hypotheses of "all nouns alongside": once in three words, once in four."""
    heard = timed(("All", 0.0, 0.3), ("now", 0.3, 0.5), ("is", 0.5, 0.6), ("along", 0.6, 0.9), ("side", 0.9, 1.0))
    final = timed(("All", 0.0, 0.3), ("nouns", 0.3, 0.6), ("alongside", 0.62, 1.0), ("the", 1.0, 1.2))
    for by_times, rest in ((True, "alongside the"), (False, "the")):
        agreement = LocalAgreement()
        agreement.push(heard[:4], timed=by_times)
        assert said(agreement.push(heard[:4], timed=by_times)) == "All now is"
        assert said(agreement.finish(final, timed=by_times)) == rest


def test_a_long_word_that_swallowed_the_last_committed_one_is_said() -> None:
    heard = timed(("und", 1.0, 1.2), ("zum", 1.2, 1.4), ("gegen", 1.4, 1.8))
    final = timed(("und", 1.0, 1.2), ("zungegenüberlich", 1.2, 2.4), ("in", 2.4, 2.6))
    agreement = LocalAgreement()
    agreement.push(heard, timed=True)
    assert said(agreement.push(heard, timed=True)) == "und zum"
    assert said(agreement.finish(final, timed=True)) == "zungegenüberlich in"


def test_case_and_commas_do_not_matter_and_the_newest_is_taken() -> None:
    assert pushed("However due to the", "however, Due to the slow") == ["", "however, Due to the"]


def test_two_hypotheses_do_not_agree_on_a_word_of_which_only_one_ends_a_sentence() -> None:
    assert pushed("I saw the", "I saw. The end", "I saw. The end is", "I saw. The end is near") == [
        "",
        "I",
        "saw. The end",
        "is",
    ]


def test_what_is_committed_is_not_said_again_when_it_is_heard_differently() -> None:
    assert pushed(
        "one two three four", "one two three four five", "won to three for five six", "won to for five six x"
    ) == [
        "",
        "one two three four",
        "five",
        "six",
    ]


def test_words_that_join_or_split_behind_the_commit() -> None:
    agreement = LocalAgreement()
    for text in ("we can not go there", "we can not go there today"):
        agreement.push(words(text))
    assert said(agreement.committed) == "we can not go there"
    assert said(agreement.beyond(words("we cannot go there today or tomorrow"))) == "today or tomorrow"


def test_the_end_takes_all_that_is_left() -> None:
    agreement = LocalAgreement()
    agreement.push(words("the cat sat"))
    agreement.push(words("the cat sat on"))
    assert said(agreement.finish(words("the cat sat on the mat."))) == "on the mat."
    assert agreement.committed == []
    assert agreement.rest == []
    assert said(agreement.finish(words("next"))) == "next"


def test_a_shorter_hypothesis_takes_nothing_back() -> None:
    agreement = LocalAgreement()
    agreement.push(words("one two three four"))
    agreement.push(words("one two three four five"))
    assert agreement.push(words("one")) == []
    assert said(agreement.committed) == "one two three four"
    assert agreement.finish(()) == []


def test_times_of_committed_words_never_change_and_never_overlap() -> None:
    agreement = LocalAgreement()
    agreement.push(words("one two three", 1.0))
    agreement.push(words("one two three four", 3.0))
    before = list(agreement.committed)
    agreement.push(words("one two three four five", 2.0))
    new = agreement.push(words("one two three four five six", 2.0))
    assert agreement.committed[:3] == before
    assert new[0].start_s >= before[-1].stop_s


def test_a_cut_leaves_the_words_behind_it() -> None:
    agreement = LocalAgreement()
    agreement.push(words("One two. Three four five"))
    agreement.push(words("One two. Three four five six"))
    assert agreement.find_end(words("won two."), 2) is None
    assert agreement.find_end(words("One two."), 2) == 2
    assert agreement.find_end(words("two."), 2) is None
    agreement.drop(2)
    assert said(agreement.beyond(words("three four five six seven"))) == "six seven"


@pytest.mark.parametrize(
    ("text", "marked"), [("end.", True), ('end."', True), ("完了。", True), ("end", False), ("a,", False)]
)
def test_marks(text: str, marked: bool) -> None:
    assert ends_with_mark(text) is marked


def test_distance() -> None:
    assert distance([], ["a", "b"]) == 2
    assert distance(["a", "b", "c"], ["a", "x", "c", "d"]) == 2


TEXT = st.lists(st.sampled_from(["a", "b", "c", "d."]), max_size=12).map(" ".join)


@given(st.lists(TEXT, max_size=8), TEXT)
def test_whatever_is_heard_the_committed_words_only_grow(hypotheses: list[str], last: str) -> None:
    agreement = LocalAgreement()
    total: list[Word] = []
    for text in hypotheses:
        new = agreement.push(words(text))
        total += new
        assert agreement.committed == total
    total += agreement.finish(words(last))
    assert all(one.stop_s <= two.start_s + 1e-9 for one, two in pairwise(total))
