"""Texts that nobody would say, which must neither end a child nor be lost."""

HOSTILE = (
    "word " * 300, "a" * 20_000, "é" * 500, "字" * 500, "👍" * 500, "a\0b\x1bc", "\ud800 lone", "\uffff\ufffe",
    "\u202e rtl", "e" + "\u0301" * 200, "👩\u200d👩\u200d👧 family", "Привет, world, 你好, مرحبا", "{}[]<>^`~\\|",
    "<b><i>x</i></b> &amp; <br/>", "\n\n\n", "a\n\n\nb", "!" * 5_000, "no. " * 200, "1" * 5_000, "1,2,3," * 500,
    "http://" + "a" * 3_000, "Xv0x Xv1x Xq0x", "$" * 500, "$1 " * 200, "ŘÍHA řekl", "\t\x0b\x0c",
    "<" * 2_000, "<a" * 2_000,
)  # fmt: skip
