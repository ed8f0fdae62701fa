"""What the adapter does with messages, in order and out of order."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.models import errors as model_errors
from dragoman.models.base import LanguagePair
from dragoman.pipeline.audio.errors import BadAudio, UnknownAudio
from dragoman.pipeline.events import Ended, Flushed, Transcript, Translated, Translation
from dragoman.server import failures
from dragoman.server.commands import Abort, Close, Feed, Finish, FlushInput, Open, Send
from dragoman.server.protocols.soniox.adapter import SonioxAdapter
from dragoman.server.protocols.soniox.credentials import Grant, bearer, offered
from tests.server.soniox.wire import KEY, START, adapter, error_in, opened, replay, send, told

FINALIZE = {"type": "finalize"}
KEEPALIVE = {"type": "keepalive"}


def test_one_stream_from_start_to_close() -> None:
    one = adapter()
    key = opened(one).key
    assert send(one, b"abc") == [Feed(key, b"abc")]
    assert send(one, KEEPALIVE) == ()
    assert send(one, FINALIZE) == [FlushInput(key, 0)]
    assert send(one, {"type": "finalize", "trailing_silence_ms": 300}) == [FlushInput(key, 1)]
    assert send(one, base64.b64encode(b"more").decode()) == [Feed(key, b"more")]
    (message,) = told(one.event(key, Transcript("hi", "en", 0.0, 1.0)))
    assert message["tokens"][0]["text"] == "hi"
    (message,) = told(one.event(key, Flushed(0, 1.5)))
    assert message["tokens"] == [{"text": "<fin>", "is_final": True}]
    assert send(one, "") == [Finish(key)]
    assert send(one, "") == ()
    assert send(one, b"") == ()
    assert send(one, b"late") == ()
    assert send(one, "{") == ()
    *_, finished, close = one.event(key, Ended(2.0))
    assert isinstance(finished, Send)
    assert json.loads(finished.data)["finished"]
    assert close == Close(1000)
    assert one.failed(key, failures.InternalError("x")) == ()
    assert one.failed(None, failures.ShuttingDown()) == ()
    assert one.event(key, Ended(2.0)) == ()


def test_an_empty_binary_message_is_an_end_too() -> None:
    one = adapter()
    key = opened(one).key
    send(one, b"abc")
    assert send(one, b"") == [Finish(key)]


def test_a_connection_may_be_held_before_it_starts() -> None:
    one = adapter()
    for _ in range(3):
        assert send(one, KEEPALIVE) == ()
    opened(one)


def test_patience() -> None:
    one = adapter()
    assert one.patience_s() == 20
    opened(one)
    assert one.patience_s() == 20
    send(one, b"abc")
    send(one, "")
    assert one.patience_s() is None


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (b"\0\1", "the first message must be a start message in a text frame, not audio"),
        (b"", "the first message must be a start message: a JSON object"),
        ("", "the first message must be a start message: a JSON object"),
        ("QUJD", "the first message must be a start message: a JSON object"),
        ("[]", "text is neither a JSON object nor audio in base64"),
        ("{", "message is not JSON: "),
        ("{}", "model is missing"),
        ('{"type": "finalize"}', "model is missing"),
        ('{"api_key": 3}', "invalid start message: Expected str in api_key"),
    ],
)
def test_what_is_no_start(message: str | bytes, text: str) -> None:
    one = adapter()
    code, kind, found = error_in(send(one, message))
    assert (code, kind) == (400, "invalid_request")
    assert text in found
    assert one.receive(one.parse(json.dumps(START))) == ()


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("not base64!", "text is neither a JSON object nor audio in base64"),
        ("ÄÖ==", "text is neither"),
        ("[1]", "text is neither"),
        ("{bad", "message is not JSON"),
        ({"model": "stt-rt-v5"}, "invalid control message: Object missing required field type"),
        ({"type": 3}, "invalid control message: Expected str, got int in type"),
        ({"type": "dance"}, "unknown control message type 'dance': use finalize or keepalive"),
        ({"type": "finalize", "trailing_silence_ms": "x"}, "in trailing_silence_ms"),
    ],
)
def test_what_cannot_be_understood_ends_the_stream(message: str | dict[str, Any], text: str) -> None:
    one = adapter()
    key = opened(one).key
    abort, *rest = send(one, message)
    assert abort == Abort(key)
    code, kind, found = error_in(rest)
    assert (code, kind) == (400, "invalid_request")
    assert text in found
    assert one.event(key, Transcript("late", "en", 0, 1)) == ()


@pytest.mark.parametrize("end", ["", b""])
def test_an_end_without_any_audio(end: str | bytes) -> None:
    one = adapter()
    key = opened(one).key
    abort, *rest = send(one, end)
    assert abort == Abort(key)
    assert error_in(rest) == (400, "invalid_request", "no audio was received before the end")


def test_a_number_may_be_audio() -> None:
    """Four digits are JSON, and base64; behind the start they are audio."""
    one = adapter()
    key = opened(one).key
    assert send(one, "1234") == [Feed(key, base64.b64decode("1234"))]
    assert send(one, "true\n") == [Feed(key, base64.b64decode("true"))]


# --- keys


def test_the_key_may_come_with_the_start() -> None:
    opened(adapter(None), api_key=KEY)


@pytest.mark.parametrize(
    ("grant", "fields", "told_"),
    [
        (None, {}, (401, "unauthenticated", "API key is missing")),
        (None, {"api_key": "wrong"}, (401, "unauthenticated", "API key is not valid")),
        (None, {"api_key": ""}, (401, "unauthenticated", "API key is not valid")),
        (Grant(), {"api_key": KEY}, (400, "invalid_request", "send it once")),
        (Grant(), {"api_key": "wrong"}, (400, "invalid_request", "send it once")),
    ],
)
def test_keys_that_do_not_open(grant: Grant | None, fields: dict[str, str], told_: tuple[int, str, str]) -> None:
    code, kind, text = error_in(send(adapter(grant), {**START, **fields}))
    assert (code, kind) == told_[:2]
    assert told_[2] in text


def test_who_has_no_key_is_told_nothing_else() -> None:
    assert error_in(send(adapter(None), {"model": "wrong"}))[0] == 401


def test_the_session_of_a_temporary_key_is_as_long_as_allowed() -> None:
    one = adapter(Grant(session_s=7.0))
    command = opened(one)
    assert command.limit_s == 7
    told_ = error_in(one.failed(command.key, failures.SessionTooLong(7.0)))
    assert told_ == (403, "temp_api_key_session_expired", "the temporary API key allows sessions of 7 s")
    one = adapter(Grant(session_s=7.0))
    key = opened(one).key
    assert error_in(one.failed(key, failures.SessionTooLong(5.0)))[:2] == (400, "invalid_request")


def test_where_a_key_stands() -> None:
    from starlette.datastructures import Headers

    assert bearer(Headers({"authorization": "Bearer abc "})) == "abc"
    assert bearer(Headers({"authorization": "bearer abc"})) == "abc"
    for header in ("Bearer", "Bearer  ", "Api-Key abc", ""):
        assert bearer(Headers({"authorization": header})) is None
    assert bearer(Headers({})) is None
    assert offered(["soniox-api-key", "abc"]) == "abc"
    for offers in ([], ["abc"], ["soniox-api-key"], ["chat", "abc"]):
        assert offered(offers) is None


# --- failures


def test_who_says_nothing_is_told_what_was_waited_for() -> None:
    one = adapter()
    told_ = error_in(one.failed(None, failures.IdleTooLong(20.0)))
    assert told_ == (408, "request_timeout", "no start message for 20 s")
    one = adapter()
    opened(one)
    assert error_in(one.failed(None, failures.IdleTooLong(20.0)))[2] == "no audio and no keepalive for 20 s"


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (failures.AuthenticationFailed("API key is not valid"), 401, "unauthenticated"),
        (failures.MessageTooLarge(10), 413, "invalid_request"),
        (failures.TooManySessions(32), 429, "limit_exceeded"),
        (failures.SessionTooLong(3000), 400, "invalid_request"),
        (failures.OutputNotRead("more than 300 s of audio"), 503, "service_unavailable"),
        (failures.NotReady("loading"), 503, "service_unavailable"),
        (failures.ShuttingDown(), 503, "service_unavailable"),
        (failures.InternalError("s"), 500, "internal_error"),
        (model_errors.EngineFailed("e", "r"), 500, "internal_error"),
        (model_errors.OutOfMemory("e"), 503, "service_unavailable"),
        (model_errors.EngineUnavailable("e", "r"), 503, "service_unavailable"),
        (model_errors.Overloaded("e"), 503, "service_unavailable"),
        (model_errors.NoRecognizer("de"), 400, "invalid_request"),
        (model_errors.NoTranslator(LanguagePair("en", "de")), 400, "invalid_request"),
        (BadAudio("no"), 400, "invalid_request"),
        (UnknownAudio(), 408, "request_timeout"),
        (KeyError("?"), 500, "internal_error"),
    ],
)
def test_every_failure_has_its_code(error: Exception, code: int, kind: str) -> None:
    one = adapter()
    key = opened(one).key
    assert error_in(one.failed(key, error)) == (code, kind, str(error))
    assert one.failed(key, error) == ()


# --- anything

frames = (
    st.sampled_from(
        [START, FINALIZE, KEEPALIVE, {**START, "translation": {"type": "one_way", "target_language": "es"}}]
    )
    | st.dictionaries(
        st.sampled_from([*START, "type", "translation", "context"]), st.none() | st.text() | st.integers()
    )
).map(json.dumps)
large = st.sampled_from(
    [
        {**START, "novelty": "x" * 70_000},
        {"type": "finalize", "novelty": [[]] * 20_000},
        {**START, "context": ["x"] * 9_000},
    ]
).map(json.dumps)
steps = frames | large | st.text() | st.binary() | st.sampled_from(["", b"", "*said", "*flushed", "*ended", "*failed"])


@settings(max_examples=400, deadline=None)
@given(st.lists(steps, max_size=12), st.booleans())
def test_every_conversation_stays_in_the_protocol(conversation: list[str | bytes], keyed: bool) -> None:
    one = adapter(Grant() if keyed else None)
    running: Any = None
    sent: list[dict[str, Any]] = []
    closed = translates = False
    for step in conversation:
        outputs: Any = ()
        if isinstance(step, str) and step.startswith("*"):
            outputs = happen(one, running, step, translates=translates) if running is not None else ()
        else:
            outputs = send(one, step)
        for output in outputs:
            assert not closed
            if isinstance(output, Open):
                assert running is None
                running, translates = output.key, bool(output.targets)
            elif isinstance(output, Send):
                sent.append(json.loads(str(output.data)))
            elif isinstance(output, Close):
                assert output == Close(1000)
                closed = True
            else:
                assert isinstance(output, Feed | FlushInput | Finish | Abort)
                assert output.key == running
    client = replay(sent, translates=translates)
    assert closed == (client.finished or client.error is not None)


def happen(one: SonioxAdapter, key: Any, what: str, *, translates: bool) -> Any:
    if what == "*said":
        words = [*one.event(key, Transcript("hello", "en", 0.0, 1.0))]
        if translates:
            words += one.event(key, Translation("hola", "es", 0.0, 1.0, 0, segment_id=0, source="en"))
            words += one.event(key, Translated(0, 0))
        return words
    if what == "*flushed":
        return one.event(key, Flushed(0, 1.0))
    return one.event(key, Ended(1.0)) if what == "*ended" else one.failed(key, BadAudio("no"))


@pytest.mark.parametrize(
    "message",
    [
        {"type": "agent_text", "text": "How can I help?"},
        {"text": "How can I help?", "end_of_segment": True},
        {"type": "agent_input", "content": ["x"]},
        {"type": 5, "end_of_segment": False},
    ],
)
def test_the_text_of_an_agent_is_passed_over(message: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    one = adapter()
    key = opened(one, enable_agent_text_input=True).key
    with caplog.at_level("INFO"):
        assert send(one, message) == ()
    assert "changes nothing here" in caplog.text
    assert send(one, FINALIZE) == [FlushInput(key, 0)]
    assert error_in(send(adapter(), message))[2] == "model is missing"
