import base64
import json
from collections.abc import Sequence
from typing import Any

import pytest

from dragoman.models.base import LanguagePair
from dragoman.models.errors import NoTranslator, UnknownVoice
from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.events import Ended, Flushed, Speech, SpeechStarted, Transcript, Translation
from dragoman.server.commands import Abort, Close, Command, Feed, Finish, FlushInput, Open, Output, Send
from dragoman.server.failures import IdleTooLong, ShuttingDown, TooManySessions
from dragoman.server.protocols.gradium.adapter import GradiumAdapter
from dragoman.server.protocols.gradium.parsing import parse

Actions = Sequence[Command | Output]


def send(adapter: GradiumAdapter, kind: str, **fields: Any) -> Actions:
    return adapter.receive(parse(json.dumps({**fields, "type": kind})))


def open_one(adapter: GradiumAdapter, **fields: Any) -> int:
    (command,) = send(adapter, "setup", **fields)
    assert isinstance(command, Open)
    assert isinstance(command.key, int)
    adapter.opened(command.key, "session")
    return command.key


def said(outputs: Actions) -> list[dict[str, Any] | Close]:
    """Messages as dictionaries, closes as they are."""
    return [json.loads(output.data) if isinstance(output, Send) else output for output in outputs]  # type: ignore[misc]


def error(message: str, code: int, **more: Any) -> dict[str, Any]:
    return {"type": "error", "message": message, "code": code, **more}


def speech(clause_id: int | None, start_s: float = 0.0, stop_s: float = 1.0, audio: bytes = b"ab") -> Speech:
    return Speech(audio, "es", start_s, stop_s, clause_id, stop_s, last=True)


def test_a_bare_setup_gets_all_defaults_and_ready() -> None:
    adapter = GradiumAdapter()
    (command,) = send(adapter, "setup")
    assert isinstance(command, Open)
    assert (command.source, command.target, command.voice_id) == (None, None, None)
    assert command.input_format.sniff
    assert command.output_format.name == "wav"
    assert said(adapter.opened(command.key, "r1")) == [
        {"type": "ready", "request_id": "r1", "model_name": "default", "sample_rate": 48000, "frame_size": 3840}
    ]


def test_ready_speaks_of_the_output() -> None:
    adapter = GradiumAdapter()
    (command,) = send(adapter, "setup", output_format="pcm_16000", client_req_id="a", model_name="s2s-translate")
    assert isinstance(command, Open)
    (ready,) = said(adapter.opened(command.key, "r"))
    assert isinstance(ready, dict)
    assert (ready["sample_rate"], ready["frame_size"]) == (16000, 1280)
    assert (ready["client_req_id"], ready["model_name"]) == ("a", "s2s-translate")


def test_one_request_from_setup_to_close() -> None:
    adapter = GradiumAdapter()
    key = open_one(adapter, json_config='{"target_language": "es"}')
    assert send(adapter, "audio", audio=base64.b64encode(b"abc").decode()) == [Feed(key, b"abc")]
    assert send(adapter, "audio", audio="") == []
    assert send(adapter, "end_of_stream") == [Finish(key)]
    assert send(adapter, "end_of_stream") == []
    assert send(adapter, "audio", audio="YWJj") == []
    assert adapter.event(key, SpeechStarted(0.0)) == ()
    assert adapter.event(key, Transcript("hi", "en", 0.0, 1.0)) == ()
    assert adapter.event(key, Translation("hola", "es", 0.0, 1.0, 0)) == ()
    assert said(adapter.event(key, speech(0))) == [
        {"type": "text", "text": "hola", "start_s": 0.0, "stop_s": 1.0, "stream_id": 0},
        {"type": "audio", "audio": "YWI=", "start_s": 0.0, "stop_s": 1.0, "stream_id": 0},
    ]
    assert said(adapter.event(key, speech(0, 1.0, 2.0))) == [
        {"type": "audio", "audio": "YWI=", "start_s": 1.0, "stop_s": 2.0, "stream_id": 0}
    ]
    assert said(adapter.event(key, speech(None, 2.0, 2.0, b"h"))) == [
        {"type": "audio", "audio": "aA==", "start_s": 2.0, "stop_s": 2.0, "stream_id": 0}
    ]
    assert said(adapter.event(key, Ended())) == [{"type": "end_of_stream"}, Close(1000)]


def test_a_clause_without_sound_still_has_its_text() -> None:
    adapter = GradiumAdapter()
    key = open_one(adapter)
    adapter.event(key, Translation("…", "es", 0.0, 1.0, 0))
    (text,) = said(adapter.event(key, speech(0, 3.0, 3.0, b"")))
    assert isinstance(text, dict)
    assert (text["type"], text["text"]) == ("text", "…")


def test_source_times_come_only_when_asked_for() -> None:
    adapter = GradiumAdapter()
    key = open_one(adapter, json_config={"source_times": True})
    adapter.event(key, Translation("hola", "es", 1.25, 2.5, 0))
    text, _ = said(adapter.event(key, speech(0)))
    assert isinstance(text, dict)
    assert (text["source_start_s"], text["source_stop_s"]) == (1.25, 2.5)


def test_a_request_may_choose_its_latency() -> None:
    (plain,) = send(GradiumAdapter(), "setup")
    (low,) = send(GradiumAdapter(), "setup", json_config={"latency": "low"})
    assert isinstance(plain, Open)
    assert isinstance(low, Open)
    assert (plain.latency, low.latency) == (None, "low")


@pytest.mark.parametrize("flush_id", [7, "seven", 7.5])
def test_flush_comes_back_with_its_type(flush_id: object) -> None:
    adapter = GradiumAdapter()
    key = open_one(adapter)
    (command,) = send(adapter, "flush", flush_id=flush_id)
    assert command == FlushInput(key, flush_id)  # type: ignore[arg-type]
    assert said(adapter.event(key, Flushed(flush_id))) == [{"type": "flushed", "flush_id": flush_id}]


def test_unknown_types_are_ignored() -> None:
    adapter = GradiumAdapter()
    open_one(adapter)
    assert send(adapter, "telepathy") == ()


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"x"', "{}", '{"type": 3}', '{"type": null}', "\ud800"])
def test_what_is_not_a_message_ends_the_connection(text: str) -> None:
    adapter = GradiumAdapter()
    open_one(adapter)
    outputs = said(adapter.receive(parse(text.encode("utf-8", "replace").decode())))
    message, close = outputs
    assert isinstance(message, dict)
    assert isinstance(close, Close)
    assert (message["type"], message["code"], close.code) == ("error", 1008, 1008)
    assert len(close.reason.encode()) <= 123


def test_binary_frames_are_refused() -> None:
    message, close = said(GradiumAdapter().receive(parse(b"{}")))
    assert isinstance(message, dict)
    assert "text frames" in message["message"]
    assert close == Close(1008, message["message"])


@pytest.mark.parametrize("kind", ["audio", "end_of_stream", "flush"])
def test_input_before_setup(kind: str) -> None:
    text = "Session not found. Send setup first."
    assert said(send(GradiumAdapter(), kind, audio="")) == [error(text, 1002), Close(1002, text)]


@pytest.mark.parametrize(
    ("fields", "code", "told"),
    [
        ({"input_format": "mp3"}, 1008, "input_format 'mp3'"),
        ({"output_format": "PCM"}, 1008, "output_format 'PCM'"),
        ({"model_name": "gpt"}, 1003, "model_name 'gpt'"),
        ({"voice_id": 3}, 1008, "voice_id"),
        ({"close_ws_on_eos": "no"}, 1008, "close_ws_on_eos"),
        ({"client_req_id": 5}, 1008, "client_req_id"),
        ({"json_config": "{"}, 1008, "json_config"),
        ({"json_config": "[]"}, 1008, "json_config"),
        ({"json_config": 4}, 1008, "json_config"),
        ({"json_config": {"target_language": 4}}, 1008, "target_language"),
        ({"json_config": {"target_language": "Spanish"}}, 1008, "target_language"),
        ({"json_config": {"target_language": ""}}, 1008, "target_language"),
        ({"json_config": {"temp": 2}}, 1008, "temp"),
        ({"json_config": {"temp": True}}, 1008, "temp"),
        ({"json_config": {"cfg_coef": "x"}}, 1008, "cfg_coef"),
        ({"json_config": {"padding_bonus": -5}}, 1008, "padding_bonus"),
        ({"json_config": {"delay_in_frames": 81}}, 1008, "delay_in_frames"),
        ({"json_config": {"delay_in_frames": 1.5}}, 1008, "delay_in_frames"),
        ({"json_config": {"keywords": [1]}}, 1008, "keywords"),
        ({"json_config": {"source_times": 1}}, 1008, "source_times"),
        ({"json_config": {"latency": "none"}}, 1008, "latency must be one of low, balanced, quality"),
        ({"json_config": {"latency": ["low"]}}, 1008, "latency"),
    ],
)
def test_wrong_setups_name_the_field(fields: dict[str, Any], code: int, told: str) -> None:
    message, close = said(send(GradiumAdapter(), "setup", **fields))
    assert isinstance(message, dict)
    assert isinstance(close, Close)
    assert (message["code"], close.code) == (code, code)
    assert told in message["message"]


@pytest.mark.parametrize(
    ("config", "source", "target"),
    [
        ({"target_language": "es"}, None, "es"),
        ({"language": "fr"}, None, "fr"),
        ({"language": "fr", "target_language": "es"}, None, "es"),
        ({"target_language": "pt-BR"}, None, "pt"),
        ({"target_language": "DE"}, None, "de"),
        ({"source_language": "en", "target_language": None}, "en", None),
        ({"language": "any"}, None, None),
        ({"temp": 0.5, "padding_bonus": None, "anything": {}}, None, None),
        ("", None, None),
    ],
)
def test_languages(config: Any, source: str | None, target: str | None) -> None:
    (command,) = send(GradiumAdapter(), "setup", json_config=config)
    assert isinstance(command, Open)
    assert (command.source, command.target) == (source, target)


def test_nulls_and_unknown_fields_are_nothing() -> None:
    nulls = dict.fromkeys(
        ("voice_id", "json_config", "client_req_id", "close_ws_on_eos", "input_format", "retry_for_s")
    )
    (command,) = send(GradiumAdapter(), "setup", surprise=[1], **nulls)
    assert isinstance(command, Open)


def test_setup_as_the_vendors_texts_show_it() -> None:
    (command,) = send(
        GradiumAdapter(),
        "setup",
        model_name="default",
        stt_model_name="stt-translate",
        tts_model_name="default",
        input_format="pcm",
        output_format="pcm",
        voice_id="YTpq7expH9539ERJ",
        json_config={"target_language": "en"},
        retry_for_s=2.5,
        pronunciation_id="p",
    )
    assert isinstance(command, Open)
    assert (command.input_format.rate_hz, command.output_format.rate_hz) == (24000, 48000)
    assert (command.target, command.voice_id) == ("en", "YTpq7expH9539ERJ")


def test_failures_of_a_request_are_told_and_close_with_the_same_code() -> None:
    for failure, code, told in (
        (NoTranslator(LanguagePair("en", "de"), "Do this."), 1008, "no translator for en→de is installed. Do this."),
        (UnknownVoice("v"), 1011, "Embeddings not found for v"),
        (TooManySessions(2), 1008, "concurrency limit of 2 sessions reached; try again in 10 s"),
        (BadAudio("not audio"), 1008, str(BadAudio("not audio"))),
        (ValueError("?"), 1011, "?"),
    ):
        adapter = GradiumAdapter()
        key = open_one(adapter)
        assert said(adapter.failed(key, failure)) == [error(told, code), Close(code, told)]


def test_scoped_requests_have_their_own_lives() -> None:
    adapter = GradiumAdapter()
    reuse = {"close_ws_on_eos": False}
    a, b = open_one(adapter, client_req_id="a", **reuse), open_one(adapter, client_req_id="b", **reuse)
    assert send(adapter, "audio", audio="YWJj", client_req_id="b") == [Feed(b, b"abc")]
    assert send(adapter, "end_of_stream", client_req_id="a") == [Finish(a)]
    adapter.event(a, Translation("x", "es", 0.0, 1.0, 0))
    assert all(message["client_req_id"] == "a" for message in said(adapter.event(a, speech(0))))  # type: ignore[index]
    assert said(adapter.event(a, Ended())) == [{"type": "end_of_stream", "client_req_id": "a"}]
    assert open_one(adapter, client_req_id="a", **reuse) != a
    assert said(adapter.event(b, Ended())) == [{"type": "end_of_stream", "client_req_id": "b"}]


def test_an_active_id_cannot_be_used_again_and_runs_on() -> None:
    adapter = GradiumAdapter()
    key = open_one(adapter, client_req_id="a", close_ws_on_eos=False)
    told = "Session already active (a)"
    assert said(send(adapter, "setup", client_req_id="a")) == [error(told, 1002, client_req_id="a")]
    assert send(adapter, "audio", audio="YWJj", client_req_id="a") == [Feed(key, b"abc")]
    ended = said(adapter.event(key, Ended()))
    assert ended == [{"type": "end_of_stream", "client_req_id": "a"}, Close(1002, told)]


def test_input_without_an_id_goes_to_the_unscoped_or_the_only_request() -> None:
    adapter = GradiumAdapter()
    reuse = {"close_ws_on_eos": False}
    a = open_one(adapter, client_req_id="a", **reuse)
    assert send(adapter, "audio", audio="YWJj") == [Feed(a, b"abc")]
    plain = open_one(adapter, **reuse)
    assert send(adapter, "audio", audio="YWJj") == [Feed(plain, b"abc")]
    adapter.event(plain, Ended())
    open_one(adapter, client_req_id="b", **reuse)
    (message,) = said(send(adapter, "audio", audio="YWJj"))
    assert isinstance(message, dict)
    assert (message["code"], "client_req_id" in message) == (1002, False)


def test_an_unknown_id_is_told_with_the_id() -> None:
    adapter = GradiumAdapter()
    open_one(adapter, client_req_id="a", close_ws_on_eos=False)
    told = "Session not found. Send setup first."
    assert said(send(adapter, "audio", audio="", client_req_id="z")) == [error(told, 1002, client_req_id="z")]


def test_sequential_reuse_and_the_end_of_the_socket() -> None:
    adapter = GradiumAdapter()
    for _ in range(2):
        key = open_one(adapter, close_ws_on_eos=False)
        send(adapter, "end_of_stream")
        assert said(adapter.event(key, Ended())) == [{"type": "end_of_stream"}]
    assert said(send(adapter, "end_of_stream")) == [{"type": "end_of_stream"}, Close(1000)]


def test_an_unscoped_end_of_stream_ends_all_scoped_requests() -> None:
    adapter = GradiumAdapter()
    keys = [open_one(adapter, client_req_id=name, close_ws_on_eos=False) for name in "ab"]
    assert send(adapter, "end_of_stream") == [Finish(key) for key in keys]
    assert said(adapter.event(keys[1], Ended())) == [{"type": "end_of_stream", "client_req_id": "b"}]
    assert said(adapter.event(keys[0], Ended())) == [{"type": "end_of_stream", "client_req_id": "a"}, Close(1000)]


def test_close_on_eos_waits_for_the_others() -> None:
    adapter = GradiumAdapter()
    a, b = open_one(adapter, client_req_id="a"), open_one(adapter, client_req_id="b", close_ws_on_eos=False)
    assert said(adapter.event(a, Ended())) == [{"type": "end_of_stream", "client_req_id": "a"}]
    assert said(adapter.event(b, Ended()))[-1] == Close(1000)


def test_a_failure_leaves_the_others_alone_and_closes_when_they_are_done() -> None:
    adapter = GradiumAdapter()
    a, b = (open_one(adapter, client_req_id=name, close_ws_on_eos=False) for name in "ab")
    assert said(adapter.failed(a, BadAudio("x"))) == [error(str(BadAudio("x")), 1008, client_req_id="a")]
    assert said(adapter.event(b, Ended()))[-1] == Close(1008, str(BadAudio("x")))


def test_audio_that_is_not_base64_ends_its_request_only() -> None:
    adapter = GradiumAdapter()
    a, b = (open_one(adapter, client_req_id=name, close_ws_on_eos=False) for name in "ab")
    abort, message = send(adapter, "audio", audio="&&", client_req_id="a")
    assert abort == Abort(a)
    assert said([message]) == [error("audio is not base64", 1008, client_req_id="a")]  # type: ignore[list-item]
    assert send(adapter, "audio", audio="YWJj", client_req_id="b") == [Feed(b, b"abc")]


@pytest.mark.parametrize("fields", [{"audio": 5}, {}, {"audio": None}])
def test_audio_without_audio_ends_its_request(fields: dict[str, Any]) -> None:
    adapter = GradiumAdapter()
    key = open_one(adapter)
    abort, message, close = send(adapter, "audio", **fields)
    assert abort == Abort(key)
    assert isinstance(close, Close)
    assert "audio" in str(message)


def test_failures_of_the_connection() -> None:
    adapter = GradiumAdapter()
    open_one(adapter)
    told = str(IdleTooLong(300))
    assert said(adapter.failed(None, IdleTooLong(300))) == [error(told, 1008), Close(1008, told)]
    running, idle = GradiumAdapter(), GradiumAdapter()
    open_one(running)
    told = str(ShuttingDown())
    assert said(running.failed(None, ShuttingDown())) == [error(told, 1011), Close(1001, told)]
    assert said(idle.failed(None, ShuttingDown())) == [Close(1001, told)]


def test_a_failure_behind_the_end_is_nobodys() -> None:
    adapter = GradiumAdapter()
    key = open_one(adapter)
    adapter.event(key, Ended())
    assert adapter.failed(key, BadAudio("late")) == ()
