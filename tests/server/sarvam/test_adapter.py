import base64
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from dragoman.config.settings import load_settings
from dragoman.models.base import LanguagePair
from dragoman.models.errors import EngineFailed, NoRecognizer, NoTranslator, Overloaded
from dragoman.models.plan import TargetWish
from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.audio.formats import pcm
from dragoman.pipeline.events import (
    Ended,
    Event,
    Flushed,
    Recognised,
    SpeechEnded,
    SpeechStarted,
    Transcript,
    Translated,
    Translation,
)
from dragoman.server.commands import Close, Command, Expect, Feed, Finish, FlushInput, Open, Output, Send
from dragoman.server.failures import (
    BadMessage,
    Fault,
    IdleTooLong,
    InternalError,
    MessageTooLarge,
    SessionTooLong,
    ShuttingDown,
    TooManySessions,
)
from dragoman.server.protocols.sarvam.adapter import SarvamAdapter
from dragoman.server.protocols.sarvam.query import TRANSCRIPTION, TRANSLATION, parse_query
from tests.sdk.speech import as_wav, bursts

SAMPLES = bursts(1, 16000, 0.1, 0.1)
WAV = as_wav(SAMPLES, 16000)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_760_000_000.0

    def __call__(self) -> float:
        return self.now


class Talk:
    """An adapter, what it did, and how a client sees it."""

    def __init__(self, *, transcribes: bool = False, **query: str) -> None:
        self.clock = Clock()
        wire = TRANSCRIPTION if transcribes else TRANSLATION
        parameters = {name.replace("language_code", "language-code"): value for name, value in query.items()}
        self.adapter = SarvamAdapter(parse_query(parameters, wire, load_settings().listen), self.clock)

    def says(self, message: Any) -> list[Command | Output]:
        frame = message if isinstance(message, str | bytes) else json.dumps(message)
        return list(self.adapter.receive(self.adapter.parse(frame)))

    def audio(self, data: bytes = WAV, **fields: Any) -> list[Command | Output]:
        return self.says({"audio": {"data": base64.b64encode(data).decode(), "encoding": "audio/wav", **fields}})

    def opened(self, data: bytes = WAV) -> Open:
        opening = self.audio(data)[0]
        assert isinstance(opening, Open)
        assert self.adapter.opened(opening.key, f"session-{opening.key}") == ()
        return opening

    def hears(self, *events: Event, key: int = 0) -> list[dict[str, Any]]:
        return told(output for event in events for output in self.adapter.event(key, event))


def told(outputs: Iterable[Command | Output]) -> list[dict[str, Any]]:
    return [json.loads(output.data) for output in outputs if isinstance(output, Send)]


def heard(text: str, segment: int = 0, *, at_s: float = 1.0, closes: bool = True, **fields: Any) -> Transcript:
    return Transcript(
        text, **{"language": "en", **fields}, start_s=at_s, stop_s=at_s + 1, segment_id=segment, closes=closes
    )


def clause(text: str, segment: int = 0) -> Translation:
    return Translation(text, "en", 0.0, 1.0, 0, segment_id=segment, source="hi")


# --- sessions


def test_the_first_audio_opens_a_session() -> None:
    talk = Talk()
    opening, feeding = talk.audio()
    assert isinstance(opening, Open)
    assert (opening.input_format, opening.output_format, opening.source) == (pcm(16000), None, None)
    assert opening.targets == (TargetWish("en", speaks=False),)
    assert opening.latency == "quality"
    assert not opening.locks_language
    assert not opening.partials
    assert feeding == Feed(opening.key, SAMPLES.tobytes())
    assert talk.audio() == [feeding]


@pytest.mark.parametrize(("mode", "translates"), [("translate", True), ("transcribe", False), ("translit", False)])
def test_modes_open_what_they_need(mode: str, translates: bool) -> None:
    opening = Talk(transcribes=True, mode=mode, language_code="hi-IN").opened()
    assert opening.source == "hi"
    assert bool(opening.targets) is translates
    assert opening.targets is not None


def test_rates() -> None:
    samples = SAMPLES.tobytes()
    assert Talk(sample_rate="8000", input_audio_codec="pcm_raw").opened(samples).input_format == pcm(8000)
    assert Talk(sample_rate="8000").opened(WAV).input_format == pcm(16000)
    opening = Talk(input_audio_codec="pcm_s16le").audio(samples, sample_rate="24000")[0]
    assert isinstance(opening, Open)
    assert opening.input_format == pcm(24000)


def test_a_header_that_says_something_else_begins_another_session() -> None:
    talk = Talk()
    first = talk.opened()
    finish, second, feeding = talk.audio(as_wav(SAMPLES, 8000))
    assert finish == Finish(first.key)
    assert isinstance(second, Open)
    assert (first.after, second.after) == (None, first.key), "its place goes on"
    assert second.input_format == pcm(8000)
    assert feeding == Feed(second.key, SAMPLES.tobytes())
    # Both say what they hear, one behind the other, under one request id.
    talk.adapter.opened(second.key, "another")
    said = [heard("a"), clause("a"), Translated(0, 0)]
    assert talk.hears(*said, key=1) == []
    (one,), (other,) = talk.hears(*said), talk.hears(Ended())
    assert one["data"]["request_id"] == other["data"]["request_id"] == "session-0"


def test_the_tuned_detector_goes_with_the_session() -> None:
    listen = Talk(positive_speech_threshold="0.8", min_speech_frames="5").opened().listen
    assert listen is not None
    assert (listen.threshold, listen.min_speech_ms) == (0.8, 160)


def test_binary_frames_are_samples_where_those_are_announced() -> None:
    talk = Talk(input_audio_codec="pcm_l16")
    opening, feeding = talk.says(b"\1\0\2\0")
    assert isinstance(opening, Open)
    assert feeding == Feed(0, b"\1\0\2\0")
    (refusal,) = told(Talk().says(b"\1\0\2\0"))
    assert refusal["data"]["code"] == "invalid_message"


# --- prompts and flushes


def test_a_prompt_counts_from_the_next_utterance_on() -> None:
    talk = Talk(keyterms='["Sarvam"]')
    assert talk.says({"type": "config", "prompt": "Delhi, Agra"}) == []
    assert talk.opened().keywords == ("Sarvam", "Delhi", "Agra")
    assert talk.says({"type": "config", "prompt": "Mysuru"}) == [Expect(0, ("Sarvam", "Mysuru"))]
    assert talk.says({"type": "config", "prompt": ""}) == [Expect(0, ("Sarvam",))]


def test_flush() -> None:
    talk = Talk()
    assert talk.says({"type": "flush"}) == [], "nothing has been heard"
    talk.opened()
    assert talk.says({"type": "flush"}) == [FlushInput(0, 0)]
    assert talk.hears(Recognised(1.0, 0), Flushed(0)) == []


def test_flush_signal() -> None:
    allowed, forbidden = Talk(flush_signal="true"), Talk(flush_signal="false")
    allowed.opened()
    forbidden.opened()
    assert allowed.says({"type": "flush"}) == [FlushInput(0, 0)]
    assert forbidden.says({"type": "flush"}) == []


# --- what is told


def test_one_message_for_each_utterance_whatever_its_pieces() -> None:
    talk = Talk()
    talk.opened()
    assert talk.hears(heard("मेरा नाम", language="hi", closes=False, language_confidence=0.98, at_s=0.5)) == []
    assert talk.hears(clause("My name")) == []
    assert talk.hears(SpeechEnded(3.0)) == []
    talk.clock.now += 0.25
    assert talk.hears(heard("राम है", language="hi", at_s=2.0), clause("is Ram.")) == []
    assert talk.hears(Translated(0, 0)) == [
        {
            "type": "data",
            "data": {
                "request_id": "session-0",
                "transcript": "My name is Ram.",
                "language_code": "hi-IN",
                "language_probability": 0.98,
                "metrics": {"audio_duration": 2.5, "processing_latency": 0.25},
                "speech_start": 0.5,
                "speech_end": 3.0,
            },
        }
    ]
    assert talk.hears(Translated(0, 0)) == [], "never twice"


def test_transcripts_without_translation() -> None:
    talk = Talk(transcribes=True, language_code="hi-IN")
    talk.opened()
    assert talk.hears(heard("नमस्ते", language="hi", closes=False, language_confidence=0.9)) == []
    (message,) = talk.hears(heard("", language="hi"))
    data = message["data"]
    assert data["transcript"] == "नमस्ते"
    assert data["language_code"] == "hi-IN"
    assert data["language_probability"] is None, "the client has said which language it is"
    assert data["timestamps"] is None
    assert data["diarized_transcript"] is None


@pytest.mark.parametrize("transcribes", [True, False])
@pytest.mark.parametrize("language", [None, "unknown"])
@pytest.mark.parametrize(("confidence", "probability"), [(None, 1.0), (0.87654, 0.8765), (0.0, 0.0), (1.0, 1.0)])
def test_how_sure_the_language_is_where_it_is_detected(
    transcribes: bool, language: str | None, confidence: float | None, probability: float
) -> None:
    """A recogniser of one language has nothing to choose: it is sure."""
    talk = Talk(transcribes=transcribes, **({"language_code": language} if language else {}))
    talk.opened()
    (message,) = talk.hears(
        heard("hello", language_confidence=confidence), *([] if transcribes else [Translated(0, 0)])
    )
    assert message["data"]["language_probability"] == probability


@pytest.mark.parametrize("mode", ["transcribe", "verbatim", "codemix"])
def test_the_text_is_what_was_recognised(mode: str) -> None:
    talk = Talk(mode=mode)
    talk.opened()
    (message,) = talk.hears(heard("um, मेरा phone 42", language="hi"))
    assert message["data"]["transcript"] == "um, मेरा phone 42"


def test_translit_is_in_latin_letters() -> None:
    talk = Talk(mode="translit")
    talk.opened()
    (message,) = talk.hears(heard("मेरा phone", language="hi", closes=False), heard("नंबर 42", language="hi", at_s=2.0))
    assert message["data"]["transcript"] == "mera phone nambar 42"


def test_languages_without_blanks_and_without_a_code() -> None:
    talk = Talk(mode="transcribe")
    talk.opened()
    (message,) = talk.hears(heard("你好", language="zh", closes=False), heard("世界", language="zh"))
    assert (message["data"]["transcript"], message["data"]["language_code"]) == ("你好世界", "zh")


def test_a_segment_in_which_nothing_was_said_gives_nothing() -> None:
    talk = Talk(transcribes=True)
    talk.opened()
    assert talk.hears(SpeechStarted(0.0), SpeechEnded(1.0), heard("")) == []
    talk.clock.now += 1
    assert talk.hears(SpeechEnded(5.0)) == []
    talk.clock.now += 0.5
    (message,) = talk.hears(heard("yes", 1, at_s=4.0))
    assert message["data"]["metrics"]["processing_latency"] == 0.5


def test_a_translation_that_came_to_nothing_is_told() -> None:
    talk = Talk()
    talk.opened()
    (message,) = talk.hears(heard("हम्म", language="hi"), Translated(0, 0))
    assert message["data"]["transcript"] == ""


def test_a_translation_that_may_still_change_is_not_told() -> None:
    talk = Talk()
    talk.opened()
    (message,) = talk.hears(heard("a"), replace(clause("perhaps"), final=False), clause("surely"), Translated(0, 0))
    assert message["data"]["transcript"] == "surely"


def test_partial_words_are_not_told() -> None:
    talk = Talk(transcribes=True)
    talk.opened()
    assert talk.hears(Transcript("he", "en", 0, 1, final=False)) == []
    (message,) = talk.hears(heard("hello"))
    assert message["data"]["transcript"] == "hello"


def test_vad_signals() -> None:
    talk = Talk(vad_signals="true")
    talk.opened()
    talk.clock.now += 3.0
    assert talk.hears(SpeechStarted(1.5), SpeechEnded(9.0)) == [
        {"type": "events", "data": {"signal_type": "START_SPEECH", "occured_at": 1760000001.5, "event_type": "vad"}},
        # What was sent faster than it was spoken has happened by now.
        {"type": "events", "data": {"signal_type": "END_SPEECH", "occured_at": 1760000003.0, "event_type": "vad"}},
    ]
    quiet = Talk()
    quiet.opened()
    assert quiet.hears(SpeechStarted(1.5), SpeechEnded(2.0)) == []


# --- errors


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", "invalid_message"),
        ({"type": "end"}, "invalid_message"),
        ({"audio": {"data": "%"}}, "invalid_audio"),
        ({"audio": {}}, "invalid_audio"),
    ],
)
def test_a_message_that_cannot_be_read_does_not_end_the_connection(message: Any, code: str) -> None:
    talk = Talk()
    talk.opened()
    (answer,) = talk.says(message)
    assert isinstance(answer, Send)
    assert answer.error == code
    (error,) = told([answer])
    assert error["type"] == "error"
    assert set(error["data"]) == {"error", "message", "code"}
    assert error["data"]["message"] == error["data"]["error"]
    assert error["data"]["code"] == code
    assert talk.audio() == [Feed(0, SAMPLES.tobytes())]


def test_audio_that_cannot_be_decoded_ends_the_connection_behind_what_was_heard() -> None:
    talk = Talk(transcribes=True)
    talk.opened()
    assert talk.audio(b"RIFF\0\0\0\0AVI LIST") == [Finish(0)]
    assert talk.audio() == [], "nothing more is taken"
    assert [message["type"] for message in talk.hears(heard("hello"))] == ["data"]
    error, close = talk.adapter.event(0, Ended())
    assert told([error])[0]["data"]["code"] == "invalid_audio"
    assert isinstance(close, Close)
    assert close.code == 1003


def test_audio_that_cannot_be_decoded_from_the_start() -> None:
    error, close = Talk().audio(b"OggS" + bytes(40))
    assert told([error])[0]["data"]["code"] == "invalid_audio"
    assert isinstance(close, Close)
    assert close.code == 1003


@pytest.mark.parametrize(
    ("error", "code", "close"),
    [
        (BadMessage("mode", Fault.SETUP), "invalid_config", 4000),
        (BadMessage("model", Fault.MODEL), "invalid_config", 4000),
        (NoRecognizer("hi", "Pull one"), "unsupported_language", 4000),
        (NoTranslator(LanguagePair("hi", "en"), "Pull one"), "unsupported_language", 4000),
        (BadAudio("no"), "invalid_audio", 1003),
        (TooManySessions(3), "rate_limit_exceeded", 1003),
        (SessionTooLong(3.0), "session_too_long", 1008),
        (IdleTooLong(60.0), "idle_timeout", 1008),
        (MessageTooLarge(9), "message_too_large", 1009),
        (Overloaded("whisper"), "service_unavailable", 1011),
        (EngineFailed("whisper", "no"), "internal_error", 1011),
        (InternalError("7"), "internal_error", 1011),
        (ShuttingDown(), "shutting_down", 1001),
    ],
)
def test_what_ends_a_session_ends_the_connection(error: Exception, code: str, close: int) -> None:
    talk = Talk()
    talk.opened()
    sent, closing = talk.adapter.failed(0, error)
    assert told([sent]) == [{"type": "error", "data": {"error": str(error), "message": str(error), "code": code}}]
    assert closing == Close(close, str(error))
    assert talk.adapter.failed(0, error) == ()


def test_an_idle_connection_is_closed_without_a_word_when_the_server_ends() -> None:
    assert list(Talk().adapter.failed(None, ShuttingDown())) == [Close(1001, str(ShuttingDown()))]


def test_a_close_frame_holds_no_more_than_it_can() -> None:
    _, close = Talk().adapter.failed(None, NoRecognizer("hi", "ह" * 200))
    assert isinstance(close, Close)
    assert len(close.reason.encode()) <= 123


def test_a_client_may_be_silent_for_a_minute() -> None:
    assert Talk().adapter.patience_s() == 60.0
