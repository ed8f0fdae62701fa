import pytest

from bench.tokens import Stream, Token, delays
from dragoman.bench.erasure import normalised_erasure


def test_delays_of_a_word() -> None:
    tokens = [
        Token(1.2, " Hel", 900, final=False),
        Token(1.4, " hello", 1000, final=False),
        Token(1.9, " Hello", 1100, final=True),
        Token(2.0, "<end>", None, final=True),
        Token(2.1, "Hola", None, final=True),
    ]
    found = delays(tokens)
    assert found["final"] == pytest.approx([0.8])
    assert found["non-final"] == pytest.approx([0.3])
    assert found["translation"] == pytest.approx([1.0])


def test_a_word_that_is_said_twice_is_not_taken_for_the_other() -> None:
    tokens = [Token(1.0, " no", 800, final=False), Token(9.0, " no", 8800, final=True)]
    assert delays(tokens) == {"non-final": [], "final": pytest.approx([0.2]), "translation": []}


def test_what_a_reader_saw_after_each_message() -> None:
    stream = Stream()
    stream.take([Token(1.0, "I", 500, final=False), Token(1.0, " sea", 900, final=False)])
    stream.take([Token(1.5, "I", 500, final=True), Token(1.5, " see", 900, final=False)])
    stream.take([Token(2.0, " see", 900, final=True), Token(2.0, "<end>", None, final=True)])
    stream.take([Token(2.5, "Veo", None, final=True)])
    assert stream.shown == [["I", "sea"], ["I", "see"], ["I", "see"], ["I", "see"]]
    assert normalised_erasure(stream.shown) == 0.5
    assert len(stream.tokens) == 7
