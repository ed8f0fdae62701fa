"""What was heard and what was given: texts and audio, under the ids that join them."""

import base64
import zlib
from typing import Any

import pytest

from dragoman.pipeline.events import SpeechStarted, Translated, Unspoken
from tests.server.palabra.talk import (
    Talk,
    done,
    error,
    heard,
    say,
    spoken,
    started,
    status,
    supposed,
    task,
    text_task,
    translated,
)

# --- texts of speech


def test_one_id_joins_partial_validated_translations_and_audio() -> None:
    talk = started("es", "fr")
    (one,) = talk.event(0, SpeechStarted(0.0), supposed("Good"))
    (two,) = talk.event(0, supposed("Good mor"))
    assert talk.event(0, supposed("Good mor")) == []
    (validated,) = talk.event(0, heard("Good morning."))
    (spanish,) = talk.event(0, translated("Buenos días.", start_s=0.0))
    (french,) = talk.event(0, translated("Bonjour.", branch=1))
    told = [one, two, validated, spanish, french]
    texts = [message["data"]["transcription"] for message in told]
    assert [message["message_type"] for message in told] == [
        "partial_transcription",
        "partial_transcription",
        "validated_transcription",
        "translated_transcription",
        "translated_transcription",
    ]
    assert [text["text"] for text in texts] == ["Good", "Good mor", "Good morning.", "Buenos días.", "Bonjour."]
    assert [text["language"] for text in texts] == ["en", "en", "en", "es", "fr"]
    (unit_id,) = {text["transcription_id"] for text in texts}
    assert len(unit_id) == 16
    assert int(unit_id, 16) >= 0
    assert texts[3]["translation_part_id"] == texts[4]["translation_part_id"] == 0
    assert texts[2]["segments"] == [
        {
            "text": "Good morning.",
            "start": 0.0,
            "end": 1.0,
            "start_timestamp": 1_700_000_000.0,
            "end_timestamp": 1_700_000_001.0,
        }
    ]
    (sound,) = talk.event(0, spoken(100, branch=1))
    assert sound["data"]["transcription_id"] == unit_id
    assert sound["data"]["translation_part_id"] == "0"
    assert sound["data"]["language"] == "fr"
    assert sound["data"]["last_chunk"] is True


def test_every_unit_has_an_id_of_its_own_and_its_clause_finds_it() -> None:
    talk = started()
    told = talk.event(0, heard("One. Two. Three."), heard("Four.", 1, 1.0))
    units = {one["data"]["transcription"]["text"]: one["data"]["transcription"] for one in told}
    assert list(units) == ["One.", "Two.", "Three.", "Four."]
    assert len({unit["transcription_id"] for unit in units.values()}) == 4
    for number, text in enumerate(units):
        at_s = units[text]["segments"][0]["start"]
        (message,) = talk.event(0, translated(text.upper(), number, start_s=at_s + 0.001))
        assert message["data"]["transcription"]["transcription_id"] == units[text]["transcription_id"]


def test_increments_grow_a_partial_until_the_unit_is_complete() -> None:
    talk = started()
    told = talk.event(
        0,
        heard("one two", closes=False),
        supposed("three", 1.0),
        heard("three four", start_s=1.0, closes=False),
        heard("", start_s=2.0),
    )
    texts = [(one["message_type"].split("_")[0], one["data"]["transcription"]["text"]) for one in told]
    assert texts == [
        ("partial", "one two three"),
        ("validated", "one two three four"),
    ]
    assert len({one["data"]["transcription"]["transcription_id"] for one in told}) == 1


def test_only_the_types_that_are_wanted_are_told() -> None:
    for types in ([], ["validated_transcription"], ["partial_transcription", "translated_transcription"]):
        talk = started(pipeline=task()["pipeline"] | {"allowed_message_types": types})
        told = talk.event(0, supposed("Go"), heard("Good."), translated("Bueno."), spoken(10))
        assert [one["message_type"] for one in told if one["message_type"] != "output_audio_data"] == types
        assert told[-1]["message_type"] == "output_audio_data"


def test_growing_translations_come_to_who_asked_for_them() -> None:
    changed = text_task("es", "fr", types=("partial_translated_transcription", "translated_transcription"))
    changed["pipeline"]["translations"][0]["translate_partial_transcriptions"] = True
    talk = Talk()
    talk.send("set_task", changed)
    talk.send("tts_task", {"text": "One. Two.", "language": "en", "translate_text": True})
    text_id = talk.said[0].text_id
    told = talk.event(
        0,
        translated("Uno.", 0, text_id=text_id),
        translated("Un.", 0, 1, text_id=text_id),
        translated("Dos.", 1, text_id=text_id),
    )
    assert [(one["message_type"], one["data"]["transcription"]["text"]) for one in told] == [
        ("partial_translated_transcription", "Uno."),
        ("translated_transcription", "Uno."),
        ("translated_transcription", "Un."),
        ("partial_translated_transcription", "Uno. Dos."),
        ("translated_transcription", "Dos."),
    ]
    assert [one["data"]["transcription"]["translation_part_id"] for one in told] == [0, 0, 0, 1, 1]


def test_spellings_with_regions_come_back() -> None:
    changed = task("PT-br")
    changed["pipeline"]["transcription"]["source_language"] = "en-us"
    talk = Talk()
    talk.send("set_task", changed)
    told = talk.event(0, heard("Good."), translated("Bom."), spoken(10))
    languages = [(one["data"].get("transcription") or one["data"])["language"] for one in told]
    assert languages == ["en-us", "PT-br", "PT-br"]


# --- audio out


def test_audio_goes_out_in_pieces_of_200_ms_and_the_last_is_marked() -> None:
    talk = started()
    talk.event(0, heard("Good."), translated("Bueno."))
    told = talk.event(0, *(spoken(7680, last=False) for _ in range(2)), spoken(100))
    sizes = [len(base64.b64decode(one["data"]["data"])) for one in told]
    assert sizes == [9600, 9600, 9600, 2 * 15460 - 3 * 9600]
    assert [one["data"]["last_chunk"] for one in told] == [False, False, False, True]
    sound = b"".join(base64.b64decode(one["data"]["data"]) for one in told)
    assert sound == bytes([1, 2]) * 15460


def test_a_clause_without_sound_still_ends() -> None:
    talk = started()
    talk.event(0, heard("Good."), translated("Bueno."))
    (end,) = talk.event(0, spoken(0))
    assert (end["data"]["data"], end["data"]["last_chunk"]) == ("", True)


def test_a_clause_that_cannot_be_spoken_is_told_and_ends() -> None:
    talk = started()
    talk.event(0, heard("Good."), translated("Bueno."))
    refused, end = talk.event(0, Unspoken(0, "espeak failed: why"), spoken(0))
    assert error(refused) == ("SERVER_ERROR", "espeak failed: why")
    assert (end["data"]["data"], end["data"]["last_chunk"]) == ("", True)
    assert talk.closed is None
    assert talk.event(0, heard("Bye.", 1, 1.0), translated("Adiós.", 1, start_s=1.0)) != []


def test_each_message_is_packed_by_itself() -> None:
    changed = task()
    changed["output_stream"]["target"]["format"] = "zlib_pcm_s16le"
    talk = Talk()
    talk.send("set_task", changed)
    talk.event(0, heard("Good."), translated("Bueno."))
    told = talk.event(0, spoken(5000), translated("Otro.", 1), spoken(0, 1))
    sounds = [base64.b64decode(one["data"]["data"]) for one in told if one["message_type"] == "output_audio_data"]
    assert [len(zlib.decompress(sound)) for sound in sounds[:2]] == [9600, 400]
    assert sounds[2] == b""


def test_a_clause_that_is_translated_in_parts_ends_once() -> None:
    talk = started()
    told = talk.event(
        0,
        heard("We stay at home", closes=False),
        translated("Nos quedamos"),
        spoken(10, 0),
        heard("today.", start_s=1.0),
        translated("en casa hoy.", 1, length_s=2.0),
        spoken(10, 1),
        heard("Why", 1, 5.0, closes=False),
        translated("Por qué", 2, start_s=5.0),
        spoken(10, 2, last=False),
        heard("", 1, 6.0),
        Translated(0, segment_id=1),
        spoken(10, 2),
    )
    validated = [one["data"]["transcription"] for one in told if one["message_type"] == "validated_transcription"]
    assert [one["text"] for one in validated] == ["We stay at home today.", "Why"]
    parts = [one["data"]["transcription"] for one in told if one["message_type"] == "translated_transcription"]
    ids = [one["transcription_id"] for one in validated]
    assert [(one["transcription_id"], one["translation_part_id"]) for one in parts] == [
        (ids[0], 0),
        (ids[0], 1),
        (ids[1], 0),
    ]
    sounds = [one["data"] for one in told if one["message_type"] == "output_audio_data"]
    assert [(one["transcription_id"], one["translation_part_id"], one["last_chunk"]) for one in sounds] == [
        (ids[0], "0", False),
        (ids[0], "1", False),
        (ids[0], "1", True),
        (ids[1], "0", True),
    ]


# --- given text


def test_a_text_is_translated_into_every_target_and_its_end_is_marked_once() -> None:
    talk = started("es", "fr")
    (queued,) = say(talk, "One. Two.")
    text_id = queued["data"].pop("transcription_id")
    assert queued == status("queued", "tts_task")
    assert talk.kinds() == ["Say"]
    (given,) = talk.said
    assert (given.text_id, given.text, given.language, given.translate) == (text_id, "One. Two.", "en", True)
    told = talk.event(
        0,
        translated("Uno.", 0, text_id=text_id),
        spoken(10, 0),
        translated("Un.", 0, 1, text_id=text_id),
        translated("Dos.", 1, text_id=text_id),
        done(text_id),
        spoken(10, 1),
        spoken(10, 0, 1),
        done(text_id, 1),
    )
    assert {(one["data"].get("transcription") or one["data"])["transcription_id"] for one in told} == {text_id}
    sounds = [one["data"] for one in told if one["message_type"] == "output_audio_data"]
    assert [(one["language"], one["translation_part_id"], one["last_chunk"], bool(one["data"])) for one in sounds] == [
        ("es", "0", False, True),
        ("es", "1", True, True),
        ("fr", "0", False, True),
        ("fr", "0", True, False),
    ]


def test_a_text_that_is_not_translated_is_only_heard_in_its_target() -> None:
    talk = started("es", "fr")
    (queued,) = say(talk, "Bonjour.", "fr", translate=False)
    text_id = queued["data"]["transcription_id"]
    assert not talk.said[0].translate
    told = talk.event(
        0, done(text_id), translated("Bonjour.", 0, 1, text_id=text_id), spoken(10, 0, 1), done(text_id, 1)
    )
    assert [one["message_type"] for one in told] == ["output_audio_data"] * 2
    assert {one["data"]["language"] for one in told} == {"fr"}
    assert [one["data"]["last_chunk"] for one in told] == [False, True]


def test_two_targets_of_one_language_are_told_apart() -> None:
    talk = started("en-us", "en-gb")
    (queued,) = say(talk, "Hello.", "en-GB", translate=False)
    text_id = queued["data"]["transcription_id"]
    told = talk.event(
        0,
        translated("Hello.", 0, 0, text_id=text_id),
        spoken(10, 0, 0),
        done(text_id, 0),
        translated("Hello.", 0, 1, text_id=text_id),
        done(text_id, 1),
        spoken(10, 0, 1),
    )
    assert [one["data"]["language"] for one in told] == ["en-gb"]


def test_a_text_with_nothing_to_say_ends_too() -> None:
    talk = started("es")
    (queued,) = say(talk, "…")
    (end,) = talk.event(0, done(queued["data"]["transcription_id"]))
    assert end["data"]["last_chunk"] is True


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({}, "text: is required; language: is required"),
        ({"text": "", "language": "en"}, "text: must not be empty"),
        ({"text": " \n", "language": "en"}, "text: must not be empty"),
        ({"text": "x" * 2049, "language": "en", "translate_text": True}, "text: must have at most 2048 characters"),
        ({"text": 1, "language": "en"}, "text: must be a valid string"),
        ({"text": "x", "language": "auto", "translate_text": True}, "language: is not a supported language"),
        ({"text": "x", "language": "xx"}, "language: is not a supported language"),
        ({"text": "x", "language": "en"}, "language: must be a target of the task"),
        ({"text": "x", "language": "fr", "translate_text": False}, "language: must be a target of the task"),
        ({"text": "x", "language": "es", "translate_text": "yes"}, "translate_text: must be a valid boolean"),
        ({"text": "x", "language": "cy", "translate_text": True}, "language: no translator for cy→es is installed"),
    ],
)
def test_texts_that_cannot_be_said_are_refused(data: Any, named: str) -> None:
    talk = started("es")
    (refusal,) = talk.send("tts_task", data)
    assert error(refusal)[0] == "VALIDATION_ERROR"
    assert error(refusal)[1].startswith(named)
    assert talk.commands == []


def test_2048_characters_are_not_too_many() -> None:
    (queued,) = say(started(), "ä" * 2048)
    assert queued["data"]["event"] == "queued"


def test_60_texts_in_a_minute_and_no_more() -> None:
    talk = started()
    for _ in range(60):
        talk.now_s += 0.5
        assert say(talk)[0]["data"]["event"] == "queued"
    (refusal,) = say(talk)
    assert error(refusal)[0] == "RATE_LIMIT_EXCEEDED"
    assert talk.commands == []
    talk.now_s = 60.5
    assert say(talk)[0]["data"]["event"] == "queued"
    assert error(say(talk)[0])[0] == "RATE_LIMIT_EXCEEDED"
