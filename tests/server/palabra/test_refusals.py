"""Texts that there is no room for, or that cannot be said after all: told, forgotten, and waited for by nobody."""

from typing import Any

import pytest

from dragoman.models.base import LanguagePair
from dragoman.models.errors import EngineFailed, ModelError, NoTranslator, Overloaded
from dragoman.pipeline.events import Ended
from dragoman.server.commands import Say, Send
from tests.server.palabra.talk import Talk, done, error, say, spoken, started, task, translated
from tests.server.palabra.test_tts import Spoken, chunks, file_end

FULL = Overloaded("texts", 5.0)


def refuse(talk: Talk, text_id: Any, failure: ModelError = FULL, key: Any = 0) -> list[Any]:
    return talk._told(talk.adapter.refused(key, text_id, failure))


def ends(told: list[Any]) -> list[tuple[str, str]]:
    """Whose ends are told, in which languages."""
    assert all(one["message_type"] == "output_audio_data" and one["data"]["last_chunk"] for one in told)
    return [(one["data"]["transcription_id"], one["data"]["language"]) for one in told]


@pytest.mark.parametrize(
    ("failure", "code", "text"),
    [
        (FULL, "RATE_LIMIT_EXCEEDED", "too many texts wait to be said; try again in 5 s"),
        (NoTranslator(LanguagePair("en", "es")), "VALIDATION_ERROR", "language: no translator for en→es is installed"),
        (EngineFailed("espeak", "no"), "SERVER_ERROR", "espeak failed: no"),
    ],
)
@pytest.mark.parametrize("make", [lambda: started("es"), Spoken])
def test_how_a_refusal_is_told(make: Any, failure: ModelError, code: str, text: str) -> None:
    talk = make()
    told, *_ = refuse(talk, "7", failure)
    assert error(told) == (code, text)
    assert talk.closed is None


# --- tts_task


def test_a_text_is_queued_before_anybody_knows_whether_there_is_room() -> None:
    talk = started("es")
    actions = talk.adapter.receive(
        talk.adapter.parse('{"message_type":"tts_task","data":{"text":"Hi.","language":"en","translate_text":true}}')
    )
    assert [type(action) for action in actions] == [Send, Say]


def test_a_refused_text_ends_in_every_target_and_nothing_of_it_is_kept() -> None:
    talk = started("es", "fr")
    text_id = say(talk)[0]["data"]["transcription_id"]
    told, *last = refuse(talk, text_id)
    assert error(told)[0] == "RATE_LIMIT_EXCEEDED"
    assert ends(last) == [(text_id, "es"), (text_id, "fr")]
    assert talk.event(0, done(text_id), done(text_id, 1)) == []
    assert talk.send("interrupt_task")[:-1] == [], "no passage is left to be ended"


def test_a_text_for_one_target_ends_there() -> None:
    talk = started("es", "fr")
    text_id = say(talk, "Bonjour.", "fr", translate=False)[0]["data"]["transcription_id"]
    assert ends(refuse(talk, text_id)[1:]) == [(text_id, "fr")]


def test_where_only_texts_are_wanted_there_is_no_end_to_tell() -> None:
    talk = started("es", output_stream=None)
    text_id = say(talk)[0]["data"]["transcription_id"]
    assert len(refuse(talk, text_id)) == 1


def test_texts_before_and_behind_a_refused_one_are_said_in_order() -> None:
    talk = started("es")
    first, second, third = (say(talk)[0]["data"]["transcription_id"] for _ in range(3))
    refuse(talk, second)
    told = talk.event(
        0,
        translated("Uno.", 0, text_id=first),
        done(first),
        translated("Tres.", 1, text_id=third),
        done(third),
        spoken(10, 0),
        spoken(10, 1),
    )
    assert [(one["data"].get("transcription") or one["data"])["transcription_id"] for one in told] == [
        first,
        third,
        first,
        third,
    ]


def test_the_end_of_a_refused_text_waits_for_its_sessions_turn() -> None:
    talk = started("es")
    first = say(talk)[0]["data"]["transcription_id"]
    talk.send("set_task", task("fr"))
    second = say(talk)[0]["data"]["transcription_id"]
    assert len(refuse(talk, second, key=1)) == 1
    told = talk.event(0, translated("Uno.", 0, text_id=first), done(first), spoken(10), Ended())
    assert ends(told[-1:]) == [(second, "fr")]


def test_a_text_that_was_interrupted_before_it_was_refused_ends_once() -> None:
    talk = started("es")
    text_id = say(talk)[0]["data"]["transcription_id"]
    assert ends(talk.send("interrupt_task")[:-1]) == [(text_id, "es")]
    assert len(refuse(talk, text_id)) == 1


def test_a_refusal_of_a_session_that_is_over() -> None:
    assert len(refuse(started("es"), "7", key=3)) == 1


# --- Palabra.tts()


def test_a_generation_whose_only_text_is_refused_ends() -> None:
    talk = Spoken()
    talk.text("Uno.", generation_id="g")
    assert chunks(refuse(talk, "0")[1:]) == [("g", 0, True)]
    talk.text("Dos.", generation_id="h")
    assert chunks(talk.speak(0, "1")) == [("h", 20, False), ("h", 0, True)]


def test_a_refused_piece_within_a_generation_ends_nothing() -> None:
    talk = Spoken()
    talk.text("Uno. Dos", eos=False, generation_id="g")
    assert len(refuse(talk, "0")) == 1
    talk.text(" tres.", generation_id="g")
    assert [(given.text.strip(), given.ends_stream) for given in talk.said[-1:]] == [("Dos tres.", True)]
    assert len(talk.commands) == 1, "the file goes on"
    assert chunks(talk.speak(0, "1")) == [("g", 20, False), ("g", 0, True)]


def test_a_generation_whose_last_text_is_refused_ends_behind_its_others() -> None:
    talk = Spoken()
    talk.text("Uno. Dos", eos=False, generation_id="g")
    talk.text(" tres.", generation_id="g")
    talk.event(0, translated("Uno.", 0, text_id="0"), done("0"))
    assert len(refuse(talk, "1")) == 1, "the first is still being spoken"
    assert chunks(talk.speak(0, "0")) == [("g", 20, False), ("g", 0, True)]


def test_a_last_text_with_nothing_to_say_does_not_end_a_generation_early() -> None:
    talk = Spoken()
    talk.text("Uno. Dos", eos=False, generation_id="g")
    talk.text("…", generation_id="g")
    assert talk.event(0, translated("Uno.", 0, text_id="0"), done("0"), done("1")) == []
    assert chunks([*talk.speak(0, "0"), *talk.event(0, file_end("1"))]) == [("g", 20, False), ("g", 0, True)]


def test_the_same_id_again_is_another_generation() -> None:
    talk = Spoken()
    talk.text("Uno.", generation_id="g")
    talk.text("Dos.", generation_id="g")
    talk.event(0, translated("Uno.", 0, text_id="0"), done("0"))
    assert chunks(refuse(talk, "1")[1:]) == [("g", 0, True)]
    assert chunks(talk.speak(0, "0")) == [("g", 20, False), ("g", 0, True)]


def test_the_end_waits_for_the_voice_before() -> None:
    talk = Spoken()
    talk.text("Uno. Dos", eos=False, generation_id="g")
    talk.text(" tres.", generation_id="g", voice_options={"voice_id": "nice"})
    (text_id,) = (command.given.text_id for command in talk.commands[3:] if isinstance(command, Say))
    assert len(refuse(talk, text_id, key=1)) == 1
    said = talk.speak(0, "0")
    assert chunks(said) == [("g", 20, False)]
    assert chunks(talk.event(0, Ended())) == [("g", 0, True)]


def test_a_refused_text_may_be_cancelled_with_the_rest() -> None:
    talk = Spoken()
    talk.text("Uno. Dos", eos=False, generation_id="g")
    refuse(talk, "0")
    assert chunks(talk.say_raw({"type": "cancel"})) == [("g", 0, True)], "it was begun, and its end was not told"
    assert talk.say_raw({"type": "cancel"}) == []
