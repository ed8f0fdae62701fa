"""The context of a start message: an object of background, terms to hear and terms to translate, or plain text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any

import msgspec

from dragoman.models.text.canonical import canonical
from dragoman.server.failures import BadMessage, Fault
from dragoman.server.protocols.soniox.messages import convert

MAX_CHARACTERS = 10_000
"""In all of it together."""


@dataclass(frozen=True, slots=True)
class Context:
    """What of the context is used here: names and terms to expect, and translations that are insisted on."""

    terms: tuple[str, ...] = ()
    translations: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


class _Pair(msgspec.Struct):
    key: str
    value: str


class _Translation(msgspec.Struct):
    source: str
    target: str


_Few = msgspec.Meta(max_length=MAX_CHARACTERS)


class _Context(msgspec.Struct, kw_only=True):
    general: Annotated[list[_Pair], _Few] | Annotated[dict[str, str], _Few] | None = None
    text: str | None = None
    terms: Annotated[list[str], _Few] | None = None
    translation_terms: Annotated[list[_Translation], _Few] | Annotated[dict[str, str], _Few] | None = None


def parse_context(context: dict[str, Any] | str | None) -> Context:
    """Read the context. Raises BadMessage."""
    if context is None:
        return Context()
    if isinstance(context, str):
        _check_length(len(context))
        return Context()
    found: _Context = convert(context, _Context, "context")
    general = found.general or {}
    pairs = list(general.items()) if isinstance(general, dict) else [(pair.key, pair.value) for pair in general]
    terms = found.terms or []
    wanted = found.translation_terms or {}
    translations = wanted if isinstance(wanted, dict) else {pair.source: pair.target for pair in wanted}
    texts = [found.text or "", *terms, *(text for pair in [*pairs, *translations.items()] for text in pair)]
    _check_length(sum(map(len, texts)))
    heard = (canonical(term).strip() for term in terms)
    insisted = {canonical(source): canonical(target) for source, target in translations.items()}
    return Context(tuple(dict.fromkeys(term for term in heard if term)), insisted)


def _check_length(characters: int) -> None:
    if characters > MAX_CHARACTERS:
        raise BadMessage(f"context is longer than {MAX_CHARACTERS} characters", Fault.SETUP)
