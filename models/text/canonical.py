"""One form for each text, however it was typed: composed letters, without styles and without what cannot be seen.

Canonical forms (NFC) are those of https://unicode.org/reports/tr15/. Compatibility forms (NFKC) would change what a
text means ("m²" to "m2", "½" to "1⁄2", "1º" to "1o"), so only those of letters and digits are taken that are the same
letter in another dress.
"""

import re
import unicodedata
from functools import cache

_STYLES = frozenset({
    "<font>", "<wide>", "<narrow>", "<initial>", "<medial>", "<final>", "<isolated>", "<circle>", "<square>",
    "<super>", "<sub>", "<compat>",
})  # fmt: skip

_DRESSED = (
    (0x0132, 0x0133), (0x013F, 0x0140), (0x01C7, 0x01CC), (0x02B0, 0x02B8), (0x02E0, 0x02E4), (0x1D2C, 0x1D6A),
    (0x1D78, 0x1DBF), (0x2071, 0x2071), (0x207F, 0x207F), (0x2090, 0x209C), (0x2102, 0x2115), (0x2119, 0x211D),
    (0x2124, 0x2138), (0x2145, 0x2149), (0x2160, 0x217F), (0x249C, 0x24E9), (0xFB00, 0xFB17), (0xFB20, 0xFB29),
    (0xFB4F, 0xFBB1),
    (0xFBD3, 0xFD3D), (0xFD50, 0xFDF9), (0xFE70, 0xFEFC), (0xFF10, 0xFF19), (0xFF21, 0xFF3A), (0xFF41, 0xFF5A),
    (0xFF66, 0xFFDC), (0x1D400, 0x1D7FF), (0x1F110, 0x1F149), (0x1FBF0, 0x1FBF9),
)  # fmt: skip
"""Where letters and digits in another dress lie."""

_ALPHABETS = (0x1F150, 0x1F170)
"""Where the letters A to Z stand on dark circles and squares, for which Unicode names no letter of their own."""

_SMALL_CAPITALS = str.maketrans("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnopqrstuvwyz")

_UNSEEN = dict.fromkeys(
    (0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x180E, 0x200B, 0x200E, 0x200F, 0x3164, 0xFEFF, 0xFFA0, 0xFFFC,
     *range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080))
)  # fmt: skip
"""Soft hyphens, blanks of no width, directions, marks of other programs. The joiners U+200C and U+200D are not among
them: in Persian, in Indian scripts and in emoji they make a difference."""

_IDLE_JOINERS = re.compile(
    "(?<![\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\u0900-\u0fff\u1000-\u109f\u1780-\u17ff\u2600-\u27bf\ufe0f"
    "\U0001f000-\U0001faff])[\u200c\u200d]+"
)
"""Joiners behind anything else."""

_VOICED = "\u3099\u309a"
_MARKS_ON_A_LETTER = 30
_LAST_MARK = 0x1E94A
"""The last character that combines with the one before it."""

_WIDE_MARKS = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F) if not chr(code).isalnum()} | {0x3000: " "}
_WIDE = re.compile("[\uff01-\uff5e\u3000]")
_EAST_ASIAN = re.compile("[\u3001-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_IN_NUMBER = re.compile(r"(?<=[0-9])[\uff0c\uff0e\uff1a\uff0f](?=[0-9])|(?<=[0-9])\uff05|[\uff04\uffe5](?=[0-9])")


def canonical(text: str) -> str:
    """`text` in its one form: letters composed and undressed, without what cannot be seen.

    Wide punctuation stays where Chinese, Japanese or Korean is written with it, but for marks inside of numbers.
    """
    if text.isascii():
        return text
    text = text.translate(_table())
    text = _crowds().sub(r"\1", text)
    if "\u200c" in text or "\u200d" in text:
        text = _IDLE_JOINERS.sub("", text)
    if _WIDE.search(text):
        if _EAST_ASIAN.search(text):
            text = _IN_NUMBER.sub(lambda mark: unicodedata.normalize("NFKC", mark[0]), text)
        else:
            text = text.translate(_WIDE_MARKS)
    return unicodedata.normalize("NFC", text)


@cache
def _table() -> dict[int, int | str | None]:
    """What stands in place of each character that is dressed or unseen."""
    table: dict[int, int | str | None] = dict(_UNSEEN)
    for first, last in _DRESSED:
        for code in range(first, last + 1):
            style = unicodedata.decomposition(chr(code)).partition(" ")[0]
            plain = unicodedata.normalize("NFKC", chr(code)).strip("()")  # "⒜" is an a
            if style in _STYLES and code not in _UNSEEN and (plain.isalnum() or plain in _VOICED):
                table[code] = plain.translate(_SMALL_CAPITALS)
    for first in _ALPHABETS:
        table |= {first + at: chr(ord("A") + at) for at in range(26)}
    return table | _SMALL_CAPITALS


@cache
def _crowds() -> re.Pattern[str]:
    """More marks on one letter than any script has, which take NFC time in proportion to their square.

    The bound is that of the stream-safe text format (UAX 15, section 13).
    """
    codes = [code for code in range(0x300, _LAST_MARK + 1) if unicodedata.combining(chr(code))]
    marks = "".join(map(chr, codes))
    return re.compile(f"([{marks}]{{{_MARKS_ON_A_LETTER}}})[{marks}]+")
