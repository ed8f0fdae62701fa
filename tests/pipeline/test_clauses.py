import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models.base import Word
from dragoman.pipeline.clauses import ClauseSplitter
from dragoman.pipeline.latency import POLICIES, LatencyPolicy
from dragoman.pipeline.timing import estimate_words, join_words

EAGER = LatencyPolicy(True, cadence_s=0.5, comma_words=3, conjunction_words=5, max_delay_s=4.0)
PATIENT = POLICIES["quality"]


def words(text: str, per_word_s: float = 0.3, start_s: float = 0.0) -> list[Word]:
    tokens = text.split()
    return [
        Word(token, start_s + index * per_word_s, start_s + (index + 1) * per_word_s)
        for index, token in enumerate(tokens)
    ]


def clauses(text: str, policy: LatencyPolicy = EAGER, *, closes: bool = False, language: str = "en") -> list[str]:
    splitter = ClauseSplitter(policy)
    return [join_words(piece.words, language) for piece in splitter.push(words(text), language, closes=closes)]


def test_a_sentence_ends_where_another_word_follows() -> None:
    assert clauses("I came. You") == ["I came."]
    assert clauses("I came.") == []
    assert clauses("I came.", closes=True) == ["I came."]
    assert clauses("I came. You went. He", PATIENT, closes=True) == ["I came.", "You went.", "He"]


def test_abbreviations_end_nothing() -> None:
    assert clauses("I met Dr. Smith there. We", PATIENT) == ["I met Dr. Smith there."]


def test_a_comma_ends_a_clause_that_is_long_enough() -> None:
    assert clauses("however, it was late, so we") == ["however, it was late,"]
    assert clauses("however, it was late, so we", PATIENT) == []


def test_a_conjunction_ends_a_longer_one() -> None:
    assert clauses("we went to the sea and it rained") == ["we went to the sea"]
    assert clauses("we went and it rained") == []
    assert clauses("fuimos todos hasta el mar pero llovió", language="es") == ["fuimos todos hasta el mar"]


def test_words_do_not_wait_for_longer_than_the_delay() -> None:
    text = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    (first,) = clauses(text)
    assert first.split() == text.split()[:12]
    assert clauses(text, PATIENT) == []


def test_an_old_clause_is_cut_before_a_conjunction_if_it_has_one() -> None:
    policy = LatencyPolicy(True, cadence_s=0.5, comma_words=0, conjunction_words=0, max_delay_s=3.0)
    assert clauses("he said that the long and winding road goes on and on far", policy)[0] == (
        "he said that the long and winding road goes on"
    )


LONG = "the noisiest authorities insisted on its being received for good or for evil in the superlative degree"


def test_an_old_clause_without_conjunctions_is_cut_between_phrases() -> None:
    policy = LatencyPolicy(True, cadence_s=0.5, comma_words=0, conjunction_words=0, max_delay_s=2.0)
    splitter, found = ClauseSplitter(policy), []
    for word in words(LONG):
        found += [join_words(piece.words, "en") for piece in splitter.push([word], "en", closes=False)]
    assert found == ["the noisiest authorities insisted", "on its being received", "for good or for evil"]


def test_a_long_clause_ends_before_a_phrase() -> None:
    policy = LatencyPolicy(
        True, cadence_s=0.5, comma_words=0, conjunction_words=0, max_delay_s=float("inf"), phrase_words=4
    )
    assert clauses(LONG, policy) == [
        "the noisiest authorities insisted",
        "on its being received",
        "for good or for evil",
    ]
    splitter = ClauseSplitter(policy)
    assert splitter.push(words(LONG), "en", closes=False, by_phrases=False) == []


def test_a_phrase_is_not_parted_from_its_own_first_words() -> None:
    policy = LatencyPolicy(
        True, cadence_s=0.5, comma_words=0, conjunction_words=0, max_delay_s=float("inf"), phrase_words=2
    )
    assert clauses("she looked into the old house", policy) == ["she looked"]


def test_a_change_of_language_ends_a_clause() -> None:
    splitter = ClauseSplitter(PATIENT)
    assert splitter.push(words("guten Tag"), "de", closes=False) == []
    (piece,) = splitter.push(words("good day"), "en", closes=False)
    assert piece.language == "de"
    assert [word.text for word in piece.words] == ["guten", "Tag"]


def test_languages_without_blanks() -> None:
    splitter = ClauseSplitter(PATIENT)
    characters = estimate_words("你好。再见", 0.0, 2.0, "zh")
    (piece,) = splitter.push(characters, "zh", closes=False)
    assert join_words(piece.words, "zh") == "你好。"


@pytest.mark.parametrize("latency", ["low", "balanced", "quality"])
@given(
    text=st.lists(st.sampled_from(["a", "and", "b,", "c.", "Dr.", "D"]), max_size=40).map(" ".join),
    steps=st.lists(st.integers(1, 5)),
)
def test_nothing_is_lost_or_said_twice(latency: str, text: str, steps: list[int]) -> None:
    splitter = ClauseSplitter(POLICIES[latency])  # type: ignore[index]
    left, found = words(text), []
    for step in steps:
        found += splitter.push(left[:step], "en", closes=False)
        left = left[step:]
    found += splitter.push(left, "en", closes=True)
    assert " ".join(word.text for piece in found for word in piece.words) == text
    assert all(piece.words for piece in found)
