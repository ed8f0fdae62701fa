"""The socket of `Palabra.stt()`."""

import json
from typing import Any

import pytest

from dragoman.models.plan import TargetWish
from dragoman.pipeline.audio.errors import BadAudio
from dragoman.pipeline.audio.formats import Container, Encoding, pcm, ulaw
from dragoman.pipeline.events import Ended, Translated
from dragoman.server.commands import Close, Feed, Open, Send
from dragoman.server.failures import BadMessage, IdleTooLong
from dragoman.server.protocols.palabra.stt import FORMATS, SttAdapter, parse_query
from tests.server.palabra.talk import Listening, heard, supposed, translated


def adapter(**query: str) -> SttAdapter:
    return Listening(query)


def told(outputs: Any) -> list[dict[str, Any]]:
    return [json.loads(output.data) for output in outputs if isinstance(output, Send)]


def test_the_first_audio_opens_the_session() -> None:
    listening = adapter(language="en-us", translate_languages="es,pt-BR")
    opening, feed = listening.receive(listening.parse(b"ab"))
    assert isinstance(opening, Open)
    assert opening.input_format == pcm(16000)
    assert opening.output_format is None
    assert opening.source == "en"
    assert opening.partials
    assert opening.targets == tuple(TargetWish(code, excluded=frozenset({code}), speaks=False) for code in ("es", "pt"))
    assert feed == Feed(0, b"ab")
    assert listening.receive(listening.parse(b"cd")) == [Feed(0, b"cd")]
    assert listening.patience_s() == 10.0


def test_what_is_said_is_told_whole_every_time() -> None:
    listening = adapter(language="en-us", translate_languages="es,pt-BR")
    messages = [
        message
        for event in (
            supposed("Good"),
            supposed("Good mor"),
            heard("Good morning."),
            translated("Buenos días."),
            translated("Bom dia.", branch=1),
            Ended(),
        )
        for message in told(listening.event(0, event))
    ]
    assert [(one["message_type"], one["language"], one["is_eos"]) for one in messages] == [
        ("transcription", "en-us", False),
        ("transcription", "en-us", False),
        ("transcription", "en-us", True),
        ("translated_transcription", "es", True),
        ("translated_transcription", "pt-BR", True),
    ]
    assert [one["segment"]["text"] for one in messages[:3]] == ["Good", "Good mor", "Good morning."]
    assert [one["delta"]["text"] for one in messages[:3]] == ["Good", " mor", "ning."]
    assert messages[2]["segment"] == {"text": "Good morning.", "start_time": 0.0, "end_time": 1.0}
    assert len({one["transcription_id"] for one in messages}) == 1


def test_translations_that_grow_are_told_whole_every_time() -> None:
    listening = adapter(translate_languages="es")
    messages = [
        message
        for event in (
            heard("We stay at home", closes=False),
            translated("Nos quedamos"),
            heard("today.", start_s=1.0),
            translated("en casa hoy.", 1, length_s=2.0),
            Translated(0, segment_id=0),
            heard("Why", 1, 5.0, closes=False),
            translated("Por qué", 2, start_s=5.0),
            heard("", 1, 6.0),
            Translated(0, segment_id=1),
        )
        for message in told(listening.event(0, event))
        if message["message_type"] == "translated_transcription"
    ]
    assert [(one["segment"]["text"], one["delta"]["text"], one["is_eos"]) for one in messages] == [
        ("Nos quedamos", "Nos quedamos", False),
        ("Nos quedamos en casa hoy.", " en casa hoy.", True),
        ("Por qué", "Por qué", False),
        ("Por qué", "", True),
    ]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, pcm(16000)),
        ({"format": "pcm_s16le", "sample_rate": "44100"}, pcm(44100)),
        ({"format": "pcm_f32be", "sample_rate": "8000"}, pcm(8000, Encoding.F32BE)),
        ({"format": "pcm_s32le"}, pcm(16000, Encoding.S32LE)),
        ({"format": "mulaw", "sample_rate": "8000"}, ulaw(8000)),
    ],
)
def test_formats(query: dict[str, str], wanted: Any) -> None:
    assert parse_query(query).audio == wanted


def test_formats_that_say_their_rate_themselves() -> None:
    assert parse_query({"format": "webm"}).audio.container is Container.WEBM
    assert parse_query({"format": "mp3"}).audio.container is Container.MP3
    assert len(FORMATS) == 13


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"format": "midi"}, "format: must be one of pcm_s16le"),
        ({"sample_rate": "fast"}, "sample_rate: "),
        ({"sample_rate": "7999"}, "sample_rate: "),
        ({"language": "xx"}, "language: is not a supported language"),
        ({"translate_languages": "es,xx"}, "translate_languages[1]: is not a supported language"),
        ({"enable_filler_filter": "maybe"}, "enable_filler_filter: "),
    ],
)
def test_what_the_url_may_not_say(query: dict[str, str], named: str) -> None:
    with pytest.raises(BadMessage) as refused:
        parse_query(query)
    assert str(refused.value).startswith(named)


def test_text_is_no_audio() -> None:
    listening = adapter()
    (message,) = told(listening.receive(listening.parse("{}")))
    assert message["data"]["code"] == "VALIDATION_ERROR"


def test_silence_closes_without_an_error_and_failures_with_one() -> None:
    assert adapter().failed(None, IdleTooLong(10)) == [Close(1001, "no audio for 10 s")]
    message, close = adapter().failed(0, BadAudio("no file"))
    assert json.loads(message.data)["data"]["code"] == "VALIDATION_ERROR"  # type: ignore[union-attr]
    assert close == Close(1008, "bad audio: no file")
