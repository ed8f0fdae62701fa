"""How long what a client sends may be, how much is made of what is wrong with it, and where it is read."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from dragoman.server.protocols.palabra import parsing, tts_requests
from dragoman.server.protocols.palabra.errors import error_of
from dragoman.server.protocols.palabra.fields import MAX_ENTRIES, BadTask, path_of
from dragoman.server.protocols.palabra.languages import MAX_CODE, base_of
from dragoman.server.protocols.palabra.requests import Ending, Interruption, Text
from dragoman.server.protocols.palabra.task import MAX_TARGETS, Task, parse_task
from tests.server.palabra.talk import Talk, error, started, task, translated
from tests.server.palabra.test_task import FULL, PLACES, Place, replaced

MESSAGE_BYTES = 65_536
MANY = 130
"""More faults than a task has fields that stand in it once."""


def value_at(path: Place) -> Any:
    found: Any = FULL
    for step in path:
        found = found[step]
    return found


LISTS = [path for path in PLACES if isinstance(value_at(path), list)]
TEXTS = [path for path in PLACES if isinstance(value_at(path), str)]


def faults_of(data: dict[str, Any]) -> int:
    """How many faults were built to say what is wrong."""
    with pytest.raises(BadTask) as refused:
        parse_task(data)
    assert len(str(refused.value)) < 2_000
    cause = refused.value.__cause__
    return cause.error_count() if isinstance(cause, ValidationError) else 0


@pytest.mark.parametrize("path", LISTS, ids=path_of)
@pytest.mark.parametrize("item", [1, "", "xx", None, [], {}, "x" * 300])
def test_a_list_of_nonsense_has_few_faults(path: Place, item: object) -> None:
    count = MESSAGE_BYTES // (len(json.dumps(item)) + 1)
    data = replaced(path, [item] * count)
    try:
        assert faults_of(data) <= MAX_TARGETS + 1
    except pytest.fail.Exception:
        # Names may be empty; that many of them may not be.
        pytest.fail(f"{path_of(path)} takes {count} entries")


def test_a_list_of_too_many_translations_is_not_read() -> None:
    for item in (1, {}, {"target_language": "es"}):
        assert faults_of(replaced(("pipeline", "translations"), [item] * (MAX_TARGETS + 1))) == 1


def test_no_task_has_many_faults() -> None:
    one = FULL["pipeline"]["translations"][0]

    def broken(value: Any) -> Any:
        return {key: broken(inner) if isinstance(inner, dict) else 0.5j for key, inner in value.items()}

    data = broken(FULL)
    data["pipeline"]["translations"] = [broken(one)] * MAX_TARGETS
    assert len(json.dumps(data, default=lambda _: 1)) < MESSAGE_BYTES
    assert faults_of(data) < MANY


@pytest.mark.parametrize("path", TEXTS, ids=path_of)
def test_every_text_is_bounded_and_named(path: Place) -> None:
    with pytest.raises(BadTask) as refused:
        parse_task(replaced(path, "x" * 2_049))
    assert path_of(path) in str(refused.value)
    assert "xxx" not in str(refused.value)


@pytest.mark.parametrize(
    ("path", "length"),
    [
        (("pipeline", "translations", 0, "speech_generation", "voice_id"), 256),
        (("pipeline", "translations", 0, "target_language"), MAX_CODE),
    ],
)
def test_what_is_as_long_as_it_may_be(path: Place, length: int) -> None:
    text = ("es" + "-abcdefgh" * 9)[:length] if path[-1] == "target_language" else "x" * length
    parse_task(replaced(path, text))


def test_lists_may_be_as_long_as_anybody_needs() -> None:
    for path in LISTS:
        item = {"target_language": "es"} if path[-1] == "translations" else "en"
        if path[-1] != "translations":
            parse_task(replaced(path, [item] * MAX_ENTRIES))


def test_a_language_code_is_short() -> None:
    """It is told with every message of its target."""
    assert base_of("es" + "-abcdefgh" * 3 + "-abcdx") == "es"
    assert base_of("es" + "-abcdefgh" * 3 + "-abcdxy") is None
    assert base_of("es" + "-ab" * 20_000) is None


def test_a_task_comes_back_about_as_large_as_it_went_in() -> None:
    large = task("es")
    large["pipeline"]["translations"] = [
        {"target_language": f"es-x{number:02}", "style": "x" * 1_800, "speech_generation": {"novelty": "y" * 100}}
        for number in range(MAX_TARGETS)
    ]
    frame = json.dumps({"message_type": "set_task", "data": large})
    assert 60_000 < len(frame) < MESSAGE_BYTES
    talk = Talk()
    assert talk.send_raw(frame)[0]["data"]["event"] == "started"
    actions = talk.adapter.receive(talk.adapter.parse('{"message_type":"get_task"}'))
    (answer,) = actions
    assert len(answer.data) < 2 * MESSAGE_BYTES


# --- where messages are read


@pytest.mark.parametrize(
    ("kind", "data", "read"),
    [
        ("set_task", task(), Task),
        ("tts_task", {"text": "Hi.", "language": "es"}, Text),
        ("interrupt_task", {"languages": ["es"]}, Interruption),
        ("flush_task", {}, Interruption),
        ("end_task", {"force": True}, Ending),
        ("set_task", {}, BadTask),
        ("tts_task", {}, BadTask),
        ("interrupt_task", {"languages": 1}, BadTask),
        ("end_task", {"force": 1}, BadTask),
        ("get_task", {"exclude_hidden": True}, type(None)),
        ("dance", {}, type(None)),
    ],
)
def test_the_fields_of_a_command_are_read_with_it(kind: str, data: Any, read: type) -> None:
    parsed = parsing.parse(json.dumps({"message_type": kind, "data": data}))
    assert isinstance(parsed, parsing.Command)
    assert isinstance(parsed.fields, read)
    again = parsing.parse(json.dumps({"message_type": kind, "data": json.dumps(data)}))
    assert isinstance(again, parsing.Command)
    assert isinstance(again.fields, read)


def test_so_are_those_of_the_speaking_socket() -> None:
    for message, kind in (
        ({"type": "init", "language": "es"}, tts_requests.Init),
        ({"type": "text", "text": "Hi."}, tts_requests.Piece),
        ({"type": "cancel"}, tts_requests.Cancel),
        ({"type": "text"}, BadTask),
        ({"type": "text", "text": "x", "voice_options": {"speed": 9}}, BadTask),
    ):
        assert isinstance(tts_requests.parse(json.dumps(message)), kind)


def test_what_comes_at_the_wrong_time_is_told_before_what_is_wrong_in_it() -> None:
    assert error(Talk().send("tts_task", {})[0])[0] == "NOT_FOUND"
    talk = started()
    talk.send("end_task")
    assert error(talk.send("set_task", {})[0]) == ("BAD_REQUEST", "the task is ending")


def test_many_languages_to_interrupt_are_refused_unlooked_at() -> None:
    talk = started()
    (refusal,) = talk.send("interrupt_task", {"languages": ["es"] * 10_000})
    assert error(refusal)[1].startswith("languages: list should have at most 128 items")


# --- audio inside text inside JSON


def test_large_audio_may_stand_in_a_text_of_json() -> None:
    talk = started()
    chunk = json.dumps({"data": "AAAA" * 90_000})
    assert talk.send("input_audio_data", chunk) == []
    assert [len(command.data) for command in talk.commands] == [270_000]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "data",
    [
        {"data": "AAAA" * 90_000, "novelty": "x" * 70_000},
        json.dumps({"data": "AAAA" * 90_000, "novelty": "x" * 70_000}),
        json.dumps({"novelty": "x" * 70_000}),
        json.dumps([[]] * 30_000),
        json.dumps("x" * 70_000),
        [[]] * 30_000,
        5 * [70_000 * "x"],
        {"data": {"data": "x" * 70_000}, "novelty": "x" * 70_000},
    ],
)
def test_nothing_else_may_be_large_there(data: Any) -> None:
    (refusal,) = started().send("input_audio_data", data)
    assert error(refusal) == ("VALIDATION_ERROR", "message is larger than 65536 bytes without audio")


def test_what_nobody_knows_is_a_fault_of_the_server() -> None:
    assert error_of(RuntimeError("?")) == ("SERVER_ERROR", "?", 1011)


def test_translations_go_on_behind_a_message_that_was_too_large() -> None:
    talk = started()
    talk.send("set_task", {"novelty": "x" * 70_000})
    assert talk.event(0, translated("Uno."))[0]["message_type"] == "translated_transcription"
