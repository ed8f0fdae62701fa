"""Texts before hibari gets them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models.engines.hibari.readable import sentences
from dragoman.models.text.spoken import spoken


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("It costs $5.99, or €20.", ["It costs $5.99, or €20 ."]),
        ("He won $1.5 million. So what?", ["He won $1.5 million.", "So what?"]),
        ("1,250.50 ¥", ["¥1,250.50"]),
        ("Dr. Smith, e.g. Mr. Jones vs. St. Paul.", ["Dr. Smith, e.g. Mr. Jones vs. St. Paul."]),
        ("Call 555-1234. No. 5 is in.", ["Call 555-1234 .", "number 5 is in."]),
        ("See www.example.com or me@example.co.uk.", ["See W W W dot example dot com or me@example dot co dot uk."]),
        ("at 5 p.m. in the U.S.", ["at 5 p.m. in the U.S."]),
        ("[sic] [word](/wˈɜɹd/) {x}", ["sic word (/wˈɜɹd/) x"]),
        ("4111111111111111", [" ".join("4111111111111111")]),
        ("123,456,789,012,345", ["123,456,789,012,345"]),
        ("İstanbul", ["Istanbul"]),
        ("… — ?!", []),
        ("[{}]", []),
        ("\0\ud800", []),
    ],
)
def test_what_is_read(text: str, read: list[str]) -> None:
    assert sentences(spoken(text, "en")) == read


@given(st.text(max_size=300))
def test_nothing_that_breaks_it_is_left(text: str) -> None:
    for sentence in sentences(text):
        assert not set(sentence) & set("[]{}\n\r\t")
        assert len(sentence.lower()) == len(sentence)
        assert all(len(word) <= 80 for word in sentence.split())
