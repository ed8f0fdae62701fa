"""Pieces of text until there is enough to speak."""

from hypothesis import given
from hypothesis import strategies as st

from dragoman.server.protocols.sarvam.speech.buffer import TextBuffer


def test_sentences_are_spoken_where_enough_waits() -> None:
    buffer = TextBuffer()
    assert buffer.put("Hello. How are", 50, 150) == []
    assert buffer.put(" you? I am fine, and so is everybody else he", 50, 150) == ["Hello. How are you?"]
    assert buffer.put("re.", 50, 150) == []
    assert buffer.take() == [" I am fine, and so is everybody else here."]
    assert buffer.take() == []


def test_what_has_no_end_is_spoken_when_it_is_long() -> None:
    buffer = TextBuffer()
    said = buffer.put("word " * 25, 50, 60)
    assert [len(piece) for piece in said] == [60, 60]
    assert len(buffer) == 5
    assert TextBuffer().put("x" * 130, 50, 60) == ["x" * 60, "x" * 60]


def test_blanks_are_nothing_to_say() -> None:
    buffer = TextBuffer()
    assert buffer.put(" " * 200, 50, 60) == []
    assert buffer.take() == []


@given(st.lists(st.text("ab .?।", max_size=40), max_size=20), st.integers(1, 60), st.integers(1, 60))
def test_nothing_is_lost_and_little_waits(pieces: list[str], least: int, most: int) -> None:
    buffer, said = TextBuffer(), ""
    for piece in pieces:
        said += "".join(buffer.put(piece, least, most))
        assert len(buffer) < most
    said += "".join(buffer.take())
    assert "".join(said.split()) == "".join("".join(pieces).split())
