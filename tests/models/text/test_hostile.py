"""Texts of the greatest length that a client may send, made to be slow. What took the square of its time would take
minutes for each."""

from collections.abc import Callable

import pytest

from dragoman.models.base import LanguagePair
from dragoman.models.text.canonical import canonical
from dragoman.models.text.finishing import finished
from dragoman.models.text.plain import plain
from dragoman.models.text.spoken import spoken
from dragoman.models.text.written_out import written_out

LENGTH = 65_536
EN_ES = LanguagePair("en", "es")

PARTS = [
    "a", " ", "\n", "\n ", "*", "**", "*a", "a* ", "_", "_a", "[", "[](", "[a](b", "![", "[^", "`", "~~", "~a ",
    "<b", "<b>", "\U0001f602", "\U0001f602 ", "#", "# ", "#a", "a# ", "> ", "|", "|-", "- ", "\n- ", "\n1. a", "\\",
    ".", " .", " ,a", "a.", "p. 5 ", "Fig. ", "av.  ", "1", "1,", "1.", "1,234", "1 234 ", "1\u202f234\u202f", "$",
    "$1", "$1 ", "1$", "%", "1% ", ".5", "1.2.3.", "at 5.30 ", "a/", "a/b ", "'", "don't ", "who'd never ", "'tis ",
    "gotta ", "ain't", "<unk>", "\u2047", "\u2581", "\u0301\u0323", "a\u0301", "\u0323\u0301", "\u200d", "\u00a0",
    "\U0001d41b", "\uff21\uff0c", "\u0915\u094d", "( ", "'a", "x'd ",
]  # fmt: skip

FUNCTIONS: list[Callable[[str], str]] = [
    canonical,
    plain,
    lambda text: written_out(text, "en"),
    lambda text: spoken(text, "en"),
    lambda text: finished(text, text, EN_ES),
]


@pytest.mark.parametrize("function", FUNCTIONS, ids=["canonical", "plain", "written_out", "spoken", "finished"])
@pytest.mark.timeout(120)
def test_long_texts_take_time_in_proportion(function: Callable[[str], str]) -> None:
    for part in PARTS:
        function(f"x{part * (LENGTH // len(part))}x")
