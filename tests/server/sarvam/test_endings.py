"""A session that cannot be opened, or breaks, takes nothing from those that still have something to say."""

import pytest

from dragoman.models.errors import EngineFailed, NoRecognizer
from dragoman.pipeline.events import Ended
from dragoman.server.commands import Close, Finish, Open
from dragoman.server.failures import ShuttingDown, TooManySessions
from tests.sdk.speech import as_wav
from tests.server.sarvam.test_adapter import SAMPLES, Talk, heard, told

OTHER = as_wav(SAMPLES, 8000)


def changed() -> Talk:
    """A talk whose second session is being opened behind its first."""
    talk = Talk(transcribes=True)
    talk.opened()
    finish, opening, _ = talk.audio(OTHER)
    assert finish == Finish(0)
    assert isinstance(opening, Open)
    return talk


@pytest.mark.parametrize(
    ("refusal", "code", "close"),
    [
        (TooManySessions(1), "rate_limit_exceeded", 1003),
        (ShuttingDown(), "shutting_down", 1001),
        (NoRecognizer("hi"), "unsupported_language", 4000),
    ],
)
def test_what_was_heard_is_said_before_a_refusal(refusal: Exception, code: str, close: int) -> None:
    talk = changed()
    assert talk.adapter.failed(1, refusal) == []
    assert talk.audio() == talk.audio(OTHER) == talk.says({"type": "flush"}) == [], "nothing more is taken"
    (data,) = talk.hears(heard("hello"))
    assert data["data"]["transcript"] == "hello"
    error, closing = talk.adapter.event(0, Ended())
    assert told([error])[0]["data"]["code"] == code
    assert isinstance(closing, Close)
    assert closing.code == close


def test_a_session_that_breaks_lets_the_next_one_say_what_it_heard() -> None:
    talk = changed()
    talk.adapter.opened(1, "session-1")
    assert talk.adapter.failed(0, EngineFailed("whisper", "no")) == []
    assert talk.audio(OTHER) == [Finish(1)]
    assert talk.audio(OTHER) == []
    (data,) = talk.hears(heard("hello"), key=1)
    assert data["data"]["transcript"] == "hello"
    error, closing = talk.adapter.event(1, Ended())
    assert told([error])[0]["data"]["code"] == "internal_error"
    assert closing == Close(1011, "whisper failed: no")


def test_when_both_break_the_first_reason_is_told() -> None:
    talk = changed()
    assert talk.adapter.failed(1, TooManySessions(1)) == []
    error, closing = talk.adapter.failed(0, EngineFailed("whisper", "no"))
    assert told([error])[0]["data"]["code"] == "rate_limit_exceeded"
    assert isinstance(closing, Close)


def test_a_refusal_behind_the_end_of_the_old_session_is_told_at_once() -> None:
    talk = changed()
    assert talk.hears(Ended()) == []
    error, closing = talk.adapter.failed(1, TooManySessions(1))
    assert told([error])[0]["data"]["code"] == "rate_limit_exceeded"
    assert isinstance(closing, Close)


def test_bad_audio_waits_for_every_session_that_was_finished() -> None:
    talk = changed()
    talk.adapter.opened(1, "session-1")
    assert talk.hears(Ended(), key=1) == []
    assert talk.audio(b"RIFF\0\0\0\0AVI LIST") == [], "the first still has something to say"
    (data,) = talk.hears(heard("hello"))
    assert data["data"]["transcript"] == "hello"
    error, closing = talk.adapter.event(0, Ended())
    assert told([error])[0]["data"]["code"] == "invalid_audio"
    assert isinstance(closing, Close)


def test_a_message_that_is_too_large_ends_nothing() -> None:
    talk = Talk(transcribes=True)
    talk.opened()
    (error,) = told(talk.says({"type": "config", "prompt": "x" * 70_000}))
    text = "message is larger than 65536 bytes without audio"
    assert error["data"] == {"error": text, "message": text, "code": "message_too_large"}
    (data,) = talk.hears(heard("hello"))
    assert data["data"]["transcript"] == "hello"
