"""Terms that the recogniser is told to expect: from a prompt, which is free text, or from a list of key terms."""

import re

import msgspec

from dragoman.models.text.canonical import canonical
from dragoman.server import wire
from dragoman.server.failures import BadMessage, Fault, quoted

MAX_TERMS = 50
MAX_TERM_CHARACTERS = 64
MAX_PROMPT_TERMS = 200
MAX_PROMPT_CHARACTERS = 10_000
"""More of either than any recogniser takes in."""

_terms = msgspec.json.Decoder(list[str])

_BETWEEN = re.compile(r"[,;\n।]+")


def terms_of(prompt: str) -> tuple[str, ...]:
    """The pieces of a prompt: what stands between commas, semicolons and line ends, without repetitions."""
    pieces = (" ".join(piece.split()) for piece in _BETWEEN.split(canonical(prompt[:MAX_PROMPT_CHARACTERS])))
    return tuple(dict.fromkeys(piece for piece in pieces if piece))[:MAX_PROMPT_TERMS]


def key_terms(text: str) -> tuple[str, ...]:
    """A JSON array of terms. Raises BadMessage."""
    if not text.strip():
        return ()
    try:
        terms = wire.decode(text, _terms)
    except wire.NotJson as error:
        raise BadMessage(f"keyterms must be a JSON array of strings: {error}", Fault.SETUP) from error
    if len(terms) > MAX_TERMS:
        raise BadMessage(f"keyterms has {len(terms)} terms: at most {MAX_TERMS} are allowed", Fault.SETUP)
    for term in terms:
        if len(term) > MAX_TERM_CHARACTERS:
            raise BadMessage(
                f"keyterm '{quoted(term)}…' has {len(term)} characters: at most {MAX_TERM_CHARACTERS} are allowed",
                Fault.SETUP,
            )
    return tuple(dict.fromkeys(" ".join(term.split()) for term in map(canonical, terms) if term.strip()))
