"""Texts that were written to be seen, as they are read aloud: without Markdown and pictures.

Markdown is that of https://spec.commonmark.org, with the tables and notes that many add. Chat programs and language
models give such texts. A voice would say "asterisk asterisk", "hash" and "face with tears of joy". Headings, items of
lists and rows of tables end as sentences do.
"""

import re

_SUSPECT = re.compile(
    r"[*_#`~|\[<>]|^[^\S\n]*[-+•]\s|^[-=]{3}|\n[^\S\n]*[0-9]{1,3}[.)]\s"
    r"|[\u20e3\u2300-\u23ff\u25aa-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]",
    re.MULTILINE,
)
"""What a text has in it that is not plain."""

_PICTURES = re.compile(
    r" ?[\u231a-\u23ff\u25aa-\u25fe\u2600-\u27bf\u2b00-\u2bff\u3030\u303d\U0001f000-\U0001faff]"
    r"[\u200d\ufe0e\ufe0f\u2600-\u27bf\U0001f000-\U0001faff ]*+"
)
_KEYCAP = re.compile("\ufe0f?\u20e3")

_FENCE = re.compile(r"\s*(?:`{3,}+|~{3,}+)[^`]*$")
_HEADING = re.compile(r"\s{0,3}#{1,6}\s+(?P<text>.*)")
_QUOTE = re.compile(r"\s{0,3}(?:>\s?)+")
_ITEM = re.compile(r"\s*[-*+•]\s+(?:\[[ xX]\]\s+)?")
_NUMBERED = re.compile(r"\s*[0-9]{1,3}[.)]\s+\S")
_RULES = ({"-"}, {"*"}, {"_"}, {"="})

_LINK = re.compile(
    r"!?\[(?P<text>[^\[\]]*+)\]"
    r"(?:\([^()\s]*+(?:\([^()\s]*+\)[^()\s]*+)*+(?:\s+(?:\"[^\"]*+\"|'[^']*+'))?\s*\)|\[[^\[\]]*+\])"
)
_NOTE = re.compile(r"\[\^[^\[\]\s]*+\](?::\s?)?")
_AUTOLINK = re.compile(r"<((?:https?|mailto):[^<>\s]*+)>")
_TAG = re.compile(
    r"</?(?:a|b|big|blockquote|br|code|del|div|em|h[1-6]|hr|i|img|ins|li|mark|ol|p|pre|s|small|span|strong|sub|sup|table|"
    r"td|th|tr|u|ul)\b[^<>]*+>",
    re.IGNORECASE,
)
_CODE = re.compile("`+")
_STRUCK = re.compile("~~+")
_STARS = re.compile(
    r"(?<![\\*])(?:(?<!\S)\*++(?=\S)|(?<=\S)\*++(?!\S)|(?<![0-9])\*{2,}+|\*{2,}+(?![0-9])"
    r"|(?<!\w)\*(?=\w)|(?<=\w)\*(?![\w*])|(?<=[^\w\s])\*(?=[^\w\s*]))"
)
"""Stars that open or close something; not those of a product or a power (2 * 3, 2**3)."""

_STROKES = re.compile(r"(?<![\\_\w])_++(?=\S)|(?<=[^\s_])_++(?!\w)")
_ESCAPED = re.compile(r"\\(?=[!-/:-@\[-`{-~])")

_SEVERAL = re.compile(" {2,}")

_ENDED = re.compile(r"[.,;:!?…。！？।、，]['\"”’»)\]]*$")
_EAST_ASIAN = re.compile("[\u3040-\u30ff\u3400-\u9fff]")


def plain(text: str) -> str:
    """What of `text` is to be said; it may be empty. Text without marks stays as it is."""
    if not _SUSPECT.search(text):
        return text
    lines: list[str] = []
    fenced = False
    for line in text.splitlines():
        if _FENCE.match(line):
            fenced = not fenced
        elif fenced:
            lines.append(line)
        elif (said := _line(line)) is not None:
            lines.append(said)
    return "\n".join(lines).strip()


def _line(line: str) -> str | None:
    """What of a line is to be said; None where it is only drawn."""
    line = line[quoted.end() :] if (quoted := _QUOTE.match(line)) else line
    drawn = set("".join(line.split()))
    if (drawn in _RULES and len(line.strip()) > 2) or ({"|", "-"} <= drawn <= {"|", "-", ":"}):
        return None
    if heading := _HEADING.match(line):
        return _ended(_inline(heading["text"].rstrip().rstrip("#")))
    if item := _ITEM.match(line):
        return _ended(_inline(line[item.end() :]))
    if line.lstrip().startswith("|"):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        return _ended(_inline(", ".join(cell for cell in cells if cell)))
    return _ended(_inline(line)) if _NUMBERED.match(line) else _inline(line)


def _inline(line: str) -> str:
    """A line without marks inside."""
    line = _NOTE.sub("", line)
    line = _LINK.sub(lambda link: link["text"], line)
    line = _AUTOLINK.sub(r"\1", line)
    line = _TAG.sub(" ", line)
    line = _STRUCK.sub("", _CODE.sub("", line))
    line = _ESCAPED.sub("", _STROKES.sub("", _STARS.sub("", line)))
    line = _KEYCAP.sub("", line)
    line = _PICTURES.sub(_gap, line)
    return _SEVERAL.sub(" ", line).strip()


def _gap(pictures: re.Match[str]) -> str:
    """The blank in place of pictures, if a word follows."""
    following = pictures.string[pictures.end() : pictures.end() + 1]
    return " " if following.isalnum() or following in tuple("¿¡(\"'“‘«") else ""


def _ended(line: str) -> str:
    """A line that is a sentence of its own."""
    line = line.rstrip()
    if not line or _ENDED.search(line):
        return line
    return f"{line}。" if _EAST_ASIAN.match(line[-1]) else f"{line}."
