"""How a task and its connection end."""

from typing import Any

import pytest

from dragoman.models.base import LanguagePair
from dragoman.models.errors import EngineFailed, NoTranslator, Overloaded
from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.events import Ended
from dragoman.server.commands import Abort, Finish
from dragoman.server.failures import (
    InternalError,
    MessageTooLarge,
    OutputNotRead,
    SessionTooLong,
    ShuttingDown,
)
from tests.server.palabra.talk import (
    audio,
    error,
    heard,
    spoken,
    started,
    task,
    translated,
)

# --- the end


def test_the_tail_then_the_end_then_the_close() -> None:
    talk = started()
    talk.send("input_audio_data", audio())
    assert talk.send("end_task") == []
    assert talk.commands == [Finish(0)]
    assert talk.send("input_audio_data", audio()) == []
    assert talk.commands == []
    assert talk.send("end_task") == []
    assert talk.commands == []
    for kind, data in (("set_task", task()), ("pause_task", {}), ("tts_task", {"text": "x", "language": "es"})):
        assert error(talk.send(kind, data)[0])[0] == "BAD_REQUEST"
    assert talk.adapter.patience_s() is None
    told = talk.event(0, heard("Last."), translated("Último."), spoken(10), Ended())
    assert told[-1] == {"message_type": "end_of_stream", "data": {}}
    assert talk.closed is not None
    assert talk.closed.code == 1000


def test_older_clients_that_name_a_time_get_their_end_too() -> None:
    talk = started()
    talk.send("end_task", {"force": False, "eos_timeout": 5})
    told = talk.event(0, Ended())
    assert [one["message_type"] for one in told] == ["end_of_stream", "eos"]


@pytest.mark.parametrize("first", [True, False])
def test_who_is_in_a_hurry_gets_no_tail(first: bool) -> None:
    talk = started()
    if not first:
        talk.send("end_task")
    told = talk.send("end_task", {"force": True})
    assert talk.commands == [Abort(0)]
    assert [one["message_type"] for one in told] == ["end_of_stream"]
    assert talk.closed is not None


@pytest.mark.parametrize("data", [{"eos_timeout": 0}, {"eos_timeout": 31}, {"eos_timeout": "5"}, {"force": 1}])
def test_an_end_that_cannot_be_is_refused(data: Any) -> None:
    talk = started()
    (refusal,) = talk.send("end_task", data)
    assert error(refusal)[0] == "VALIDATION_ERROR"
    assert talk.commands == []


# --- failures


@pytest.mark.parametrize(
    ("failure", "code", "close"),
    [
        (EngineFailed("espeak", "it broke"), "SERVER_ERROR", 1011),
        (InternalError("s"), "SERVER_ERROR", 1011),
        (Overloaded("whisper"), "SERVICE_UNAVAILABLE", 1011),
        (SessionTooLong(3000), "SERVICE_TIMEOUT", 1008),
        (BadAudio("no Opus"), "VALIDATION_ERROR", 1008),
        (NoTranslator(LanguagePair("fr", "es")), "VALIDATION_ERROR", 1008),
    ],
)
def test_what_ends_the_session_is_told_and_closes(failure: Exception, code: str, close: int) -> None:
    talk = started()
    (told,) = talk.fail(0, failure)
    assert error(told) == (code, str(failure))
    assert talk.closed is not None
    assert talk.closed.code == close
    assert len(talk.closed.reason.encode()) <= 123


@pytest.mark.parametrize(
    ("failure", "code", "close"),
    [(OutputNotRead("more than 300 s of audio"), "BAD_REQUEST", 1008), (ShuttingDown(), "SERVICE_UNAVAILABLE", 1001)],
)
def test_what_ends_the_connection_is_told(failure: Exception, code: str, close: int) -> None:
    talk = started()
    (told,) = talk.fail(None, failure)
    assert error(told)[0] == code
    assert talk.closed is not None
    assert talk.closed.code == close


def test_a_message_that_is_too_large_changes_nothing() -> None:
    talk = started()
    (told,) = talk.fail(None, MessageTooLarge(1024))
    assert error(told)[0] == "VALIDATION_ERROR"
    assert talk.closed is None


def test_an_old_session_that_fails_does_not_end_the_new_one() -> None:
    talk = started("es")
    talk.send("set_task", task("fr"))
    assert talk.event(1, heard("Two.")) == []
    told = talk.fail(0, EngineFailed("espeak", "it broke"))
    assert [one["message_type"] for one in told] == ["validated_transcription", "error"]
    assert talk.closed is None
    assert len(talk.event(1, heard("Three.", 1, 2.0))) == 1
