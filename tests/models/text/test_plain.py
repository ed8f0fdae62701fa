"""Texts without Markdown and pictures."""

import pytest

from dragoman.models.text.plain import plain


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("**bold**, *it*, ***both***, __bold__ and _it_", "bold, it, both, bold and it"),
        ("# Heading\nText, then\n## Another one? ##", "Heading.\nText, then\nAnother one?"),
        ("- one\n* two;\n+ [x] three\n• four", "one.\ntwo;\nthree.\nfour."),
        ("1. one\n2) two", "1. one.\n2) two."),
        ("[a link](https://x.y/z_(a)_b \"title\") and ![a picture](u)", "a link and a picture"),
        ("[text][ref], <https://a.b/c>", "text, https://a.b/c"),
        ("`code` and ``more ` code``", "code and more code"),
        ("```python\nx = 1\n```\nDone", "x = 1\nDone"),
        ("~~old~~ new", "old new"),
        ("> a quotation\n>> inside", "a quotation\ninside"),
        ("above\n\n---\n\nbelow", "above\n\n\nbelow"),
        ("| a | b |\n|---|:-:|\n| 1 | 2 |", "a, b.\n1, 2."),
        ("<b>bold</b> and<br>more", "bold and more"),
        ("a note[^1].", "a note."),
        ("\\*no star\\*", "*no star*"),
        ("**cut off. And on", "cut off. And on"),
        ("(**so**) “*so*” **So:** *so*?", "(so) “so” So: so?"),
        ("😂", ""),
        ("That is funny 😂. Really 👨\u200d👩\u200d👧 👍🏽!", "That is funny. Really!"),
        ("I ❤\ufe0f you 🇪🇸 so", "I you so"),
        ("1\ufe0f\u20e3 first", "1 first"),
        ("你好 **世界** 😂", "你好 世界"),
        ("- 你好", "你好。"),
    ],
)  # fmt: skip
def test_what_is_said(text: str, said: str) -> None:
    assert plain(text) == said


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Just text, with 'quotes' — and dashes - so.",
        "5 * 3 = 15, 5*3, 2**3 and a_b snake_case",
        "C# and #hashtag and #1",
        "3 > 2, a < b",
        "-5 degrees",
        "https://a.b/c_d_e",
        "1. First of all.",
        "© 2024 ™ ½ 1º → €",
        "[brackets] and {braces}",
        "  blanks  stay ",
    ],
)
def test_what_is_no_markdown_stays(text: str) -> None:
    assert plain(text).split() == text.split()
