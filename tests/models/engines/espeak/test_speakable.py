"""What becomes of a text before espeak-ng gets it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models.engines.espeak.speakable import LONGEST_RUN, speakable

TEXTS = st.text() | st.text(st.sampled_from("ab.' -\u0301\u0915\u093f中")) | st.text("ae.", min_size=100)


@given(TEXTS)
def test_one_clean_line(text: str) -> None:
    cleaned = speakable(text)
    assert cleaned == " ".join(cleaned.split())
    assert not any(ord(character) < 32 for character in cleaned)
    assert "\0" not in cleaned
    cleaned.encode("utf-8")


@given(TEXTS)
def test_no_run_is_too_long_and_nothing_is_lost(text: str) -> None:
    cleaned = speakable(text)
    assert max(map(len, cleaned.split()), default=0) <= LONGEST_RUN
    if cleaned:
        said = [character for character in text if unicodedata.category(character) not in {"Cc", "Cs"}]
        left = "".join(said).replace(".", "").split()
        assert "".join(cleaned.replace(".", "").split()) == "".join(left)


@given(TEXTS)
def test_again_it_stays_as_it_is(text: str) -> None:
    assert speakable(speakable(text)) == speakable(text)


@pytest.mark.parametrize(
    "text",
    [
        "Hello there, Mr. O'Neill!",
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk",  # 53
        "x" * LONGEST_RUN,
        "https://example.org/a/path?with=a&query=of#some-length",
        "U.S.A., e.g. the F.B.I. and the C.I.A., i.e. a.m. and p.m.",
        "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.",  # 16
        "1.2.3.4 and 12.07.2026 and 3.14159",
        "中文没有空格，但是句子不长。",
        "สวัสดีครับ",
    ],
)
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert speakable(text) == text


@pytest.mark.parametrize(
    ("run", "parts"),
    [
        ("a" * 61, ["a" * 60, "a"]),
        ("a" * 150, ["a" * 60, "a" * 60, "a" * 30]),
        ("a" * 40 + "-" + "b" * 60, ["a" * 40 + "-", "b" * 60]),  # behind a mark
        ("a" * 10 + "-" + "b" * 60, ["a" * 10 + "-" + "b" * 49, "b" * 11]),  # but not so early
        ("字" * 35 + "，" + "字" * 50, ["字" * 35 + "，", "字" * 50]),
        ("e\u0301" * 31, ["e\u0301" * 30, "e\u0301"]),
        ("ab" + "e\u0301" * 29 + "\u0302x", ["ab" + "e\u0301" * 28, "e\u0301\u0302x"]),  # an accent stays where it is
        ("a" + "\u0301" * 80, ["a" + "\u0301" * 59, "\u0301" * 21]),  # there is no better place
    ],
)
def test_a_long_run_is_parted(run: str, parts: list[str]) -> None:
    assert speakable(f"He wrote {run} yesterday").split()[2:-1] == parts


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("e.g." * 10, "e.g." * 7 + "e.g " + "e.g.e.g."),
        ("e.g. " * 10, "e.g. " * 7 + "e.g " + "e.g. e.g."),
        ("a. " * 18, "a. " * 15 + "a a. a."),
        ("中." * 18, "中." * 15 + "中 中.中."),
        ("😝.x." * 9, "😝.x." * 7 + "😝.x 😝.x."),
    ],
)
def test_a_long_abbreviation_is_parted(text: str, made: str) -> None:
    assert speakable(text) == made


@pytest.mark.parametrize(
    "text", ["", " ", "...", "—", "¿?", "\0", "\x01", "\n\n", "\ud800", "🙂", "[[", "<>", "." * 99]
)
def test_nothing_to_say(text: str) -> None:
    assert speakable(text) == ""
