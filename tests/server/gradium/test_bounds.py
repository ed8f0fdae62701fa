"""How long what a client chooses may be, and where it is read."""

import json

import pytest

from dragoman.pipeline.events import Flushed
from dragoman.server.commands import Abort, Close, Feed, FlushInput, Open
from dragoman.server.failures import BadMessage
from dragoman.server.protocols.gradium.adapter import GradiumAdapter
from dragoman.server.protocols.gradium.asr import AsrAdapter
from dragoman.server.protocols.gradium.parsing import SetupIn, parse
from dragoman.server.protocols.gradium.setup import Request
from dragoman.server.protocols.gradium.tts import TtsAdapter
from tests.server.gradium.test_adapter import error, open_one, said, send
from tests.server.gradium.test_tts import FakeVoices

LONG = "x" * 257


def test_ids_of_256_characters_come_back() -> None:
    adapter = GradiumAdapter()
    name = "ä" * 256
    key = open_one(adapter, client_req_id=name)
    for flush_id in (name, 10**256 - 1, -(10**256) + 1, 1.5e308):
        assert send(adapter, "flush", client_req_id=name, flush_id=flush_id) == [FlushInput(key, flush_id)]
        told = said(adapter.event(key, Flushed(flush_id)))
        assert told == [{"type": "flushed", "flush_id": flush_id, "client_req_id": name}]


@pytest.mark.parametrize("kind", ["setup", "audio", "flush", "end_of_stream"])
def test_no_request_has_a_longer_id(kind: str) -> None:
    told = "client_req_id is longer than 256 characters"
    assert said(send(GradiumAdapter(), kind, audio="YWJj", client_req_id=LONG)) == [
        error(told, 1008),
        Close(1008, told),
    ]
    adapter = GradiumAdapter()
    key = open_one(adapter, client_req_id="a", close_ws_on_eos=False)
    assert said(send(adapter, kind, audio="YWJj", client_req_id=LONG)) == [error(told, 1008)]
    assert send(adapter, "audio", audio="YWJj") == [Feed(key, b"abc")], "it was not meant"


@pytest.mark.parametrize("flush_id", [LONG, 10**256, -(10**300)])
def test_a_flush_with_a_longer_id_ends_its_request(flush_id: object) -> None:
    adapter = GradiumAdapter()
    key = open_one(adapter, client_req_id="a")
    abort, message, close = send(adapter, "flush", client_req_id="a", flush_id=flush_id)
    assert abort == Abort(key)
    (told,) = said([message])
    assert isinstance(told, dict)
    assert (told["code"], told["client_req_id"]) == (1008, "a")
    assert "flush_id" in told["message"]
    assert isinstance(close, Close)


@pytest.mark.parametrize("field", ["voice_id", "voice", "pronunciation_id", "stt_model_name", "tts_model_name"])
def test_names_are_bounded(field: str) -> None:
    (command,) = send(GradiumAdapter(), "setup", **{field: "x" * 256})
    assert isinstance(command, Open)
    message, close = said(send(GradiumAdapter(), "setup", **{field: LONG}))
    assert isinstance(message, dict)
    assert message["message"] == f"invalid setup: Expected str of length <= 256 in {field}"
    assert close == Close(1008, message["message"])


def test_an_id_is_quoted_in_part_only() -> None:
    adapter = GradiumAdapter()
    open_one(adapter, client_req_id="x" * 256)
    (told,) = said(send(adapter, "setup", client_req_id="x" * 256))
    assert isinstance(told, dict)
    assert told["message"] == f"Session already active ({'x' * 64})"


def test_a_setup_is_read_where_messages_are_read() -> None:
    """Not on the event loop: a `json_config` may be a string with as much in it as a message may hold."""
    good, bad = (parse(json.dumps({"type": "setup", "json_config": text})) for text in ('{"latency": "low"}', "{"))
    assert isinstance(good, SetupIn)
    assert isinstance(bad, SetupIn)
    assert isinstance(good.request, Request)
    assert isinstance(bad.request, BadMessage)


@pytest.mark.parametrize(
    ("adapter", "message"),
    [
        (AsrAdapter(), {"type": "setup", "json_config": {"other": "x" * 70_000}}),
        (TtsAdapter(FakeVoices()), {"type": "text", "text": "x" * 70_000}),
        (TtsAdapter(FakeVoices()), {"type": "setup", "json_config": "x" * 70_000}),
    ],
)
def test_what_is_no_audio_is_small_on_every_socket(
    adapter: AsrAdapter | TtsAdapter, message: dict[str, object]
) -> None:
    told, close = said(adapter.receive(adapter.parse(json.dumps(message))))
    assert isinstance(told, dict)
    assert told["code"] == 1009
    assert isinstance(close, Close)


def test_audio_may_be_large_where_it_is_heard() -> None:
    adapter = AsrAdapter()
    assert isinstance(adapter.receive(adapter.parse('{"type": "setup"}'))[0], Open)
    (feed,) = adapter.receive(adapter.parse(json.dumps({"type": "audio", "audio": "A" * 400_000})))
    assert isinstance(feed, Feed)
    assert len(feed.data) == 300_000
