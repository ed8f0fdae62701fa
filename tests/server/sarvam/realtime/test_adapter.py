import base64
import json
from collections.abc import Iterable
from typing import Any

import pytest

from dragoman.config.settings import load_settings
from dragoman.models.errors import EngineFailed, NoRecognizer
from dragoman.pipeline.audio.formats import Encoding, pcm
from dragoman.pipeline.events import (
    Ended,
    Event,
    Recognised,
    SpeechEnded,
    SpeechStarted,
    Transcript,
    Translated,
    Translation,
)
from dragoman.server.commands import Close, Command, Expect, Feed, Finish, FlushInput, Open, Output, Send
from dragoman.server.failures import BadMessage, Fault, IdleTooLong, ShuttingDown, TooManySessions
from dragoman.server.protocols.sarvam.realtime.adapter import Begin, RealtimeAdapter
from dragoman.server.protocols.sarvam.realtime.config import ENCODINGS, parse_config

BASE = load_settings().listen
SECOND = bytes(32_000)


class Talk:
    """An adapter that has begun, and how a client sees it."""

    def __init__(self, **query: str) -> None:
        self.now = 1_760_000_000.0
        self.adapter = RealtimeAdapter(parse_config({"language_code": "auto", **query}), BASE, lambda: self.now)
        (self.opening,) = self.adapter.receive(Begin())
        assert isinstance(self.opening, Open)
        (self.greeting,) = told(self.adapter.opened(self.opening.key, "session"))

    def says(self, event: str, **fields: Any) -> list[Command | Output]:
        return list(self.adapter.receive(self.adapter.parse(json.dumps({"event": event, **fields}))))

    def audio(self, data: bytes = SECOND) -> list[Command | Output]:
        return self.says("audio_input", audio=base64.b64encode(data).decode())

    def hears(self, *events: Event, key: int = 0) -> list[dict[str, Any]]:
        return told(output for event in events for output in self.adapter.event(key, event))


def told(outputs: Iterable[Command | Output]) -> list[dict[str, Any]]:
    return [json.loads(output.data) for output in outputs if isinstance(output, Send)]


def heard(text: str, at_s: float = 1.0, segment: int = 0, *, final: bool = True, closes: bool = True) -> Transcript:
    return Transcript(text, "en", at_s, at_s + 1, final=final, segment_id=segment, closes=closes)


def test_a_connection_is_greeted_with_what_it_came_to() -> None:
    talk = Talk(threshold="0.6", mode="translit")
    assert talk.greeting["event"] == "session.begin"
    assert talk.greeting["request_id"] == "session"
    config = talk.greeting["config"]
    assert config["model"] == "saaras:v3-realtime"
    assert (config["language_code"], config["mode"], config["turn_detection"]) == ("auto", "translit", "vad")
    assert (config["threshold"], config["prefix_padding_ms"]) == (0.6, BASE.pre_speech_ms)


@pytest.mark.parametrize(
    ("stream_type", "partials", "latency"),
    [("fast", True, "low"), ("balanced", True, "quality"), ("simulated", False, "quality")],
)
def test_stream_types(stream_type: str, partials: bool, latency: str) -> None:
    opening = Talk(stream_type=stream_type).opening
    assert isinstance(opening, Open)
    assert (opening.partials, opening.latency) == (partials, latency)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("rate", ["8000", "16000"])
def test_encodings(encoding: str, rate: str) -> None:
    talk = Talk(encoding=encoding, sample_rate=rate)
    assert isinstance(talk.opening, Open)
    assert talk.opening.input_format == pcm(int(rate), Encoding(ENCODINGS[encoding][0]))
    assert talk.audio(b"abcd") == [Feed(0, b"abcd")]
    assert list(talk.adapter.receive(talk.adapter.parse(b"abcd"))) == [Feed(0, b"abcd")]


def test_partials_and_one_final_for_each_utterance() -> None:
    talk = Talk(return_timestamps="true")
    talk.audio(SECOND * 5)
    assert talk.hears(SpeechStarted(0.5)) == [{"event": "vad.speech_start", "utterance_idx": 0}]
    assert talk.hears(heard("good", final=False), heard("good", final=False)) == [
        {"event": "transcript.partial", "utterance_idx": 0, "text": "good", "language": "en-IN"}
    ]
    assert talk.hears(heard("good", closes=False)) == []
    (partial,) = talk.hears(heard("morning", final=False))
    assert partial["text"] == "good morning"
    assert talk.hears(SpeechEnded(2.5)) == [{"event": "vad.speech_end", "utterance_idx": 0}]
    assert talk.hears(SpeechStarted(3.0)) == [], "the text of the one before comes first"
    (final,) = talk.hears(heard("morning.", 1.5))
    assert final == {
        "event": "transcript.final",
        "utterance_idx": 0,
        "text": "good morning.",
        "language": "en-IN",
        "language_confidence": 1.0,
        "start_s": 1.0,
        "end_s": 2.5,
    }
    assert talk.hears(Recognised(2.5)) == [{"event": "vad.speech_start", "utterance_idx": 1}]
    (final,) = talk.hears(heard("bye", 3.5, 1))
    assert (final["utterance_idx"], final["text"]) == (1, "bye")


def test_a_named_language_is_not_told_again() -> None:
    talk = Talk(language_code="or-IN")
    (partial, final) = talk.hears(SpeechStarted(0), heard("a", final=False), heard("a"))[1:]
    assert set(partial) == {"event", "utterance_idx", "text"} == set(final)


def test_finals_are_in_english_where_that_is_wanted_and_partials_never() -> None:
    talk = Talk(mode="translate")
    assert isinstance(talk.opening, Open)
    assert talk.opening.targets
    (partial,) = talk.hears(Transcript("नमस्ते", "hi", 0, 1, final=False))
    assert (partial["text"], partial["language"]) == ("नमस्ते", "hi-IN")
    assert talk.hears(Transcript("नमस्ते", "hi", 0, 1), Translation("Hello", "en", 0, 1, 0, segment_id=0)) == []
    (final,) = talk.hears(Translated(0, 0))
    assert final["text"] == "Hello"


def test_the_client_says_where_turns_are() -> None:
    talk = Talk(endpointing="manual", return_timestamps="true")
    assert talk.audio() == [], "nobody has said that a turn begins"
    assert talk.says("flush") == []
    assert talk.says("speech_start") == []
    assert talk.audio() == [Feed(0, SECOND)]
    padding, flush = talk.says("speech_end")
    assert padding == Feed(0, bytes(3200))
    assert flush == FlushInput(0, 0)
    assert talk.audio() == []
    assert talk.hears(SpeechStarted(0.0), SpeechEnded(1.1)) == [], "the detector has nothing to say"
    (final,) = talk.hears(Transcript("hello", "en", 0.0, 1.1))
    assert (final["start_s"], final["end_s"]) == (1.0, 2.0)
    assert talk.says("speech_start") == []
    assert talk.audio() == [Feed(0, SECOND)]
    assert talk.says("flush") == [padding, FlushInput(0, 1)]
    assert talk.audio() == [Feed(0, SECOND)], "the turn goes on behind a flush"
    talk.hears(SpeechStarted(1.1), SpeechEnded(2.2))
    (final,) = talk.hears(Transcript("again", "en", 1.1, 2.2, segment_id=1))
    assert (final["utterance_idx"], final["start_s"], final["end_s"]) == (1, 3.0, 4.0)


@pytest.mark.parametrize("event", ["speech_start", "speech_end", "flush"])
def test_turns_are_not_the_clients_where_the_detector_finds_them(event: str) -> None:
    (error,) = told(Talk().says(event))
    assert (error["event"], error["is_fatal"]) == ("error", False)
    assert "endpointing=manual" in error["message"]


def test_a_prompt_may_change_without_another_session() -> None:
    talk = Talk(keyterms='["Sarvam"]', prompt="Delhi")
    assert isinstance(talk.opening, Open)
    assert talk.opening.keywords == ("Sarvam", "Delhi")
    expecting, answer = talk.says("config.update", prompt="Agra, Mysuru")
    assert expecting == Expect(0, ("Sarvam", "Agra", "Mysuru"))
    assert told([answer]) == [{"event": "config.updated", "applied": ["prompt"]}]
    assert talk.audio() == [Feed(0, SECOND)]


def test_other_changes_wait_for_the_end_of_an_utterance() -> None:
    talk = Talk()
    talk.audio()
    talk.hears(SpeechStarted(0.2))
    (answer,) = told(talk.says("config.update", mode="translate", language_code="hi-IN", threshold=0.75))
    assert answer["applied"] == ["language_code", "mode", "threshold"]
    assert talk.audio() == [Feed(0, SECOND)]
    talk.hears(SpeechEnded(0.9))
    finish, opening, feed = talk.audio()
    assert finish == Finish(0)
    assert isinstance(opening, Open)
    assert (opening.source, bool(opening.targets), opening.after) == ("hi", True, 0)
    assert opening.listen is not None
    assert opening.listen.threshold == 0.75
    assert feed == Feed(1, SECOND)
    # The old session still says what it heard, as it was asked to.
    (final,) = talk.hears(heard("hello", 0.2))
    assert (final["utterance_idx"], final["language"]) == (0, "en-IN")
    assert talk.hears(Ended()) == []
    assert talk.hears(SpeechStarted(0.1), key=1) == [{"event": "vad.speech_start", "utterance_idx": 1}]


@pytest.mark.parametrize(
    ("refusal", "code", "close"),
    [
        (TooManySessions(1), "rate_limit_exceeded", 1003),
        (ShuttingDown(), "shutting_down", 1001),
        (NoRecognizer("hi"), "unsupported_language", 4000),
    ],
)
def test_what_was_heard_is_said_before_a_change_is_refused(refusal: Exception, code: str, close: int) -> None:
    talk = Talk()
    talk.audio()
    talk.says("config.update", language_code="hi-IN")
    assert talk.adapter.failed(1, refusal) == []
    assert talk.audio() == talk.says("ping") == talk.says("end") == [], "nothing more is taken"
    assert [message["event"] for message in talk.hears(SpeechStarted(0.1), SpeechEnded(0.9), heard("hello", 0.2))] == [
        "vad.speech_start",
        "vad.speech_end",
        "transcript.final",
    ]
    *sent, closing = talk.adapter.event(0, Ended())
    fatal, end = told(sent)
    assert (fatal["code"], fatal["is_fatal"], end["event"]) == (code, True, "session.end")
    assert isinstance(closing, Close)
    assert closing.code == close


def test_a_session_that_breaks_lets_the_next_one_say_what_it_heard() -> None:
    talk = Talk()
    talk.audio()
    talk.says("config.update", language_code="hi-IN")
    assert talk.adapter.failed(0, EngineFailed("whisper", "no")) == []
    assert talk.audio() == [Finish(1)]
    assert talk.audio() == []
    (final,) = talk.hears(heard("hello", 0.2), key=1)
    assert final["text"] == "hello"
    *sent, closing = talk.adapter.event(1, Ended())
    assert [message["event"] for message in told(sent)] == ["error", "session.end"]
    assert closing == Close(1011, "whisper failed: no")


def test_a_message_that_is_too_large_is_told_and_the_talk_goes_on() -> None:
    talk = Talk()
    (error,) = told(talk.says("config.update", prompt="x" * 70_000))
    assert (error["code"], error["is_fatal"]) == ("message_too_large", False)
    assert talk.audio() == [Feed(0, SECOND)]


def test_changes_count_at_once_where_nobody_speaks() -> None:
    finish, opening, answer = Talk().says("config.update", endpointing="manual", threshold=0.1)
    assert finish == Finish(0)
    assert isinstance(opening, Open)
    assert opening.after == 0
    assert told([answer])[0]["applied"] == ["endpointing"], "the detector's settings mean nothing then"


@pytest.mark.parametrize(
    "fields",
    [
        {"mode": "sing"},
        {"stream_type": "simulated"},
        {"language_code": "xx"},
        {"threshold": 2},
        {"threshold": True},
        {"silence_duration_ms": -1},
        {"silence_duration_ms": 1.5},
        {"prompt": ["a"]},
    ],
)
def test_a_change_that_cannot_be_is_refused_and_nothing_changes(fields: dict[str, Any]) -> None:
    talk = Talk()
    (error,) = told(talk.says("config.update", **fields))
    assert (error["code"], error["is_fatal"]) == ("invalid_config", False)
    assert talk.audio() == [Feed(0, SECOND)]


def test_ping_and_end() -> None:
    talk = Talk()
    assert told(talk.says("ping")) == [{"event": "pong"}]
    talk.audio(SECOND * 2)
    talk.now += 3
    assert talk.says("end") == [Finish(0)]
    assert talk.audio() == []
    assert [message["event"] for message in talk.hears(SpeechStarted(0), SpeechEnded(1), heard("bye"))] == [
        "vad.speech_start",
        "vad.speech_end",
        "transcript.final",
    ]
    end, close = talk.adapter.event(0, Ended())
    assert told([end]) == [
        {
            "event": "session.end",
            "request_id": "session",
            "total_duration_s": 3.0,
            "total_utterances": 1,
            "audio_duration_s": 2.0,
        }
    ]
    assert close == Close(1000)


@pytest.mark.parametrize(
    "frame",
    ["{", "[]", "{}", '{"event": "sing"}', '{"event": "audio_input"}', '{"event": "audio_input", "audio": "%"}'],
)
def test_what_cannot_be_read_is_told_and_the_talk_goes_on(frame: str) -> None:
    talk = Talk()
    (error,) = told(talk.adapter.receive(talk.adapter.parse(frame)))
    assert (error["event"], error["is_fatal"]) == ("error", False)
    assert "status_code" not in error
    assert talk.audio() == [Feed(0, SECOND)]


@pytest.mark.parametrize(
    ("error", "code", "status", "close"),
    [
        (NoRecognizer("hi", "Pull one"), "unsupported_language", 400, 4000),
        (IdleTooLong(60.0), "idle_timeout", 408, 1008),
        (RuntimeError("no"), "internal_error", 500, 1011),
    ],
)
def test_what_ends_a_session_ends_the_connection(error: Exception, code: str, status: int, close: int) -> None:
    *sent, closing = Talk().adapter.failed(0, error)
    fatal, end = told(sent)
    assert fatal == {"event": "error", "code": code, "is_fatal": True, "message": str(error), "status_code": status}
    assert end["event"] == "session.end"
    assert closing == Close(close, str(error))


def test_a_connection_that_is_refused_was_never_greeted() -> None:
    adapter = RealtimeAdapter(parse_config({"language_code": "auto"}), BASE)
    sent, close = adapter.failed(None, BadMessage("unknown mode", Fault.SETUP))
    assert told([sent])[0]["code"] == "invalid_config"
    assert close == Close(4000, "unknown mode")
    assert list(RealtimeAdapter(parse_config({"language_code": "auto"}), BASE).failed(None, ShuttingDown())) == [
        Close(1001, str(ShuttingDown()))
    ]
