"""The speech socket: one connection, without a socket."""

import json

import pytest

from dragoman.models.errors import NoVoice, Overloaded
from dragoman.models.plan import TargetWish
from dragoman.pipeline.audio.formats import Container, media, pcm, wav
from dragoman.pipeline.events import Ended, Translation, Unspoken
from dragoman.server.commands import Close
from dragoman.server.failures import IdleTooLong, MessageTooLarge, TooManySessions
from dragoman.server.protocols.sarvam.speech.adapter import MOST_HELD, MOST_WAITING
from tests.server.sarvam.speech.talk import Talk


def test_an_utterance() -> None:
    talk = Talk()
    assert talk.config(pace=1.5, speaker="asha") == []
    assert talk.commands == [], "a connection that waits takes no place"
    assert talk.text("नमस्ते।") == []
    assert talk.send("flush") == []
    (opening,) = talk.opened
    assert opening.output_format == pcm(24_000)
    assert not opening.hears
    assert opening.targets == (TargetWish("hi", voice_id="asha", tempo=1.5),)
    assert talk.said == [(0, "नमस्ते।")]
    assert talk.finished == [0]
    assert talk.event(0, Translation("नमस्ते।", "hi", 0, 0, 0, text_id=0)) == []
    assert talk.sound(0) == ["audio/pcm ab"]
    assert talk.event(0, Ended()) == ["final"]


def test_text_is_spoken_when_there_is_enough_of_it() -> None:
    talk = Talk()
    talk.config(min_buffer_size=10, max_chunk_length=20)
    for piece in ("One. ", "Two three. ", "Fo", "ur"):
        talk.text(piece)
    assert [text.strip() for _, text in talk.said] == ["One.", "Two three."]
    talk.text("five six seven eight nine")
    talk.send("flush")
    assert "".join(text for _, text in talk.said) == "One. Two three. Fourfive six seven eight nine"
    assert len(talk.opened) == 1
    assert talk.event(0, Ended()) == ["final"], "only for the flush"


def test_without_the_wish_nothing_is_told_at_the_end() -> None:
    talk = Talk(completes=False)
    talk.config()
    talk.text("नमस्ते।")
    talk.send("flush")
    assert talk.event(0, Ended()) == []
    assert talk.send("flush") == []


def test_utterances_are_told_one_after_the_other() -> None:
    talk = Talk()
    talk.config()
    for text in ("one", "two"):
        talk.text(text)
        talk.send("flush")
    assert [one.after for one in talk.opened] == [None, 0], "the place goes on"
    assert talk.send("flush") == []
    assert talk.sound(1, b"2") == []
    assert talk.event(1, Ended()) == []
    assert talk.sound(0, b"1") == ["audio/pcm 1"]
    assert talk.event(0, Ended()) == ["final", "audio/pcm 2", "final", "final"]


def test_a_flush_of_nothing_is_answered() -> None:
    talk = Talk()
    assert talk.send("flush") == ["final"]
    talk.config()
    talk.text("  ")
    assert talk.send("flush") == ["final"]
    assert talk.commands == []


def test_another_configuration_speaks_what_waits_and_ends_no_utterance() -> None:
    talk = Talk()
    talk.config()
    talk.text("one")
    talk.config(output_audio_codec="wav", speech_sample_rate="8000")
    assert (talk.said, talk.finished) == ([(0, "one")], [0])
    talk.text("two")
    talk.send("flush")
    assert [one.output_format for one in talk.opened] == [pcm(24_000), wav(8_000)]
    assert talk.sound(1, b"2") == []
    assert talk.event(0, Ended()) == ["audio/wav 2"]
    assert talk.event(1, Ended()) == ["final"]
    talk.config()
    assert talk.send("flush") == ["final"]


def test_what_the_sdk_writes_is_understood() -> None:
    talk = Talk(model="bulbul:v2")
    assert talk.send("config", language_code="en-IN", speaker="anushka", pitch=0.0, pace=1.0, loudness=1.0,
                     speech_sample_rate=22050, enable_preprocessing=False, output_audio_codec="mp3",
                     output_audio_bitrate="128k", min_buffer_size=50, max_chunk_length=150,
                     dict_id=None) == []  # fmt: skip
    talk.text("Hello.")
    talk.send("flush")
    assert talk.opened[0].output_format == media(Container.MP3, 22_050, 128_000)


def test_pings_get_no_answer() -> None:
    talk = Talk()
    assert talk.send("ping") == []
    assert talk.adapter.patience_s() == 60.0


def test_text_before_a_configuration_ends_the_connection() -> None:
    talk = Talk()
    assert talk.text("Hello.") == ["400 text came before config: send config first"]
    assert talk.closed == Close(1003, "text came before config: send config first")


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ("{", "400 message is not a JSON object"),
        ("[]", "400 message is not a JSON object"),
        (b"\0\0", "400 message is not a JSON object"),
        ("{}", "400 type must be config, text, flush or ping"),
        ('{"type": "sing"}', "400 type 'sing' is none of"),
        ('{"type": "text"}', "400 text must have data.text"),
        ('{"type": "text", "data": {"text": 5}}', "400 text must have data.text"),
        (json.dumps({"type": "text", "data": {"text": "x" * 2_501}}), "400 text has 2501 characters: at most 2500"),
        ('{"type": "config"}', "400 config cannot be read"),
        ('{"type": "config", "data": {}}', "422 language_code is missing"),
        ('{"type": "config", "data": {"language_code": "xx"}}', "400 unknown language_code 'xx'"),
        ('{"type": "config", "data": {"language_code": "hi", "speaker": "refused"}}', "400 no such speaker"),
        ('{"type": "config", "data": {"language_code": "hi", "speaker": "early"}}', "503 server is not ready"),
        ('{"type": "config", "data": {"language_code": "hi", "output_audio_codec": "midi"}}', "400 unknown output"),
        ('{"type": "config", "data": {"language_code": "hi", "model": "bulbul:v9"}}', "400 unknown model"),
        ('{"type": "config", "data": {"language_code": "hi", "pace": 9}}', "400 pace must be"),
        (json.dumps({"type": "text", "data": {"text": "x" * 70_000}}), "413 message is larger than 65536 bytes"),
    ],
)
def test_what_is_wrong_is_told_and_the_connection_goes_on(frame: str | bytes, told: str) -> None:
    talk = Talk()
    (error,) = talk.send_raw(frame)
    assert error.startswith(told)
    assert talk.closed is None
    assert talk.config() == []


def test_a_session_that_breaks_is_told_with_its_end() -> None:
    talk = Talk()
    talk.config()
    talk.text("one")
    talk.send("flush")
    assert talk.take(talk.adapter.failed(0, TooManySessions(1))) == [
        "429 concurrency limit of 1 sessions reached; try again in 10 s", "final",
    ]  # fmt: skip
    talk.text("two. ")
    talk.text("Three four five six seven eight nine ten eleven twelve. And so on")
    assert talk.take(talk.adapter.failed(1, NoVoice("hi", "Pull one"))) == [
        "400 no voice for 'hi' is installed. Pull one"
    ]
    assert talk.take(talk.adapter.failed(1, NoVoice("hi"))) == []
    talk.send("flush")
    assert talk.event(2, Ended()) == ["final"], "the rest had a session of its own"
    assert talk.closed is None


def test_texts_that_are_not_said() -> None:
    talk = Talk()
    talk.config()
    talk.text("one")
    talk.send("flush")
    assert talk.event(0, Unspoken(0, "it cannot be said")) == ["422 it cannot be said"]
    assert talk.take(talk.adapter.refused(0, 0, Overloaded("this session")))[0].startswith("503 this session has too")
    assert talk.event(0, Ended()) == ["final"]
    assert talk.take(talk.adapter.refused(0, 0, Overloaded("this session"))) == []


def test_a_message_that_was_not_read_ends_nothing() -> None:
    talk = Talk()
    talk.config()
    for text in ("one", "two"):
        talk.text(text)
        talk.send("flush")
    talk.sound(1, b"2")
    assert talk.take(talk.adapter.failed(None, MessageTooLarge(1024, without_audio=True))) == [
        "413 message is larger than 1024 bytes without audio"
    ]
    assert talk.closed is None
    assert talk.event(0, Ended()) == ["final", "audio/pcm 2"]


def test_silence_ends_the_connection_behind_what_was_said() -> None:
    talk = Talk()
    talk.config()
    for text in ("one", "two"):
        talk.text(text)
        talk.send("flush")
    talk.sound(1, b"2")
    assert talk.take(talk.adapter.failed(None, IdleTooLong(60.0))) == ["audio/pcm 2", "408 no message for 60 s"]
    assert talk.closed == Close(1008, "no message for 60 s")


def test_no_more_waits_than_may() -> None:
    talk = Talk()
    talk.config()
    for number in range(MOST_WAITING):
        talk.text(f"text {number}")
        assert talk.send("flush") == []
    assert talk.text("one more")[0].startswith("503 this connection has too much work waiting")
    assert talk.send("flush")[0].startswith("503")
    assert len(talk.opened) == MOST_WAITING
    talk.event(0, Ended())
    assert talk.text("one more") == []


def test_speech_that_waits_for_its_turn_is_bounded() -> None:
    talk = Talk()
    talk.config()
    for text in ("one", "two"):
        talk.text(text)
        talk.send("flush")
    piece = b"a" * 300_000
    for _ in range(MOST_HELD // 400_100):
        assert talk.sound(1, piece) == []
    with pytest.raises(Overloaded):
        for _ in range(2):
            talk.sound(1, piece)
