"""Pieces of text become what is to be said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.server.protocols.gradium.said import MAX_WAITING, Part, Saying


def parts(*pieces: str) -> list[Part]:
    saying = Saying()
    return [part for piece in pieces for part in saying.push(piece)] + saying.finish()


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        (("Hello.",), [Part("Hello.")]),
        (("Hello", "world.", "And", "more"), [Part("Hello world."), Part("And more")]),
        (("Hello ", "  world. \n", "\tYes. No"), [Part("Hello world."), Part("Yes."), Part("No")]),
        (("Good morning Dr.", "Smith."), [Part("Good morning Dr. Smith.")]),
        (("Hi <flush> there",), [Part("Hi"), Part("there")]),
        (("<flush>",), []),
        (('Wait <break time="1.5s" /> now.',), [Part("Wait", 1.5), Part("now.")]),
        (("Wait", "<break", 'time="0.5s"', "/>", "now"), [Part("Wait", 0.5), Part("now")]),
        (('<break time="1s"/>',), [Part("", 1.0)]),
        (('<break time="0.01s" /> <break time="99s" />',), [Part("", 0.1), Part("", 2.0)]),
        (("One. Two.", '<break time="2s">'), [Part("One. Two."), Part("", 2.0)]),
        (('a<break time="1s" />',), [Part('a<break time="1s" />')]),
        (("<b> x",), [Part("<b> x")]),
        (("", " ", "\n"), []),
    ],
)
def test_pieces(pieces: tuple[str, ...], said: list[Part]) -> None:
    assert parts(*pieces) == said


def test_the_first_sentence_waits_for_nothing() -> None:
    saying = Saying()
    assert saying.push("Hello there.") == [Part("Hello there.")]
    assert saying.push("How") == []


def test_what_never_ends_is_said_all_the_same() -> None:
    saying = Saying()
    said = [part for _ in range(40) for part in saying.push("word " * 200)]
    assert all(len(part.text) <= MAX_WAITING + 1_000 for part in said)
    assert said


@given(st.lists(st.text(alphabet='ab. <>flushbreaktime="1.5s/\n', max_size=30), max_size=8))
def test_no_letter_is_lost(pieces: list[str]) -> None:
    saying = Saying()
    said = [part for piece in pieces for part in saying.push(piece)] + saying.finish()
    whole = " ".join(" ".join(pieces).split())
    assert all(part.text in whole for part in said)
    assert all(part.pause_s == 0 or 0.1 <= part.pause_s <= 2 for part in said)
    if "<" not in whole:
        assert " ".join(part.text for part in said) == whole
