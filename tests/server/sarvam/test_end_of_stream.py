"""`end_of_stream`, as the plug-ins of LiveKit and Vision Agents send it: what was heard is told, then Close 1000."""

import base64
from typing import Any

import pytest

from dragoman.models.errors import EngineFailed
from dragoman.pipeline.audio.formats import pcm
from dragoman.pipeline.events import Ended, Translated
from dragoman.server.commands import Close, Feed, Finish, FlushInput, Open, Send
from dragoman.server.failures import TooManySessions
from tests.fakes.engines import tone
from tests.sdk.speech import as_wav
from tests.server.sarvam.talking import FakeSlowness, talking, utterances
from tests.server.sarvam.test_adapter import SAMPLES, WAV, Talk, clause, heard, told
from tests.waiting import until_async

LIVEKIT = {"type": "end_of_stream", "audio": {"data": "", "encoding": "audio/wav", "sample_rate": 16000}}
VISION = {"type": "end_of_stream"}
FORMS = pytest.mark.parametrize(
    "end", [LIVEKIT, VISION, {"type": "end_of_stream", "audio": None}, {"type": "end_of_stream", "audio": {}}]
)


@FORMS
def test_what_was_heard_is_told_and_then_the_close(end: dict[str, Any]) -> None:
    talk = Talk(transcribes=True)
    talk.opened()
    assert talk.says(end) == [Finish(0)]
    (data,) = talk.hears(heard("Fail better."))
    assert data["data"]["transcript"] == "Fail better."
    assert talk.adapter.event(0, Ended()) == [Close(1000)]


@FORMS
@pytest.mark.parametrize(
    "before", [[], [{"type": "flush"}], [{"type": "config", "prompt": "Agra"}], [{"audio": {"data": ""}}]]
)
def test_where_nothing_was_heard_the_close_comes_at_once(end: dict[str, Any], before: list[Any]) -> None:
    talk = Talk()
    for message in before:
        talk.says(message)
    assert talk.says(end) == [Close(1000)]


def test_what_comes_behind_it_is_ignored() -> None:
    talk = Talk(transcribes=True)
    talk.opened()
    talk.says(VISION)
    for message in (LIVEKIT, VISION, {"type": "flush"}, {"type": "config", "prompt": "a"}, "{", b"ab"):
        assert talk.says(message) == []
    assert talk.audio() == talk.audio(as_wav(SAMPLES, 8000)) == []
    assert talk.adapter.event(0, Ended()) == [Close(1000)]


def test_the_last_audio_may_come_with_it() -> None:
    encoded = base64.b64encode(WAV).decode()
    talk = Talk()
    opening, feed, finish = talk.says({"type": "end_of_stream", "audio": {"data": encoded}})
    assert isinstance(opening, Open)
    assert opening.input_format == pcm(16000)
    assert (feed, finish) == (Feed(0, SAMPLES.tobytes()), Finish(0))
    again = Talk()
    again.opened()
    assert again.says({"type": "end_of_stream", "audio": {"data": encoded}}) == [feed, finish]


def test_audio_in_it_that_cannot_be_read_is_told_and_the_end_is_the_end() -> None:
    talk = Talk(transcribes=True)
    talk.opened()
    error, finish = talk.says({"type": "end_of_stream", "audio": {"data": "%"}})
    assert isinstance(error, Send)
    assert error.error == "invalid_audio"
    assert finish == Finish(0)
    assert talk.adapter.event(0, Ended()) == [Close(1000)]
    other = Talk()
    sent, close = other.says({"type": "end_of_stream", "audio": [1]})
    assert told([sent])[0]["data"]["code"] == "invalid_audio"
    assert close == Close(1000)


def test_audio_in_it_that_cannot_be_decoded_is_why_the_connection_ends() -> None:
    talk = Talk(transcribes=True)
    talk.opened()
    end = {"type": "end_of_stream", "audio": {"data": base64.b64encode(b"RIFF\0\0\0\0AVI LIST").decode()}}
    assert talk.says(end) == [Finish(0)]
    error, close = talk.adapter.event(0, Ended())
    assert told([error])[0]["data"]["code"] == "invalid_audio"
    assert isinstance(close, Close)
    assert close.code == 1003


def test_a_flush_before_it_and_a_translation_behind_it() -> None:
    talk = Talk()
    talk.opened()
    assert talk.says({"type": "flush"}) == [FlushInput(0, 0)]
    assert talk.says(LIVEKIT) == [Finish(0)]
    (data,) = talk.hears(heard("x"), clause("Hello"), Translated(0, 0))
    assert data["data"]["transcript"] == "Hello"
    assert talk.adapter.event(0, Ended()) == [Close(1000)]


def test_it_counts_even_where_flushes_do_not() -> None:
    talk = Talk(flush_signal="false")
    talk.opened()
    assert talk.says(VISION) == [Finish(0)]


def test_every_session_of_the_connection_is_waited_for() -> None:
    talk = Talk(transcribes=True)
    talk.opened()
    talk.audio(as_wav(SAMPLES, 8000))
    talk.adapter.opened(1, "session-1")
    assert talk.says(VISION) == [Finish(1)]
    assert talk.hears(heard("two"), Ended(), key=1) == []
    (one,) = talk.hears(heard("one"))
    *two, close = talk.adapter.event(0, Ended())
    assert [one["data"]["transcript"], told(two)[0]["data"]["transcript"]] == ["one", "two"]
    assert close == Close(1000)


def test_a_session_that_breaks_meanwhile_is_an_error() -> None:
    talk = Talk()
    talk.opened()
    talk.says(VISION)
    error, close = talk.adapter.failed(0, EngineFailed("whisper", "no"))
    assert told([error])[0]["data"]["code"] == "internal_error"
    assert close == Close(1011, "whisper failed: no")
    refused = Talk()
    refused.audio()
    refused.says(VISION)
    error, close = refused.adapter.failed(0, TooManySessions(1))
    assert told([error])[0]["data"]["code"] == "rate_limit_exceeded"
    assert isinstance(close, Close)


@pytest.mark.parametrize("end", [LIVEKIT, VISION])
async def test_an_utterance_that_goes_on_is_not_lost(end: dict[str, Any]) -> None:
    slow = FakeSlowness()
    async with talking(slow) as client:
        await client.speak(utterances(2))
        client.send(end)
        client.send({"audio": {"data": base64.b64encode(tone(1.0).tobytes()).decode()}})
        slow.allow(2)
        await client.until(["START_SPEECH", "END_SPEECH", "hello 0", "START_SPEECH", "END_SPEECH", "hello 1"])
        await until_async(lambda: client.socket.closes)
        assert client.socket.closes == [(1000, "")]


async def test_at_the_very_beginning() -> None:
    async with talking(FakeSlowness()) as client:
        client.send(LIVEKIT)
        await until_async(lambda: client.socket.closes)
        assert client.socket.closes == [(1000, "")]
        assert client.told == []
