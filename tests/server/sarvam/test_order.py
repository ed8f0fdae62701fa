"""START, END and text of one utterance come before START of the next, however slow the recogniser is."""

import pytest

from dragoman.pipeline.events import Ended, Event, Recognised, SpeechEnded, SpeechStarted, Translated
from dragoman.server.commands import Close
from dragoman.server.failures import IdleTooLong
from tests.fakes.engines import silence
from tests.sdk.speech import as_wav
from tests.server.sarvam.talking import FakeSlowness, talking, utterances
from tests.server.sarvam.test_adapter import SAMPLES, Talk, clause, heard, told


def signals(talk: Talk, *events: Event, key: int = 0) -> list[str]:
    return [
        message["data"].get("signal_type") or message["data"]["transcript"] for message in talk.hears(*events, key=key)
    ]


def speaking(at_s: float) -> list[Event]:
    return [SpeechStarted(at_s), SpeechEnded(at_s + 1)]


def opened(*, transcribes: bool = True) -> Talk:
    talk = Talk(transcribes=transcribes, vad_signals="true")
    talk.opened()
    return talk


def test_the_next_beginning_waits_for_the_text() -> None:
    talk = opened()
    assert signals(talk, *speaking(0.0)) == ["START_SPEECH", "END_SPEECH"]
    talk.clock.now += 2
    assert signals(talk, SpeechStarted(2.0)) == []
    talk.clock.now += 5
    (one, two) = talk.hears(heard("one"), Recognised(1.0))
    assert one["data"]["transcript"] == "one"
    assert two["data"]["signal_type"] == "START_SPEECH"
    assert two["data"]["occured_at"] == 1_760_000_002.0, "when it was, not when it is told"
    assert signals(talk, SpeechEnded(3.0), heard("two", 1), Recognised(3.0)) == ["END_SPEECH", "two"]


def test_many_utterances_wait_in_line() -> None:
    talk = opened()
    assert signals(talk, *speaking(0), *speaking(2), *speaking(4), SpeechStarted(6)) == ["START_SPEECH", "END_SPEECH"]
    assert signals(talk, heard("one"), Recognised(1)) == ["one", "START_SPEECH", "END_SPEECH"]
    assert signals(talk, heard("two", 1), Recognised(3), heard("three", 2)) == [
        "two",
        "START_SPEECH",
        "END_SPEECH",
        "three",
    ]
    assert signals(talk, Recognised(5), SpeechEnded(7)) == ["START_SPEECH", "END_SPEECH"]


def test_one_without_words_holds_nobody_up_once_that_is_known() -> None:
    talk = opened()
    assert signals(talk, *speaking(0), *speaking(2)) == ["START_SPEECH", "END_SPEECH"]
    assert signals(talk, Recognised(1)) == ["START_SPEECH", "END_SPEECH"]
    assert signals(talk, Recognised(3), SpeechStarted(4)) == ["START_SPEECH"]


def test_a_flush_settles_nothing_by_itself() -> None:
    talk = opened()
    assert signals(talk, SpeechStarted(0), Recognised(0.5, 0), SpeechEnded(1), SpeechStarted(2)) == [
        "START_SPEECH",
        "END_SPEECH",
    ]
    assert signals(talk, Recognised(1), Recognised(1, 1)) == ["START_SPEECH"]


def test_a_translation_is_waited_for() -> None:
    talk = opened(transcribes=False)
    assert signals(talk, *speaking(0), heard("eins"), Recognised(1), *speaking(2)) == ["START_SPEECH", "END_SPEECH"]
    assert signals(talk, heard("zwei", 1), Recognised(3), clause("one"), SpeechStarted(4)) == []
    assert signals(talk, Translated(0, 0)) == ["one", "START_SPEECH", "END_SPEECH"]
    assert signals(talk, clause("two", 1), Translated(0, 1)) == ["two", "START_SPEECH"]


def test_a_translation_that_is_there_before_the_last_words_are() -> None:
    talk = opened(transcribes=False)
    assert signals(talk, *speaking(0), heard("eins"), clause("one"), Translated(0, 0), SpeechStarted(2)) == [
        "START_SPEECH",
        "END_SPEECH",
        "one",
    ]
    assert signals(talk, Recognised(1)) == ["START_SPEECH"]


def test_without_signals_only_the_texts_are_told() -> None:
    talk = Talk(transcribes=True)
    talk.opened()
    assert signals(talk, *speaking(0), SpeechStarted(2), heard("one"), Recognised(1)) == ["one"]


def test_another_header_does_not_change_the_order() -> None:
    talk = opened()
    assert signals(talk, *speaking(0)) == ["START_SPEECH", "END_SPEECH"]
    talk.audio(as_wav(SAMPLES, 8000))
    talk.adapter.opened(1, "session-1")
    talk.audio(as_wav(SAMPLES, 24000))
    talk.adapter.opened(2, "session-2")
    assert signals(talk, *speaking(0), heard("three"), Recognised(1), Ended(), key=2) == []
    assert signals(talk, *speaking(0), heard("two"), Recognised(1), key=1) == []
    assert signals(talk, heard("one"), Recognised(1)) == ["one"]
    assert signals(talk, Ended()) == ["START_SPEECH", "END_SPEECH", "two"]
    assert signals(talk, Ended(), key=1) == ["START_SPEECH", "END_SPEECH", "three"]


def test_a_later_session_that_breaks_keeps_what_it_has_said() -> None:
    talk = opened()
    talk.audio(as_wav(SAMPLES, 8000))
    talk.adapter.opened(1, "session-1")
    assert signals(talk, *speaking(0), heard("two"), Recognised(1), key=1) == []
    assert talk.adapter.failed(1, RuntimeError("no")) == []
    assert signals(talk, *speaking(0), heard("one")) == ["START_SPEECH", "END_SPEECH", "one"]
    *said, error, close = talk.adapter.event(0, Ended())
    assert [message["data"].get("transcript") for message in told(said)] == [None, None, "two"]
    assert told([error])[0]["type"] == "error"
    assert isinstance(close, Close)


def test_what_waits_in_line_is_told_before_the_end_of_an_idle_connection() -> None:
    talk = opened()
    talk.audio(as_wav(SAMPLES, 8000))
    assert signals(talk, *speaking(0), heard("two"), Recognised(1), key=1) == []
    *said, _, close = talk.adapter.failed(None, IdleTooLong(60))
    assert [message["data"].get("transcript") for message in told(said)] == [None, None, "two"]
    assert isinstance(close, Close)


async def test_a_slow_recogniser() -> None:
    slow = FakeSlowness()
    async with talking(slow) as client:
        await client.speak(utterances(3))
        await client.until(["START_SPEECH", "END_SPEECH"])
        slow.allow()
        await client.until(["START_SPEECH", "END_SPEECH", "hello 0", "START_SPEECH", "END_SPEECH"])
        slow.allow()
        first = ["START_SPEECH", "END_SPEECH", "hello 0", "START_SPEECH", "END_SPEECH", "hello 1", "START_SPEECH"]
        await client.until(first)
        await client.speak(silence(1.0))
        slow.allow()
        await client.until([*first, "END_SPEECH", "hello 2"])


async def test_a_slow_recogniser_that_hears_nothing() -> None:
    slow = FakeSlowness(deaf=True)
    async with talking(slow) as client:
        await client.speak(utterances(2))
        await client.until(["START_SPEECH", "END_SPEECH"])
        slow.allow()
        await client.until(["START_SPEECH", "END_SPEECH", "START_SPEECH"])


async def test_a_flush_with_a_slow_recogniser() -> None:
    slow = FakeSlowness()
    async with talking(slow) as client:
        for _ in range(2):
            await client.speak(utterances(1))
            client.send({"type": "flush"})
        await client.speak(utterances(1))
        await client.until(["START_SPEECH", "END_SPEECH"])
        slow.allow(2)
        await client.until(
            ["START_SPEECH", "END_SPEECH", "hello 0", "START_SPEECH", "END_SPEECH", "hello 1", "START_SPEECH"]
        )


@pytest.mark.parametrize("stream_type", ["balanced", "simulated"])
async def test_the_realtime_socket(stream_type: str) -> None:
    slow = FakeSlowness()
    async with talking(slow, realtime=True, stream_type=stream_type) as client:
        await client.speak(utterances(3))
        start = ["session.begin", "vad.speech_start 0", "vad.speech_end 0"]
        await client.until(start)
        slow.allow()
        start += ["transcript.final 0 hello 0", "vad.speech_start 1", "vad.speech_end 1"]
        await client.until(start)
        slow.allow()
        await client.until([*start, "transcript.final 1 hello 1", "vad.speech_start 2"])
