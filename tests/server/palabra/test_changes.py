"""A task that is paused, changed and interrupted."""

import base64
import zlib

import pytest

from dragoman.models.errors import EngineFailed, NoVoice
from dragoman.pipeline.events import Ended, Flushed
from dragoman.server.commands import Feed, Finish, FlushInput, Interrupt, Say
from dragoman.server.failures import (
    IdleTooLong,
    TooManySessions,
)
from dragoman.server.protocols.palabra.adapter import MAX_SESSIONS
from tests.server.palabra.talk import (
    audio,
    done,
    error,
    heard,
    opened,
    say,
    spoken,
    started,
    status,
    task,
    translated,
)

# --- pause and resume


def test_audio_is_dropped_while_paused_and_nobody_waits_for_it() -> None:
    talk = started()
    assert talk.send("pause_task") == [status("paused", "pause_task", "paused")]
    assert talk.commands == [FlushInput(0, None)]
    assert talk.event(0, Flushed(None)) == []
    assert talk.send("input_audio_data", audio()) == []
    assert talk.commands == []
    assert talk.adapter.patience_s() is None
    (queued,) = say(talk)
    assert queued["data"]["task_status"] == "paused"
    talk.now_s = 100
    assert talk.send("set_task", task()) == [status("resumed")]
    assert talk.adapter.patience_s() == 10.0
    talk.send("input_audio_data", audio())
    assert talk.kinds() == ["Feed"]


def test_another_task_ends_the_pause_too() -> None:
    talk = started()
    talk.send("pause_task")
    assert talk.send("set_task", task("fr")) == [status("updated")]
    talk.send("input_audio_data", audio())
    assert talk.kinds() == ["Finish", "Feed"]


def test_audio_is_waited_for_ten_seconds() -> None:
    talk = started()
    assert talk.adapter.patience_s() == 10.0
    talk.now_s = 4.0
    talk.send("get_task")
    assert talk.adapter.patience_s() == 6.0
    talk.send("input_audio_data", audio())
    assert talk.adapter.patience_s() == 10.0
    talk.now_s = 20.0
    assert 0 < talk.adapter.patience_s() < 1
    (end,) = talk.fail(None, IdleTooLong(0.5))
    assert error(end) == ("SERVICE_TIMEOUT", "no audio for 10 s: pause the task, or end it")
    assert talk.closed is not None
    assert talk.closed.code == 1008


# --- changed while it runs


def test_a_changed_task_goes_on_in_a_new_session_behind_the_old_one() -> None:
    talk = started("es")
    talk.event(0, heard("One."), translated("Uno."))
    assert opened(talk).after is None
    assert talk.send("set_task", task("fr")) == [status("updated")]
    assert talk.kinds() == ["Open"]
    assert opened(talk).after == 0, "its place goes on"
    talk.send("input_audio_data", audio())
    assert talk.commands == [Finish(0), Feed(1, bytes(960))]
    # What the new session says waits until the old one has said everything.
    assert talk.event(1, heard("Two."), translated("Deux."), spoken(10)) == []
    (sound,) = talk.event(0, spoken(10))
    assert (sound["data"]["language"], sound["data"]["last_chunk"]) == ("es", True)
    late = talk.event(0, Ended())
    assert [one["message_type"] for one in late] == [
        "validated_transcription",
        "translated_transcription",
        "output_audio_data",
    ]
    (now,) = talk.event(1, heard("Three.", 1, 2.0))
    assert now["data"]["transcription"]["text"] == "Three."


def test_sessions_end_one_behind_the_other() -> None:
    talk = started("es")
    talk.send("set_task", task("fr"))
    talk.send("set_task", task("pt"))
    talk.send("end_task")
    assert talk.commands == [Finish(1), Finish(2)]
    assert talk.event(2, heard("Two."), Ended()) == []
    assert talk.event(1, heard("One."), Ended()) == []
    told = talk.event(0, heard("Zero."), Ended())
    assert [(one["data"].get("transcription") or {}).get("text") for one in told] == ["Zero.", "One.", "Two.", None]
    assert told[-1]["message_type"] == "end_of_stream"
    assert talk.closed is not None


@pytest.mark.parametrize("failure", [NoVoice("fr"), TooManySessions(1)])
def test_a_change_that_cannot_be_made_changes_nothing(failure: Exception) -> None:
    talk = started("es")
    talk.refuse = failure
    (refusal,) = talk.send("set_task", task("fr"))
    assert refusal["message_type"] == "error"
    talk.send("input_audio_data", audio())
    assert talk.commands == [Feed(0, bytes(960))]
    assert talk.send("set_task", task("es")) == [status("unchanged")]
    bad = talk.send("set_task", {})
    assert error(bad[0])[0] == "VALIDATION_ERROR"
    assert talk.send("set_task", task("es")) == [status("unchanged")]


def test_what_was_heard_before_is_said_when_the_changed_task_breaks() -> None:
    talk = started("es")
    talk.event(0, heard("One."))
    talk.send("set_task", task("fr"))
    assert talk.fail(1, EngineFailed("piper", "no")) == []
    assert talk.send("input_audio_data", audio()) == []
    assert talk.commands == [Finish(0)], "it is still to be finished"
    assert talk.send("set_task", task("pt")) == talk.send("get_task") == []
    assert talk.commands == [], "nothing more is taken"
    assert len(talk.event(0, translated("Uno."), spoken(10))) == 2
    (end,) = talk.event(0, Ended())
    assert error(end) == ("SERVER_ERROR", "piper failed: no")
    assert talk.closed is not None
    assert talk.closed.code == 1011


def test_the_end_is_told_where_an_older_session_breaks_last() -> None:
    talk = started("es")
    talk.send("set_task", task("fr"))
    talk.send("end_task")
    assert talk.event(1, heard("Two."), Ended()) == []
    told = talk.fail(0, EngineFailed("piper", "no"))
    assert [one["message_type"] for one in told] == ["validated_transcription", "error", "end_of_stream"]
    assert talk.closed is not None
    assert talk.closed.code == 1000


def test_a_change_of_messages_needs_no_new_session() -> None:
    talk = started("es")
    changed = task("ES")
    changed["output_stream"]["target"]["format"] = "zlib_pcm_s16le"
    assert talk.send("set_task", changed) == [status("updated")]
    assert talk.commands == []
    told = talk.event(0, heard("Good."), translated("Bueno."), spoken(100))
    assert told[-1]["data"]["language"] == "ES"
    assert len(zlib.decompress(base64.b64decode(told[-1]["data"]["data"]))) == 200
    assert talk.send("set_task", changed) == [status("unchanged")]


def test_texts_of_before_and_after_a_change_keep_their_order() -> None:
    talk = started("es")
    first = say(talk)[0]["data"]["transcription_id"]
    talk.send("set_task", task("fr"))
    second = say(talk)[0]["data"]["transcription_id"]
    assert talk.kinds() == ["Finish", "Say"]
    assert talk.commands[1] == Say(1, talk.said[1])
    assert talk.event(1, translated("Salut.", text_id=second)) == []
    assert len(talk.event(0, translated("Hola.", text_id=first))) == 1
    assert len(talk.event(0, Ended())) == 1


def test_too_many_changes_at_once_are_refused() -> None:
    talk = started("es")
    codes = ["fr", "pt", "de", "it"]
    answers = [talk.send("set_task", task(code))[0] for code in codes]
    assert [one["message_type"] for one in answers] == ["task_status"] * (MAX_SESSIONS - 1) + ["error"]
    assert error(answers[-1])[0] == "RATE_LIMIT_EXCEEDED"
    talk.event(0, Ended())
    assert talk.send("set_task", task("it")) == [status("updated")]


# --- interrupted


def test_what_was_being_said_stops_and_is_told_to_have_ended() -> None:
    talk = started("es", "fr")
    talk.event(0, heard("Good."), translated("Bueno."), translated("Bon.", branch=1), spoken(5000, last=False))
    answer = talk.send("interrupt_task", {"languages": ["global"], "pause_task": False})
    assert talk.commands == [Interrupt(0, None)]
    assert answer[-1] == status("interrupted", "interrupt_task")
    ends = [one["data"] for one in answer[:-1]]
    assert [(end["language"], end["last_chunk"], end["data"]) for end in ends] == [("es", True, ""), ("fr", True, "")]
    assert talk.event(0, spoken(5000), spoken(10, branch=1)) == []
    # What is said afterwards is heard again.
    told = talk.event(0, heard("Next.", 1, 5.0), translated("Próximo.", 1, start_s=5.0), spoken(10, 1))
    assert told[-1]["data"]["last_chunk"] is True


def test_one_language_is_interrupted_and_the_others_go_on() -> None:
    talk = started("es", "pt-br")
    talk.event(0, heard("Good."), translated("Bueno."), translated("Bom.", branch=1))
    talk.send("interrupt_task", {"languages": ["PT-BR"]})
    assert talk.commands == [Interrupt(0, frozenset({"pt"}))]
    assert talk.event(0, spoken(10, branch=1)) == []
    assert len(talk.event(0, spoken(10))) == 1


def test_two_targets_of_one_language_stop_together() -> None:
    talk = started("en-us", "en-gb", "es")
    talk.event(0, heard("Good."), *(translated("Good.", branch=branch) for branch in range(3)))
    *ends, _ = talk.send("interrupt_task", {"languages": ["en-gb"]})
    assert talk.commands == [Interrupt(0, frozenset({"en"}))]
    assert [end["data"]["language"] for end in ends] == ["en-us", "en-gb"]


def test_texts_that_were_waiting_are_told_to_have_ended() -> None:
    talk = started("es")
    text_id = say(talk)[0]["data"]["transcription_id"]
    end, answer = talk.send("interrupt_task")
    assert (end["data"]["transcription_id"], end["data"]["last_chunk"]) == (text_id, True)
    assert answer == status("interrupted", "interrupt_task")
    assert talk.event(0, translated("Hola.", text_id=text_id), done(text_id)) == []


def test_an_interruption_reaches_sessions_whose_turn_has_not_come() -> None:
    talk = started("es")
    talk.send("set_task", task("fr"))
    talk.event(1, heard("Two."), translated("Deux."), spoken(10))
    talk.send("interrupt_task", {"languages": ["fr"]})
    assert Interrupt(1, frozenset({"fr"})) in talk.commands
    told = talk.event(0, Ended())
    assert [one["message_type"] for one in told] == ["validated_transcription"]


def test_an_interruption_may_pause() -> None:
    talk = started("es")
    answer = talk.send("interrupt_task", {"languages": ["global"], "pause_task": True})
    assert answer == [status("interrupted", "interrupt_task", "paused")]
    assert talk.kinds() == ["Interrupt", "FlushInput"]
    assert talk.send("set_task", task("es")) == [status("resumed")]


def test_the_older_name_and_a_language_that_is_no_target() -> None:
    talk = started("es")
    assert talk.send("flush_task", {"languages": ["es"]}) == [status("interrupted", "flush_task")]
    (refusal,) = talk.send("interrupt_task", {"languages": ["es", "fr"]})
    assert error(refusal)[1].startswith("languages[1]: ")
