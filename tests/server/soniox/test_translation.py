"""Which translation blocks open a session, and which field is named where one does not."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.models.plan import TargetWish
from dragoman.server.commands import Open, Send
from dragoman.server.failures import BadMessage
from dragoman.server.protocols.soniox.languages import LANGUAGES
from dragoman.server.protocols.soniox.translation import parse_translation
from tests.server.soniox.wire import START, adapter, send, told

PAIRS = {
    "pt": {"en", "es"},
    "es": {"en", "pt"},
    "de": {"en", "fr"},
    "fr": {"en", "de"},
    "zh": {"en", "ja", "ko"},
    "ja": {"en", "zh", "ko"},
    "ko": {"en", "zh", "ja"},
}
"""The vendor's table, written down a second time."""


def one_way(target: str, sources: str = "", excluded: str = "") -> TargetWish:
    return TargetWish(
        target,
        sources=frozenset(sources.split()),
        excluded=frozenset([*excluded.split(), target]),
        speaks=False,
        lenient=True,
    )


@pytest.mark.parametrize(
    ("block", "wish"),
    [
        (
            {"target_language": "en", "source_languages": ["*"], "exclude_source_languages": ["es", "pt"]},
            one_way("en", excluded="es pt"),
        ),
        ({"target_language": "en", "source_languages": ["*"]}, one_way("en")),
        ({"target_language": "de", "source_languages": ["en"]}, one_way("de", "en")),
        ({"target_language": "ko", "source_languages": ["en", "zh"]}, one_way("ko", "en zh")),
        ({"type": None, "target_language": "pt", "source_languages": ["es"]}, one_way("pt", "es")),
        ({"target_language": "sv", "source_languages": ["en"], "exclude_source_languages": []}, one_way("sv", "en")),
        ({"type": "one_way", "target_language": "fr"}, one_way("fr")),
        ({"type": "one_way", "target_language": "en"}, one_way("en")),
        ({"type": "one_way", "target_language": "th", "source_languages": ["*"]}, one_way("th")),
        ({"type": "one_way", "target_language": "th", "source_languages": ["sv", "ko"]}, one_way("th", "sv ko")),
        ({"type": "one_way", "target_language": "en", "source_languages": ["es"]}, one_way("en", "es")),
        ({"type": "one_way", "target_language": "fr", "exclude_source_languages": ["de"]}, one_way("fr", "", "de")),
    ],
)
def test_one_way(block: dict[str, Any], wish: TargetWish) -> None:
    found = parse_translation(block, {})
    assert found.targets == (wish,)
    assert found.sides == frozenset()


def test_what_one_way_makes_of_each_language() -> None:
    (wish,) = parse_translation({"target_language": "en", "source_languages": ["*"]}, {}).targets
    assert [wish.target_of(code) for code in ("fr", "th", "en")] == ["en", "en", None]
    (wish,) = parse_translation({"target_language": "ko", "source_languages": ["en", "zh"]}, {}).targets
    assert [wish.target_of(code) for code in ("en", "zh", "ja", "ko")] == ["ko", "ko", None, None]


def test_two_way_of_the_first_generation() -> None:
    block = {"target_language": "en", "source_languages": ["*"], "two_way_target_language": "es"}
    found = parse_translation(block, {"Mr": "Sr"})
    there, back = found.targets
    assert (there.target_of("fr"), there.target_of("es"), there.target_of("en")) == ("en", "en", None)
    assert (back.target_of("en"), back.target_of("es"), back.target_of("fr")) == ("es", None, None)
    assert (there.lenient, back.lenient) == (True, False)
    assert not there.speaks
    assert not back.speaks
    assert there.terms == back.terms == {"Mr": "Sr"}
    assert found.sides == frozenset()


def test_two_way_of_the_others() -> None:
    found = parse_translation({"type": "two_way", "language_a": "de", "language_b": "ja"}, {})
    (wish,) = found.targets
    assert [wish.target_of(code) for code in ("de", "ja", "en")] == ["ja", "de", None]
    assert found.sides == {"de", "ja"}
    assert not wish.speaks


@pytest.mark.parametrize(
    ("block", "named"),
    [
        ([], "translation must be an object"),
        ("es", "translation must be an object"),
        ({}, "translation.target_language is missing"),
        ({"target_language": 3}, "invalid translation: Expected str | null, got int in target_language"),
        ({"type": 3}, "in type"),
        ({"type": "three_way"}, "translation.type is 'three_way'"),
        ({"target_language": "xx"}, "translation.target_language is 'xx'"),
        ({"target_language": "English" * 40}, "translation.target_language is 'English"),
        ({"target_language": "de"}, "translation.source_languages is missing"),
        ({"target_language": "de", "source_languages": []}, "translation.source_languages is missing"),
        ({"target_language": "de", "source_languages": "en"}, "in source_languages"),
        ({"target_language": "de", "source_languages": ["*"]}, "translation.source_languages must list"),
        ({"target_language": "de", "source_languages": ["en", "*"]}, "translation.source_languages must list"),
        ({"target_language": "de", "source_languages": ["es"]}, "translation.source_languages holds es: de is"),
        ({"target_language": "de", "source_languages": ["de"]}, "translation.source_languages holds de"),
        ({"target_language": "de", "source_languages": ["qq"]}, "translation.source_languages is 'qq'"),
        ({"target_language": "en", "source_languages": ["es"]}, "translation.source_languages must be"),
        ({"target_language": "en", "source_languages": ["*", "es"]}, "translation.source_languages must be"),
        (
            {"target_language": "en", "source_languages": ["*"], "exclude_source_languages": ["q"]},
            "translation.exclude_source_languages is 'q'",
        ),
        (
            {"target_language": "de", "source_languages": ["en"], "exclude_source_languages": ["fr"]},
            "translation.exclude_source_languages is only",
        ),
        (
            {"target_language": "de", "source_languages": ["*"], "two_way_target_language": "es"},
            "translation.target_language must be en",
        ),
        (
            {"target_language": "en", "source_languages": ["*"], "two_way_target_language": "en"},
            "translation.two_way_target_language must be another",
        ),
        (
            {"target_language": "en", "source_languages": ["*"], "two_way_target_language": "qq"},
            "translation.two_way_target_language is 'qq'",
        ),
        (
            {"target_language": "en", "source_languages": ["es"], "two_way_target_language": "es"},
            "translation.source_languages must be",
        ),
        (
            {
                "target_language": "en",
                "source_languages": ["*"],
                "two_way_target_language": "es",
                "exclude_source_languages": ["fr"],
            },
            "translation.exclude_source_languages is not allowed",
        ),
        ({"type": "one_way"}, "translation.target_language is missing"),
        ({"type": "one_way", "target_language": ""}, "translation.target_language is ''"),
        (
            {"type": "one_way", "target_language": "fr", "source_languages": ["en", "*"]},
            "translation.source_languages is '*'",
        ),
        ({"type": "two_way"}, "translation.language_a is missing"),
        ({"type": "two_way", "language_a": "en"}, "translation.language_b is missing"),
        ({"type": "two_way", "language_a": "en", "language_b": "en"}, "translation.language_b must be another"),
        ({"type": "two_way", "language_a": "en", "language_b": "e"}, "translation.language_b is 'e'"),
    ],
)
def test_what_is_wrong_is_named(block: Any, named: str) -> None:
    with pytest.raises(BadMessage) as caught:
        parse_translation(block, {})
    assert named in str(caught.value)


def first_generation_allows(block: dict[str, Any]) -> bool:
    """The vendor's rules, written down a second time."""
    target, sources = block.get("target_language"), block.get("source_languages")
    excluded, other = block.get("exclude_source_languages") or [], block.get("two_way_target_language")
    if target not in LANGUAGES or not sources or not set(excluded) <= set(LANGUAGES):
        return False
    if other is not None:
        return target == "en" and sources == ["*"] and not excluded and other in LANGUAGES and other != "en"
    if target == "en":
        return sources == ["*"]
    return set(sources) <= PAIRS.get(target, {"en"}) and not excluded


codes = st.sampled_from(["en", "es", "pt", "de", "fr", "zh", "ja", "ko", "sv", "xx", "*"])
lists = st.just(["*"]) | st.lists(codes, max_size=3)
blocks = st.fixed_dictionaries(
    {},
    optional={
        "target_language": codes,
        "source_languages": lists,
        "exclude_source_languages": st.just([]) | lists,
        "two_way_target_language": codes | st.none(),
    },
)
FIELDS = ("target_language", "source_languages", "exclude_source_languages", "two_way_target_language")


@settings(max_examples=600, deadline=None)
@given(blocks)
def test_every_first_generation_block_opens_a_session_or_names_a_field(block: dict[str, Any]) -> None:
    outputs = send(adapter(), {**START, "translation": block})
    allowed = first_generation_allows(block)
    assert any(isinstance(output, Open) for output in outputs) == allowed
    if not allowed:
        (message,) = told(outputs)
        assert (message["error_code"], message["error_type"]) == (400, "invalid_request")
        assert any(message["error_message"].startswith(f"translation.{field} ") for field in FIELDS)


newer = st.fixed_dictionaries(
    {"type": st.sampled_from(["one_way", "two_way", "both"])},
    optional={
        **dict.fromkeys(("target_language", "language_a", "language_b"), codes),
        "source_languages": lists,
        "exclude_source_languages": lists,
    },
)


@settings(max_examples=400, deadline=None)
@given(newer)
def test_every_newer_block_opens_a_session_or_names_a_field(block: dict[str, Any]) -> None:
    one, two, target = (block.get(name) for name in ("language_a", "language_b", "target_language"))
    if block["type"] == "one_way":
        sources = block.get("source_languages", [])
        listed = [*(sources if sources != ["*"] else []), *block.get("exclude_source_languages", [])]
        allowed = target in LANGUAGES and set(listed) <= set(LANGUAGES)
    else:
        allowed = block["type"] == "two_way" and one in LANGUAGES and two in LANGUAGES and one != two
    outputs = send(adapter(), {**START, "translation": block})
    assert any(isinstance(output, Open) for output in outputs) == allowed
    if not allowed:
        (message,) = told(outputs)
        assert message["error_message"].startswith("translation.")


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*FIELDS, "type", "x"]), inner),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(junk)
def test_any_block_is_answered(block: Any) -> None:
    outputs = send(adapter(), json.dumps({**START, "translation": block}))
    assert any(isinstance(output, Open) for output in outputs) == (
        block is None or not any(isinstance(output, Send) for output in outputs)
    )
    for message in told(outputs):
        assert message["error_code"] == 400
        assert "translation" in message["error_message"]
