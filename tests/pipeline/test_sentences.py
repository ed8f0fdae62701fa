import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.pipeline.sentences import sentence_ends, split_sentences, words_of


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", []),
        ("   ", []),
        ("One only", ["One only"]),
        ("One. Two? Three!", ["One.", "Two?", "Three!"]),
        ('He said "stop." Then he left.', ['He said "stop."', "Then he left."]),
        ("Dr. Who met Mr. Smith. They talked.", ["Dr. Who met Mr. Smith.", "They talked."]),
        ("It costs 3.50 now. Really.", ["It costs 3.50 now.", "Really."]),
        ("I saw J. Smith yesterday.", ["I saw J. Smith yesterday."]),
        ("Well... maybe. Yes.", ["Well...", "maybe.", "Yes."]),
        ("你好。再见。", ["你好。", "再见。"]),
    ],
)
def test_split(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


def test_an_end_without_words_behind_it_is_not_counted() -> None:
    assert sentence_ends("All of it.") == []
    assert sentence_ends("All of it.  ") == []
    assert sentence_ends("All. Of it.") == [4]


@given(st.text(alphabet="ab .!?…\"'\n", max_size=60))
def test_nothing_is_lost(text: str) -> None:
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())


def test_words() -> None:
    assert words_of("Don’t STOP, me-now!") == ["don't", "stop", "me", "now"]
