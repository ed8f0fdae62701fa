"""What a model is given of a text, and what becomes of the rest."""

import cProfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models.engines.firefox.pieces import MOST_TOKENS, Kept, Piece, Vocabulary, pieces
from tests.fakes.vocabulary import FakeVocabulary
from tests.models.engines.firefox.texts import HOSTILE

VOCABULARY: Vocabulary = FakeVocabulary()  # type: ignore[assignment]


def put_together(text: str, *, marks: bool = True) -> str:
    """The text, as a model would leave it that translates nothing."""
    made = [piece.finish(piece.text) if piece.text else piece.before for piece in pieces(text, VOCABULARY, marks=marks)]
    assert None not in made
    return "".join(part or "" for part in made)


def asked_of(text: str) -> list[str]:
    return [piece.text for piece in pieces(text, VOCABULARY) if piece.text]


@pytest.mark.parametrize("marks", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        "Hello world.", "", "  ", "\n\n", " one. Two! Three?  ", "hello\n\nworld\n", "😀 good 🙏🏽 morning 👍",
        "Xv0x and Xv7x", "a <b>bold</b> word", "it costs $1,250.50 or €5.99 today",
        "see https://example.org/a?b=c, please",
        "Привет мир and hello 你好", "x" * 500, "12 monkeys", "no. " * 50, "word " * 500, "a,b," * 300,
    ],
)  # fmt: skip
def test_put_together_again_nothing_is_missing(text: str, marks: bool) -> None:
    assert put_together(text, marks=marks) == text


@given(st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=200))
def test_no_ascii_is_lost(text: str) -> None:
    assert put_together(text) == text


@pytest.mark.parametrize("marks", [True, False])
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_have_pieces(text: str, marks: bool) -> None:
    for piece in pieces(text, VOCABULARY, marks=marks):
        assert VOCABULARY.tokens(piece.text) <= MOST_TOKENS
        piece.text.encode()


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("One two. Three.", ["One two.", "Three."]),
        ("Dr. Smith left. He ran.", ["Dr. Smith left.", "He ran."]),
        ("one\ntwo", ["one", "two"]),
        ("good morning 👍", ["good morning"]),
        ("👍", []),
        ("?! ...", []),
        ("a ☂ b ☂ c", ["a Xv0x b Xv1x c"]),
        ("a <b>bold</b> word", ["a Xv0x bold Xv1x word"]),
        ("a \U0001f469\u200d\U0001f469\u200d\U0001f467 b", ["a Xv0x b"]),
        ("I live in 東京 and love it", ["I live in Xv0x and love it"]),
        ("Привет мир and hello", ["and hello"]),
        ("it costs $1,250.50 now", ["it costs Xv0x now"]),
        ("5,99 € are enough", ["are enough"]),
        ("it costs 1,250.50 dollars", ["it costs 1,250.50 dollars"]),
        ("“Well” – it’s Dvořák", ["Well\" - it's Dvorák"]),
        ("HELLO WORLD, HELLO", ["Hello world, hello"]),
        ("NASA", ["NASA"]),
        ("a\0b\ud800c\x07", ["abc"]),
    ],
)
def test_what_the_model_is_asked(text: str, asked: list[str]) -> None:
    assert [part.removeprefix('"') for part in asked_of(text)] == asked


@pytest.mark.parametrize(
    "text", ["word " * 10_000, "one two, three " * 3_000, "字" * 5_000, "ab" * 20_000, "á" * 5_000]
)
def test_nothing_is_longer_than_a_model_takes(text: str) -> None:
    asked = asked_of(text)
    assert all(VOCABULARY.tokens(part) <= MOST_TOKENS for part in asked)
    assert put_together(text) == text


@pytest.mark.parametrize("unit", ["$1 ", "👍 ", " ", "\n", "a 👍 ", "<", "<a", "1,", "https://a.b ", "a, ", "Xv0x "])
def test_time_grows_with_the_length_and_not_with_its_square(unit: str) -> None:
    calls: list[int] = []
    for length in (20_000, 40_000):
        profile = cProfile.Profile()
        text = unit * (length // len(unit))
        profile.enable()
        list(pieces(text, VOCABULARY))
        profile.disable()
        calls.append(sum(entry.callcount for entry in profile.getstats()))
    assert calls[1] < 3 * calls[0]


def test_long_sentences_are_cut_at_commas() -> None:
    text = ", ".join(["one two three four five six seven"] * 20)
    assert len(asked := asked_of(text)) > 1
    assert all(part.endswith(",") for part in asked[:-1])


def test_capitals_come_back() -> None:
    [piece] = pieces("HELLO WORLD", VOCABULARY)
    assert piece.finish("olá mundo") == "OLÁ MUNDO"


@pytest.mark.parametrize("translation", ["nothing", "Xv0x", "Xv0x Xv1x Xv1x", "Xv0x Xv2x"])
def test_a_mark_that_does_not_come_back_once_is_missed(translation: str) -> None:
    assert Piece("", "a Xv0x b Xv1x c", "", (Kept("1"), Kept("2")), "a 1 b 2 c").finish(translation) is None


def test_blanks_beside_marks_are_those_of_the_text() -> None:
    [piece] = pieces("a <b>bold</b> word", VOCABULARY)
    assert piece.finish("uma palavra Xv0x negrita Xv1x") == "uma palavra <b>negrita</b>"


def test_marks_may_change_places_and_case() -> None:
    assert Piece(" ", "a Xv0x b Xv1x c", ".", (Kept("☂"), Kept("☃")), "").finish("XV1X d xv0x e") == " ☃ d ☂ e."


@pytest.mark.parametrize("translation", ["", " ", "-", "..."])
def test_words_that_come_to_nothing_stay(translation: str) -> None:
    assert Piece(" ", "hm", "!", (), "hm").finish(translation) == " hm!"
