"""`finalize` on the socket of `Palabra.stt()`: what is being said ends, and the answer carries `<fin>`."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from dragoman.models.base import Hypothesis, RecognitionRequest, Samples
from dragoman.pipeline.events import Event, Flushed, Recognised, Translated
from dragoman.pipeline.latency import Latency
from dragoman.server.commands import Close, Feed, FlushInput, Open, Send
from dragoman.server.connection import Connection
from dragoman.server.failures import IdleTooLong
from dragoman.server.protocols.palabra.stt import SttAdapter
from tests.fakes.engines import fake_engines, s16, silence, tone
from tests.fakes.readable import reader, spoken
from tests.fakes.socket import FakeSocket
from tests.server.palabra.talk import Listening, heard, supposed, translated
from tests.server.served import in_process
from tests.waiting import until_async

FINALIZE = '{"message_type":"finalize"}'


def adapter(latency: Latency = "balanced", **query: str) -> SttAdapter:
    return Listening(query, latency)


def listening(**query: str) -> SttAdapter:
    """An adapter that has got audio."""
    one = adapter(**query)
    one.receive(one.parse(b"ab"))
    return one


def told(outputs: Iterable[Any]) -> list[dict[str, Any]]:
    return [json.loads(output.data) for output in outputs if isinstance(output, Send)]


def events(one: SttAdapter, *happened: Event) -> list[tuple[str, bool]]:
    """Text of each message, and whether it is final."""
    found = [message for event in happened for message in told(one.event(0, event))]
    return [(message["segment"]["text"], message["is_eos"]) for message in found]


def flushed(number: int = 0) -> list[Event]:
    return [Recognised(2.0, number), Flushed(number, 2.0)]


def closed_by_flush(text: str, segment_id: int = 0, start_s: float = 0.0) -> Event:
    return replace(heard(text, segment_id, start_s), paused=False)


def test_it_is_a_command_and_the_socket_stays_open() -> None:
    one = listening()
    assert one.receive(one.parse(FINALIZE)) == [FlushInput(0, 0)]
    assert one.receive(one.parse(b"cd")) == [Feed(0, b"cd")]
    assert one.receive(one.parse(FINALIZE)) == [FlushInput(0, 1)]


@pytest.mark.parametrize(
    "frame",
    [FINALIZE, '{"message_type": "finalize", "data": {}}', '\ufeff{"data":null,"message_type":"finalize","x":1}'],
)
def test_forms_of_the_command(frame: str) -> None:
    one = listening()
    assert one.receive(one.parse(frame)) == [FlushInput(0, 0)]


def test_what_it_closes_ends_in_the_sign() -> None:
    one = listening(language="en-us")
    one.receive(one.parse(FINALIZE))
    (message,) = told(one.event(0, closed_by_flush("Fail better.")))
    assert message["segment"] == {"text": "Fail better.<fin>", "start_time": 0.0, "end_time": 1.0}
    assert (message["is_eos"], message["language"], message["delta"]["text"]) == (True, "en-us", "Fail better.<fin>")
    assert events(one, *flushed()) == []


def test_only_the_last_piece_of_what_it_closes_has_the_sign() -> None:
    one = listening()
    one.receive(one.parse(FINALIZE))
    assert events(one, closed_by_flush("It works. It really does."), *flushed()) == [
        ("It works.", True),
        ("It really does.<fin>", True),
    ]


def test_the_sign_alone_where_nothing_was_recognised() -> None:
    one = listening(language="en-us")
    one.receive(one.parse(FINALIZE))
    (message,) = [found for event in flushed() for found in told(one.event(0, event))]
    assert message["message_type"] == "transcription"
    assert message["segment"] == {"text": "<fin>", "start_time": 2.0, "end_time": 2.0}
    assert (message["is_eos"], message["language"], message["delta"]["text"]) == (True, "en-us", "<fin>")
    assert message["transcription_id"]


def test_what_a_pause_has_closed_is_not_said_again() -> None:
    one = listening()
    assert events(one, heard("Hello.")) == [("Hello.", True)]
    one.receive(one.parse(FINALIZE))
    assert events(one, *flushed()) == [("<fin>", True)]


def test_what_was_said_word_by_word_ends_with_its_last_words() -> None:
    one = listening()
    one.receive(one.parse(FINALIZE))
    assert events(one, heard("We stay", closes=False), supposed("at home", 1.0)) == [("We stay at home", False)]
    assert events(one, closed_by_flush("at home", start_s=1.0), *flushed()) == [("We stay at home<fin>", True)]
    one.receive(one.parse(FINALIZE))
    assert events(one, heard("We stay.", 1, closes=False), closed_by_flush("", 1), *flushed(1)) == [
        ("We stay.<fin>", True)
    ]


def test_what_was_supposed_and_came_to_nothing_is_over_with_the_sign() -> None:
    one = listening()
    (shown,) = told(one.event(0, supposed("Hm")))
    one.receive(one.parse(FINALIZE))
    (sign,) = [found for event in flushed() for found in told(one.event(0, event))]
    assert sign["transcription_id"] == shown["transcription_id"]
    (after,) = told(one.event(0, supposed("Hm")))
    assert after["transcription_id"] != shown["transcription_id"]


def test_before_any_audio_it_is_answered_at_once() -> None:
    one = adapter(language="en-us", translate_languages="es")
    for _ in range(2):
        (message,) = told(one.receive(one.parse(FINALIZE)))
        assert (message["segment"]["text"], message["is_eos"], message["language"]) == ("<fin>", True, "en-us")
    opening, feed = one.receive(one.parse(b"ab"))
    assert isinstance(opening, Open)
    assert feed == Feed(0, b"ab")


def test_each_of_two_in_a_row_is_answered_in_order() -> None:
    one = listening()
    for _ in range(2):
        one.receive(one.parse(FINALIZE))
    assert events(one, closed_by_flush("Hello."), Recognised(2.0, 0), Recognised(2.0, 1), Flushed(0), Flushed(1)) == [
        ("Hello.<fin>", True),
        ("<fin>", True),
    ]


def test_a_slow_translation_does_not_mix_up_what_each_has_closed() -> None:
    """The first one closes nothing; its translations are waited for while the second is recognised."""
    one = listening(translate_languages="es")
    for _ in range(2):
        one.receive(one.parse(FINALIZE))
    assert events(
        one,
        heard("One."),
        Recognised(1.5),
        Recognised(2.0, 0),
        closed_by_flush("Two.", 1, 2.0),
        Recognised(3.0),
        Recognised(3.0, 1),
        translated("Uno."),
        Translated(0, segment_id=0),
        Flushed(0),
        translated("Dos.", 1, start_s=2.0),
        Translated(0, segment_id=1),
        Flushed(1),
    ) == [("One.", True), ("<fin>", True), ("Two.<fin>", True), ("Uno.", True), ("Dos.", True)]


def test_the_end_of_a_segment_at_a_pause_is_no_answer() -> None:
    one = listening()
    one.receive(one.parse(FINALIZE))
    assert events(one, heard("One."), Recognised(1.5), *flushed()) == [("One.", True), ("<fin>", True)]


def test_what_falls_silent_without_the_command_has_no_sign() -> None:
    one = listening()
    assert events(one, closed_by_flush("Hello.")) == [("Hello.", True)]
    assert one.failed(None, IdleTooLong(10)) == [Close(1001, "no audio for 10 s")]


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        ("{}", "message_type: must be a string"),
        ("finalize", "message is not JSON"),
        ('"finalize"', "message is not a JSON object"),
        (
            '{"message_type":"Finalize"}',
            "message_type: 'Finalize' is no command here, and audio comes in binary frames",
        ),
        ('{"message_type":"end_task"}', "message_type: 'end_task' is no command here"),
        ('{"type":"finalize"}', "message_type: must be a string"),
        (
            '{"message_type":"input_audio_data","data":{"data":"AAAA"}}',
            "message_type: 'input_audio_data' is no command",
        ),
        ('{"message_type":"finalize","data":[1]}', "data: must be an object"),
        ('{"message_type":"finalize","x":"' + "y" * 70_000 + '"}', "message is larger than 65536 bytes"),
    ],
)
def test_other_text_is_an_error_and_changes_nothing(frame: str, text: str) -> None:
    one = listening()
    (message,) = told(one.receive(one.parse(frame)))
    assert message["data"]["code"] == "VALIDATION_ERROR"
    assert message["data"]["desc"].startswith(text)
    assert one.receive(one.parse(FINALIZE)) == [FlushInput(0, 0)]


def hear(request: RecognitionRequest) -> str | Hypothesis:
    return reader(times=False)(request)


async def answers(audio: list[Samples | str], latency: Latency, count: int, **query: str) -> list[dict[str, Any]]:
    """What a whole server with fake engines tells a client that sends all this, until there are `count` signs."""
    async with in_process(lambda: fake_engines(hear)) as services:
        frames = [piece if isinstance(piece, str) else s16(piece) for piece in audio]
        socket = FakeSocket(frames)
        connection = Connection(socket.as_websocket(), adapter(latency, **query), services)
        serving = asyncio.create_task(connection.serve())
        try:
            await until_async(lambda: sum("<fin>" in str(sent) for sent in socket.sent) == count)
            assert socket.closes == []
        finally:
            serving.cancel()
            await asyncio.wait({serving})
    return [json.loads(sent) for sent in socket.sent]


def said(messages: list[dict[str, Any]]) -> list[str]:
    return [one["segment"]["text"] for one in messages if one["is_eos"] and one["message_type"] == "transcription"]


@pytest.mark.parametrize("latency", ["low", "balanced", "quality"])
@pytest.mark.parametrize("query", [{}, {"translate_languages": "es"}], ids=["transcribed", "translated"])
async def test_in_the_middle_of_speech(latency: Latency, query: dict[str, str]) -> None:
    found = await answers([spoken(6), FINALIZE, spoken(4, first=6), FINALIZE], latency, 2, **query)
    text = " ".join(said(found))
    assert [piece.split()[-1] for piece in text.split("<fin>")[:-1]] == ["w5.", "w9."]
    assert text.replace("<fin>", "").replace(".", "").split() == [f"w{number}" for number in range(10)]


async def test_in_silence_and_again() -> None:
    found = await answers([spoken(6), silence(1.5), FINALIZE, FINALIZE, silence(0.2), FINALIZE], "balanced", 3)
    assert said(found)[-3:] == ["<fin>"] * 3


async def test_a_noise_without_words() -> None:
    found = await answers([tone(1.0, level=0.011), FINALIZE], "balanced", 1)
    assert said(found) == ["<fin>"]
