"""The language codes of the wire. Messages carry a code as the client spelled it; engines get the base language."""

import re

AUTO = "auto"
"""The source language is told by the recogniser."""

_KNOWN = """
ar az ba be bg bn ca cs cy da de el en eo es et eu fa fi fil fr ga gl he hi hr hu hy ia id it ja kk ko lt lv mk mn
mr ms mt nl no pl pt ro ru sk sl sr sv sw ta th tr ug uk ur vi yue zh
"""
KNOWN = frozenset(_KNOWN.split())
"""Base languages of the vendor. Whether an engine here can do one is another matter, told by another error."""

MAX_CODE = 35
"""Characters of a code (RFC 5646, 4.4.1). It comes back in every message of its target."""

_CODE = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9]{2,8})*", re.IGNORECASE)


def base_of(code: str) -> str | None:
    """The language of a code without its region, in lower case; None for what is no known language."""
    match = _CODE.fullmatch(code) if len(code) <= MAX_CODE else None
    base = match[1].lower() if match else ""
    return base if base in KNOWN else None


def same(one: str, two: str) -> bool:
    """Whether two spellings are the same code."""
    return one.lower().replace("_", "-") == two.lower().replace("_", "-")
