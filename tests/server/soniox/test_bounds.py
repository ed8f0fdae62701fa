"""How long what a client sends may be, and where it is read."""

import json

import pytest

from dragoman.server.commands import Abort, Feed
from dragoman.server.failures import BadMessage
from dragoman.server.protocols.soniox.adapter import SonioxAdapter
from dragoman.server.protocols.soniox.credentials import Grant
from dragoman.server.protocols.soniox.errors import error_of
from dragoman.server.protocols.soniox.messages import Control
from dragoman.server.protocols.soniox.parsing import ObjectIn, parse
from dragoman.server.protocols.soniox.start import Request
from tests.server.soniox.wire import LISTEN, START, adapter, error_in, opened, send

LETTER = "ह"


@pytest.mark.parametrize(
    "context",
    [
        LETTER * 10_000,
        {"text": LETTER * 10_000},
        {"terms": [LETTER * 2] * 5_000},
        {"general": [{"key": LETTER * 5, "value": LETTER * 15}] * 500},
        {"translation_terms": {f"{chr(0x905 + number)}{LETTER * 4}": "😀" * 195 for number in range(50)}},
    ],
)
def test_a_context_of_10000_characters_fits_into_a_message(context: object) -> None:
    """In Devanagari, with every letter escaped, as Python writes JSON where nobody says otherwise."""
    assert len(json.dumps({**START, "context": context})) > 60_000
    opened(adapter(), context=context)


def test_who_sends_more_is_told_how_much_it_may_be() -> None:
    assert error_in(send(adapter(), {**START, "context": {"text": "x" * 70_000}})) == (
        413,
        "invalid_request",
        "message is larger than 65536 bytes without audio",
    )
    one = adapter()
    key = opened(one).key
    abort, *rest = send(one, {"type": "keepalive", "novelty": "x" * 70_000})
    assert abort == Abort(key)
    assert error_in(rest)[0] == 413


def test_audio_in_text_messages_may_be_longer() -> None:
    one = SonioxAdapter(Grant(), LISTEN, "r", 1_024)
    key = opened(one).key
    assert send(one, "AAAA" * 100_000) == [Feed(key, bytes(300_000))]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"language_hints": ["xx"] * 129}, "length <= 128 in language_hints"),
        ({"translation": {"target_language": "en", "source_languages": ["*"] * 129}}, "in source_languages"),
        ({"translation": {"target_language": "en", "exclude_source_languages": ["fr"] * 129}}, "source_languages"),
        ({"context": {"terms": [""] * 10_001}}, "length <= 10000 in terms"),
        ({"model": "x" * 60_000}, f"unknown model '{'x' * 64}'"),
        ({"audio_format": "x" * 60_000}, f"unsupported audio_format '{'x' * 64}'"),
        ({"language_hints": ["x" * 60_000]}, f"language_hints holds '{'x' * 64}'"),
        ({"translation": {"type": "x" * 60_000}}, f"translation.type is '{'x' * 64}'"),
    ],
)
def test_lists_and_names_are_bounded(fields: dict[str, object], named: str) -> None:
    code, _, text = error_in(send(adapter(), {**START, **fields}))
    assert code == 400
    assert named in text
    assert len(text) < 1_500


def test_both_readings_of_an_object_are_made_where_messages_are_read() -> None:
    start, control, neither = (parse(json.dumps(fields)) for fields in (START, {"type": "finalize"}, {"type": "x"}))
    assert isinstance(start, ObjectIn)
    assert isinstance(start.start, Request)
    assert isinstance(start.control, BadMessage)
    assert isinstance(control, ObjectIn)
    assert control.control == Control(type="finalize")
    assert isinstance(neither, ObjectIn)
    assert isinstance(neither.start, BadMessage)
    assert isinstance(neither.control, BadMessage)


def test_what_nobody_knows_is_a_fault_of_the_server() -> None:
    assert error_of(RuntimeError("?")) == (500, "internal_error", "?")
