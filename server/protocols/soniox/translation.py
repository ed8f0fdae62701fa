"""The translation block of a start message, in the three generations that clients still send.

1  {"target_language", "source_languages", …}, without a `type`: the rules of its tables are enforced
2  {"type": "one_way", "target_language", "source_languages", …} and {"type": "two_way", …}
3  the same without `source_languages`: any language to any other
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import msgspec

from dragoman.models.plan import TargetWish
from dragoman.server.failures import BadMessage, Fault, quoted
from dragoman.server.protocols.soniox.languages import LANGUAGES
from dragoman.server.protocols.soniox.messages import Languages, convert

ANY = ["*"]

MORE_SOURCES: Mapping[str, frozenset[str]] = {
    "pt": frozenset({"es"}),
    "es": frozenset({"pt"}),
    "de": frozenset({"fr"}),
    "fr": frozenset({"de"}),
    "zh": frozenset({"ja", "ko"}),
    "ja": frozenset({"zh", "ko"}),
    "ko": frozenset({"zh", "ja"}),
}
"""What the first generation translates to these languages beside English."""


@dataclass(frozen=True, slots=True)
class Translating:
    """What is to be translated. `sides` are the two languages of a conversation, none where any may be spoken."""

    targets: tuple[TargetWish, ...]
    sides: frozenset[str] = frozenset()


class _Block(msgspec.Struct, kw_only=True):
    type: str | None = None
    target_language: str | None = None
    source_languages: Languages | None = None
    exclude_source_languages: Languages | None = None
    two_way_target_language: str | None = None
    language_a: str | None = None
    language_b: str | None = None


def parse_translation(block: Any, terms: Mapping[str, str]) -> Translating:
    """Read the block; `terms` are translations to insist on. Raises BadMessage naming the field that is wrong."""
    if not isinstance(block, dict):
        raise BadMessage("translation must be an object", Fault.SETUP)
    found: _Block = convert(block, _Block, "translation")
    if found.type is None:
        return _first_generation(found, terms)
    if found.type == "two_way":
        return _conversation(found, terms)
    if found.type != "one_way":
        _refuse("type", f"is '{quoted(found.type)}': use one_way or two_way")
    target = _language("target_language", found.target_language)
    sources, excluded = _languages("source_languages", found.source_languages, any_too=True), _excluded(found)
    return Translating((_one_way(target, sources, excluded, terms),))


def _first_generation(block: _Block, terms: Mapping[str, str]) -> Translating:
    """One target for listed sources, or all to English, or all to English and English back."""
    target, other = _language("target_language", block.target_language), block.two_way_target_language
    if not block.source_languages:
        _refuse("source_languages", "is missing")
    if other is not None:
        return _two_way_first(block, target, _language("two_way_target_language", other), terms)
    if target == "en":
        if block.source_languages != ANY:
            _refuse("source_languages", 'must be ["*"] where target_language is en')
        return Translating((_one_way(target, frozenset(), _excluded(block), terms),))
    if "*" in block.source_languages:
        _refuse("source_languages", "must list languages where target_language is not en")
    if block.exclude_source_languages:
        _refuse("exclude_source_languages", 'is only allowed where source_languages is ["*"]')
    sources = _languages("source_languages", block.source_languages)
    allowed = MORE_SOURCES.get(target, frozenset()) | {"en"}
    if wrong := sorted(sources - allowed):
        _refuse("source_languages", f"holds {wrong[0]}: {target} is translated from {', '.join(sorted(allowed))}")
    return Translating((_one_way(target, sources, frozenset(), terms),))


def _two_way_first(block: _Block, target: str, other: str, terms: Mapping[str, str]) -> Translating:
    if target != "en":
        _refuse("target_language", "must be en where two_way_target_language is given")
    if other == "en":
        _refuse("two_way_target_language", "must be another language than en")
    if block.source_languages != ANY:
        _refuse("source_languages", 'must be ["*"] where two_way_target_language is given')
    if block.exclude_source_languages:
        _refuse("exclude_source_languages", "is not allowed where two_way_target_language is given")
    back = TargetWish(by_source={"en": other}, speaks=False, terms=terms)
    return Translating((_one_way("en", frozenset(), frozenset(), terms), back))


def _conversation(block: _Block, terms: Mapping[str, str]) -> Translating:
    one, two = _language("language_a", block.language_a), _language("language_b", block.language_b)
    if one == two:
        _refuse("language_b", "must be another language than language_a")
    wish = TargetWish(by_source={one: two, two: one}, speaks=False, terms=terms)
    return Translating((wish,), frozenset({one, two}))


def _one_way(target: str, sources: frozenset[str], excluded: frozenset[str], terms: Mapping[str, str]) -> TargetWish:
    """Speech that is in the target language already is only transcribed, and so is what nothing here translates."""
    return TargetWish(target, sources=sources, excluded=excluded | {target}, speaks=False, terms=terms, lenient=True)


def _excluded(block: _Block) -> frozenset[str]:
    return _languages("exclude_source_languages", block.exclude_source_languages)


def _language(name: str, code: str | None) -> str:
    if code is None:
        _refuse(name, "is missing")
    if code not in LANGUAGES:
        _refuse(name, f"is '{quoted(code)}', which is not a supported language code")
    return code


def _languages(name: str, codes: list[str] | None, *, any_too: bool = False) -> frozenset[str]:
    """The languages of a list; none for all."""
    if any_too and codes == ANY:
        return frozenset()
    return frozenset(_language(name, code) for code in codes or [])


def _refuse(name: str, what: str) -> NoReturn:
    raise BadMessage(f"translation.{name} {what}", Fault.SETUP)
