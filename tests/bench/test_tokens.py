import pytest

from bench.tokens import Token, delays


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
