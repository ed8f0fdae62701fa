"""One form for each text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models.text.canonical import canonical


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (unicodedata.normalize("NFD", "café à l’été, ¿mañana? Ångström"), "café à l’été, ¿mañana? Ångström"),
        (unicodedata.normalize("NFD", "한글"), "한글"),
        ("𝐛𝐨𝐥𝐝 𝕱𝖗𝖆𝖐𝖙𝖚𝖗 𝓈𝒸𝓇𝒾𝓅𝓉 𝚖𝚘𝚗𝚘 𝟙𝟚𝟛", "bold Fraktur script mono 123"),
        ("ⓗⓔⓛⓛⓞ 🄷🄸 🅷🅴🅻🅻🅾 ⒜", "hello HI HELLO a"),
        ("ʜᴇʟʟᴏ ᵇᵒˡᵈ", "hello bold"),
        ("ﬁnd eﬃcient ﬂow", "find efficient flow"),
        ("Ｈｅｌｌｏ，　ｗｏｒｌｄ！ １２３．４５％", "Hello, world! 123.45%"),
        ("你好，世界！ＡＢＣ，１，２３４．５％", "你好，世界！ABC，1,234.5%"),
        ("ｶﾞｷﾞ ﾊﾟ", "ガギ パ"),
        ("ﻣﺮﺣﺒﺎ", "مرحبا"),
        ("co\u00adoperate ze\u200bro\ufeff \u2060wi\u200edth a\u200db", "cooperate zero width ab"),
        ("Ⅷ", "VIII"),
    ],
)
def test_what_is_typed_otherwise_means_the_same(typed: str, meant: str) -> None:
    assert canonical(typed) == unicodedata.normalize("NFC", meant)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain\r\n\ttext",
        "m² ½ 1º 1ª x₂ ™ № … “q” ① →",
        "35\u202f400 5,99\u00a0€",
        "می\u200cخواهم क्\u200dष",
        "👨\u200d👩\u200d👧 ❤\ufe0f",
        "你好，世界！「はい」。",
    ],
)
def test_what_has_a_meaning_of_its_own_stays(text: str) -> None:
    assert canonical(text) == text


def test_every_character_has_one_form() -> None:
    for code in range(0x20000):
        once = canonical(f"a{chr(code)}b")
        assert canonical(once) == once, hex(code)


@given(st.text())
def test_once_is_enough(text: str) -> None:
    once = canonical(text)
    assert canonical(once) == once
    assert unicodedata.is_normalized("NFC", once)


def test_more_marks_than_any_letter_has_are_left_out() -> None:
    assert len(canonical("a" + "\u0301\u0323" * 1000)) <= 31
