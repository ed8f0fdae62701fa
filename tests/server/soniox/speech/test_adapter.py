"""The streams of one speech socket: what opens and ends them, and what is told of what is wrong."""

import base64
from typing import Any

import pytest

from dragoman.models import errors as model_errors
from dragoman.models.plan import TargetWish
from dragoman.pipeline.audio.formats import Container, Encoding, media, ogg_opus, pcm, wav
from dragoman.pipeline.events import Ended, Speech, Translated, Unspoken
from dragoman.pipeline.items import GivenText
from dragoman.server import failures
from dragoman.server.commands import Abort, Finish, Open, Say
from dragoman.server.protocols.soniox.credentials import Grant
from dragoman.server.protocols.soniox.speech.adapter import MAX_OVER, MAX_STREAMS
from tests.server.soniox.speech.talk import CONFIG, KEY, Talk, spoken


def texts(talk: Talk, key: int | None = None) -> list[str]:
    return [command.given.text for command in talk.commands if isinstance(command, Say) and key in (None, command.key)]


def error(told: list[dict[str, Any]], stream_id: str | None = "s") -> tuple[int, str, str]:
    """The error of a stream, with the end of the stream behind it; or that of the connection."""
    first, *rest = told
    assert first.get("stream_id") == stream_id
    assert rest == ([{"stream_id": stream_id, "terminated": True}] if stream_id is not None else [])
    return first["error_code"], first["error_type"], first["error_message"]


def test_one_stream_from_its_configuration_to_its_end() -> None:
    talk = Talk()
    assert talk.open(speed=1.2) == []
    assert talk.text("Hello there. How") == []
    opening, say = talk.commands
    assert isinstance(opening, Open)
    assert not opening.hears
    assert opening.output_format == pcm(16_000)
    assert opening.targets == (TargetWish("en", voice_id="adrian", tempo=1.2),)
    assert say == Say(0, GivenText("0", "Hello there.", "en", translate=False))
    talk.text(" are you?", end=True)
    assert talk.commands[2:] == [Say(0, GivenText("1", " How are you?", "en", translate=False)), Finish(0)]
    audio, more = talk.event(0, *spoken(0, "Hello there.", 0.0, 0.5), *spoken(1, "How are you?", 0.5, 0.75))
    assert (audio["stream_id"], audio["audio_end"], len(base64.b64decode(audio["audio"]))) == ("s", False, 16_000)
    assert len(base64.b64decode(more["audio"])) == 8_000
    assert talk.event(0, Ended()) == [
        {"stream_id": "s", "audio": "", "audio_end": True},
        {"stream_id": "s", "terminated": True},
    ]
    assert talk.event(0, Ended()) == []
    assert talk.closed is None


def test_a_stream_without_text_needs_no_session() -> None:
    talk = Talk()
    talk.open()
    assert talk.text(" \n ") == []
    assert talk.text("", end=True) == [
        {"stream_id": "s", "audio": "", "audio_end": True},
        {"stream_id": "s", "terminated": True},
    ]
    talk.open()
    assert talk.send({"stream_id": "s", "cancel": True}) == [{"stream_id": "s", "terminated": True}]
    assert talk.commands == []


def test_an_end_without_a_text_and_a_second_end_are_understood() -> None:
    talk = Talk()
    talk.open()
    talk.send({"stream_id": "s", "text": "Hello"})
    assert talk.commands == []
    assert talk.send({"stream_id": "s", "text_end": True}) == []
    assert texts(talk) == ["Hello"]
    assert talk.text("", end=True) == talk.text("", end=False) == []
    assert sum(isinstance(command, Finish) for command in talk.commands) == 1
    assert error(talk.text("more"))[2] == "text came behind text_end"
    assert talk.commands[-1] == Abort(0)


def test_what_is_wanted_in_other_words() -> None:
    talk = Talk()
    talk.open(audio_format="wav", sample_rate=None, speed=None, voice=None, language=None, novelty=[1])
    talk.open("t", audio_format="pcm_mulaw", sample_rate=8_000, bitrate=None, reduce_silence=True)
    talk.text("Yes.", end=True)
    talk.text("Yes.", "t", end=True)
    first, second = (command for command in talk.commands if isinstance(command, Open))
    assert first.output_format == wav(24_000)
    assert first.targets == (TargetWish("en"),)
    assert second.output_format == pcm(8_000, Encoding.ULAW)


def test_codecs_are_asked_for_a_rate_and_bits() -> None:
    talk = Talk()
    wanted = {
        "mp3": media(Container.MP3, 44_100, 96_000),
        "aac": media(Container.AAC, 44_100, 96_000),
        "flac": media(Container.FLAC, 44_100),
        "opus": ogg_opus(48_000, 96_000),
    }
    for name in wanted:
        talk.open(name, audio_format=name, sample_rate=44_100, bitrate=96_000)
        talk.text("Yes.", name, end=True)
    found = [command.output_format for command in talk.commands if isinstance(command, Open)]
    assert found == [*wanted.values()]


def test_streams_are_apart() -> None:
    talk = Talk()
    for number in range(MAX_STREAMS):
        assert talk.open(f"{number}") == []
    assert error(talk.open("one more"), "one more") == (
        429,
        "limit_exceeded",
        "a connection may have 5 streams at once",
    )
    talk.text("One.", "1", end=True)
    talk.text("Two.", "2", end=True)
    assert (texts(talk, 0), texts(talk, 1)) == (["One."], ["Two."])
    assert talk.send({"stream_id": "1", "cancel": True}) == [{"stream_id": "1", "terminated": True}]
    assert talk.commands[-1] == Abort(0)
    assert talk.event(0, *spoken(0, "One.", 0, 1)) == []
    assert [message["stream_id"] for message in talk.event(1, *spoken(0, "Two.", 0, 1), Ended())] == ["2"] * 3
    assert talk.open("5") == talk.open("6") == []
    assert talk.closed is None


def test_an_id_is_free_again_behind_its_end() -> None:
    talk = Talk()
    talk.open()
    assert error(talk.open()) == (400, "invalid_request", "a stream with this stream_id is open")
    assert talk.text("late") == talk.send({"stream_id": "s", "cancel": True}) == []
    assert talk.open() == []
    talk.text("Hello.", end=True)
    assert texts(talk) == ["Hello."]


def test_of_streams_that_are_over_only_the_newest_are_remembered() -> None:
    talk = Talk()
    for number in range(MAX_OVER + 1):
        talk.open(f"{number}")
        talk.send({"stream_id": f"{number}", "cancel": True})
    assert talk.text("late", f"{MAX_OVER}") == []
    assert error(talk.text("late", "0"), "0")[2].startswith("there is no stream with this stream_id")


@pytest.mark.parametrize(
    ("fields", "kind", "text"),
    [
        ({"model": None}, "invalid_request", "model is missing"),
        ({"model": "tts-rt-v0"}, "model_not_available", "unknown model 'tts-rt-v0': use one of tts-rt-v2"),
        ({"model": "stt-rt-v6"}, "model_not_available", "unknown model"),
        ({"model": "x" * 51}, "invalid_request", "invalid stream configuration: Expected str of length <= 50 in model"),
        ({"voice": "x" * 51}, "invalid_request", "in voice"),
        ({"language": "x" * 51}, "invalid_request", "in language"),
        ({"language": "cy"}, "invalid_request", "no voice for 'cy' is installed"),
        ({"audio_format": None}, "invalid_request", "audio_format is missing"),
        ({"audio_format": "ogg"}, "invalid_request", "unsupported audio_format 'ogg': use one of pcm_s16le, pcm_s16be"),
        ({"sample_rate": 22_050}, "invalid_request", "sample_rate must be one of 8000, 16000"),
        ({"bitrate": 1}, "invalid_request", "bitrate must be one of 32000"),
        ({"speed": 0.69}, "invalid_request", "in speed"),
        ({"speed": 1.31}, "invalid_request", "in speed"),
        ({"speed": "fast"}, "invalid_request", "in speed"),
        ({"client_reference_id": "x" * 257}, "invalid_request", "in client_reference_id"),
        ({"return_timestamps": "yes"}, "invalid_request", "in return_timestamps"),
        ({"text": 3}, "invalid_request", "invalid text message: Expected str"),
        ({"text": "x" * 5_001}, "invalid_request", "length <= 5000 in text"),
        ({"cancel": "x"}, "invalid_request", "invalid cancel message"),
    ],
)
def test_what_is_wrong_with_a_stream_ends_that_stream(fields: dict[str, Any], kind: str, text: str) -> None:
    talk = Talk()
    talk.open("other")
    code, found, said = error(talk.open(**fields))
    assert (code, found) == (400, kind)
    assert text in said
    assert talk.text("Hello.", "other", end=True) == []
    assert texts(talk) == ["Hello."]
    assert talk.closed is None


@pytest.mark.parametrize("model", ["tts-rt-v1", "tts-rt-v1-preview", "tts-rt-v3", "tts-rt-v10-preview"])
def test_models_of_before_and_to_come(model: str) -> None:
    assert Talk().open(model=model) == []


@pytest.mark.parametrize(
    "message",
    ["", "[]", "{", b"\xff", "null", {}, {"text": "x"}, {**CONFIG, "stream_id": ""}, {**CONFIG, "stream_id": 3},
     {**CONFIG, "stream_id": "x" * 257}],
)  # fmt: skip
def test_what_is_no_message_of_a_stream_ends_the_connection(message: Any) -> None:
    talk = Talk()
    assert error(talk.send(message), None)[:2] == (400, "invalid_request")
    assert talk.closed == 1000
    assert talk.open() == []
    assert talk.failed(None, failures.ShuttingDown()) == []


def test_a_large_message_ends_the_connection() -> None:
    talk = Talk()
    assert error(talk.text("x" * 70_000), None)[0] == 413
    assert talk.closed == 1000


def test_keepalives_say_nothing() -> None:
    talk = Talk(grant=None)
    assert talk.send({"keep_alive": True}) == talk.send({"keep_alive": True, "stream_id": "s"}) == []
    assert talk.closed is None


def test_the_key_may_come_with_each_configuration() -> None:
    talk = Talk(grant=None)
    assert talk.open(api_key=KEY) == talk.open("t", api_key=KEY) == []
    assert error(talk.open("u", api_key="wrong"), None) == (401, "unauthenticated", "API key is not valid")
    assert talk.closed == 1000
    other = Talk(grant=None)
    assert error(other.open(), None) == (401, "unauthenticated", "API key is missing")


def test_a_key_for_a_single_use_is_used_once_by_a_connection() -> None:
    talk = Talk(grant=None)
    for number in range(3):
        assert talk.open(f"{number}", api_key=KEY) == []
    assert talk.asked == [KEY]


def test_failures_of_a_session() -> None:
    for failure, code, kind in [
        (failures.TooManySessions(4), 429, "limit_exceeded"),
        (model_errors.EngineFailed("espeak", "broken pipe"), 500, "internal_error"),
        (failures.NotReady("engines are being loaded"), 503, "service_unavailable"),
        (failures.SessionTooLong(3000), 400, "invalid_request"),
    ]:
        talk = Talk()
        talk.open()
        talk.text("Hello.", end=True)
        assert error(talk.failed(0, failure))[:2] == (code, kind)
        assert talk.failed(0, failure) == talk.event(0, Ended()) == []
        assert talk.closed is None


def test_a_temporary_key_limits_a_stream() -> None:
    talk = Talk(Grant(5.0, "me", "theirs"))
    talk.open(client_reference_id="mine")
    talk.text("Hello.", end=True)
    opening = talk.commands[0]
    assert isinstance(opening, Open)
    assert opening.limit_s == 5.0
    assert error(talk.failed(0, failures.SessionTooLong(5.0)))[:2] == (403, "temp_api_key_session_expired")
    (use,) = talk.ledger.over("me")
    assert use.reference == "theirs"


def test_a_clause_that_cannot_be_spoken_ends_the_stream() -> None:
    talk = Talk()
    talk.open()
    talk.text("Hello.", end=True)
    with pytest.raises(failures.BadMessage, match="text cannot be spoken: no such sounds"):
        talk.event(0, Unspoken(0, "no such sounds"))


def test_text_that_waits_is_bounded() -> None:
    talk = Talk(texts_bytes=6_000)
    talk.open()
    long = "word " * 900 + "end. "
    assert talk.text(f"{long}A") == []
    code, _, text = error(talk.text(f"{long}A"))
    assert (code, text) == (400, "more than 6000 bytes of text wait to be said")
    assert talk.commands[-1] == Abort(0)
    talk.open()
    talk.text(f"{long}A")
    talk.event(1, Translated(0, text_id="0"))
    assert talk.text(f"{long}A") == []


def test_a_sentence_without_an_end_is_said_in_parts() -> None:
    talk = Talk(texts_bytes=1_000_000)
    talk.open()
    for _ in range(5):
        talk.text("word " * 900)
    talk.text("", end=True)
    assert all(text.endswith(" ") for text in texts(talk)[:-1])
    assert "".join(texts(talk)) == "word " * 4_500
    assert max(map(len, texts(talk))) < 10_000


def test_where_characters_are() -> None:
    talk = Talk()
    talk.open(return_timestamps=True)
    talk.text("Ab cd. Efg.", end=True)
    first, second, rest = (
        spoken(0, "Ab cd.", 0.0, 0.3, last=False),
        [Speech(b"", "en", 0.3, 0.6, 0, 0.6, last=True)],
        spoken(1, "Efg.", 0.6, 1.1),
    )
    told = talk.event(0, first[0], first[1], Speech(b"12", "en", 0.0, 0.3, 0, 0.6, last=False), *second, *rest)
    found = [message["timestamps"] for message in told]
    assert ["".join(one["characters"]) for one in found] == ["Ab ", "cd.", " Efg."]
    assert found[0]["character_start_times_seconds"] == [0.0, 0.1, 0.2]
    assert found[1]["character_end_times_seconds"] == [0.4, 0.5, 0.6]
    assert found[2]["character_start_times_seconds"][0] == 0.6
    assert found[2]["character_end_times_seconds"][-1] == 1.1


def test_what_was_used_is_written_down() -> None:
    talk = Talk()
    talk.open(client_reference_id="mine")
    talk.open("left")
    talk.text("Hello there. Good", end=True)
    assert talk.ledger.running("tts", "me") == 2
    talk.event(0, *spoken(0, "Hello there.", 0.0, 0.5), *spoken(1, "Good", 0.5, 1.0), Ended())
    (use,) = talk.ledger.over("me")
    assert (use.model, use.reference, use.input_text_tokens, use.output_audio_ms) == ("tts-rt-v2", "mine", 3, 1_000)
    talk.adapter.leave()
    assert talk.ledger.running("tts") == 0
    assert len([*talk.ledger.over("me")]) == 2
