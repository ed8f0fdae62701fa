"""Translations that a client insists on, for translators that know nothing of glossaries.

Each source term is taken out of the text and a mark that translators leave alone is put in its place: a made-up proper
name with a number, since both statistical and rule-based translators copy what they do not know. A mark that does not
come back leaves the translator's own text; nothing else is lost.
"""

import re
from collections.abc import Mapping, Sequence

_MARK = "Xq{}x"
_FOUND = re.compile(r"\bXq([0-9]+)x\b", re.IGNORECASE)


def protect(text: str, terms: Mapping[str, str]) -> tuple[str, list[str]]:
    """The text with a mark for each term in it, and what the marks stand for, by number. Longer terms go first."""
    kept: list[str] = []
    if not terms or _FOUND.search(text):
        return text, kept
    wanted = {source.casefold(): target for source, target in terms.items() if source.strip()}
    if not wanted:
        return text, kept
    longest_first = sorted(wanted, key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)

    def mark(match: re.Match[str]) -> str:
        kept.append(wanted.get(match[0].casefold(), match[0]))
        return _MARK.format(len(kept) - 1)

    return pattern.sub(mark, text), kept


def restore(text: str, kept: Sequence[str]) -> str:
    """The text with what the marks stand for."""
    return _FOUND.sub(lambda match: kept[int(match[1])] if int(match[1]) < len(kept) else match[0], text)
