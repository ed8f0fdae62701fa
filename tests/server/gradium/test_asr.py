"""`speech/asr` without a socket."""

import base64
import json
from typing import Any

import pytest

from dragoman.models.base import Word
from dragoman.models.errors import NoRecognizer
from dragoman.models.plan import TargetWish
from dragoman.pipeline.audio.formats import pcm, wav
from dragoman.pipeline.events import (
    Ended,
    Event,
    Flushed,
    Listened,
    Recognised,
    SpeechEnded,
    SpeechStarted,
    Transcript,
    Translated,
    Translation,
)
from dragoman.server.commands import Close, Feed, Finish, FlushInput, Open, Send
from dragoman.server.failures import TooManySessions
from dragoman.server.protocols.gradium.asr import AsrAdapter

WORDS = (Word(" Good", 1.0, 1.2), Word("day. ", 1.2, 1.5))


class Talk:
    """A client of the adapter."""

    def __init__(self, **setup: Any) -> None:
        self.adapter = AsrAdapter()
        self.opening = self.send("setup", **setup)
        self.ready = self.told(self.adapter.opened(0, "r")) if isinstance(self.opening[0], Open) else []

    def send(self, kind: str, **fields: Any) -> list[Any]:
        return list(self.adapter.receive(self.adapter.parse(json.dumps({"type": kind, **fields}))))

    def happen(self, *events: Event, key: int = 0) -> list[Any]:
        return [one for event in events for one in self.told(self.adapter.event(key, event))]

    @staticmethod
    def told(outputs: Any) -> list[Any]:
        return [json.loads(one.data) if isinstance(one, Send) else one for one in outputs]


def kinds(told: list[Any]) -> list[str]:
    return [one["type"] for one in told]


def refusal(talk: Talk) -> tuple[int, str]:
    error, close = Talk.told(talk.opening)
    assert close.code == error["code"]
    return error["code"], error["message"]


def test_a_bare_setup() -> None:
    talk = Talk()
    (opening,) = talk.opening
    assert (opening.targets, opening.output_format, opening.follows, opening.hears) == ((), None, True, True)
    assert opening.input_format.sniff
    assert talk.ready == [
        {
            "type": "ready",
            "request_id": "r",
            "model_name": "default",
            "sample_rate": 24_000,
            "frame_size": 1_920,
            "delay_in_frames": 10,
            "delay_in_tokens": 10,
            "text_stream_names": [],
        }
    ]


def test_what_a_setup_may_ask_for() -> None:
    config = {
        "language": "en-GB",
        "target_language": "fr",
        "delay_in_tokens": 48,
        "keywords": {"words": ["Dragoman", "Ana", "Ana"], "boost": 2.5},
        "temp": 1.5,
        "padding_bonus": -4,
        "latency": "low",
    }
    talk = Talk(input_format="pcm_16000", json_config=json.dumps(config), client_req_id="a")
    assert talk.opening == [
        Open(0, pcm(16_000), None, "en", targets=(), keywords=("Dragoman", "Ana"), latency="low", follows=True)
    ]
    assert talk.ready[0]["client_req_id"] == "a"
    assert (talk.ready[0]["sample_rate"], talk.ready[0]["frame_size"]) == (16_000, 1_280)
    assert talk.ready[0]["delay_in_frames"] == 48


def test_the_delay_is_never_shorter_than_it_can_be() -> None:
    assert Talk(json_config={"delay_in_frames": 0}).ready[0]["delay_in_frames"] == 5
    assert Talk(json_config={"delay_in_frames": 80}).ready[0]["delay_in_frames"] == 80


@pytest.mark.parametrize(
    "config", [{"language": "fr"}, {"target_language": "fr"}, {"language": "en", "target_language": "fr"}]
)
def test_a_translation_is_a_session_that_says_nothing(config: dict[str, str]) -> None:
    talk = Talk(model_name="stt-translate", input_format="wav", json_config=config)
    wish = TargetWish("fr", speaks=False)
    assert talk.opening == [Open(0, wav(), None, targets=(wish,), follows=True)]


@pytest.mark.parametrize(
    ("setup", "code", "named"),
    [
        ({"model_name": "s2s"}, 1003, "unknown model_name 's2s': use one of default, stt-translate"),
        ({"model_name": "stt-translate"}, 1003, "missing required 'language'"),
        ({"json_config": {"temp": 1.6}}, 1003, "json_config.temp must be a number from 0 to 1.5"),
        ({"json_config": {"delay_in_frames": 12.5}}, 1003, "json_config.delay_in_frames must be"),
        ({"json_config": {"padding_bonus": 5}}, 1003, "json_config.padding_bonus must be"),
        ({"json_config": {"language": 7}}, 1003, "json_config.language must be a language"),
        ({"json_config": {"keywords": []}}, 1003, "json_config.keywords must be an object"),
        ({"json_config": {"keywords": {"words": "x"}}}, 1003, "json_config.keywords.words must be a list"),
        ({"json_config": {"keywords": {"words": ["x"] * 501}}}, 1003, "json_config.keywords.words must be a list"),
        ({"json_config": {"keywords": {"words": ["two words"]}}}, 1003, "json_config.keywords.words must be single"),
        ({"json_config": {"keywords": {"words": ["x" * 257]}}}, 1003, "json_config.keywords.words must be single"),
        ({"json_config": {"keywords": {"boost": 7}}}, 1003, "json_config.keywords.boost must be a number"),
        ({"json_config": "{"}, 1008, "json_config is not JSON"),
        ({"input_format": "mp3"}, 1008, "unsupported input_format 'mp3'"),
        ({"client_req_id": "x" * 257}, 1008, "client_req_id is longer than 256"),
    ],
)
def test_setups_that_cannot_be(setup: dict[str, Any], code: int, named: str) -> None:
    told, message = refusal(Talk(**setup))
    assert (told, message[: len(named)]) == (code, named)


def test_each_word_has_its_end() -> None:
    talk = Talk(client_req_id="a")
    told = talk.happen(SpeechStarted(1.0), Transcript("Good day.", "en", 1.0, 1.5, words=WORDS))
    assert told == [
        {"type": "text", "text": "Good", "start_s": 1.0, "stream_id": 0, "client_req_id": "a"},
        {"type": "end_text", "stop_s": 1.2, "stream_id": 0, "client_req_id": "a"},
        {"type": "text", "text": "day.", "start_s": 1.2, "stream_id": 0, "client_req_id": "a"},
        {"type": "end_text", "stop_s": 1.5, "stream_id": 0, "client_req_id": "a"},
    ]


def test_what_is_supposed_is_not_told() -> None:
    assert Talk().happen(Transcript("Good day.", "en", 1.0, 1.5, final=False, words=WORDS)) == []


def test_a_language_without_blanks_is_told_as_a_whole() -> None:
    told = Talk().happen(Transcript("你好 世界", "zh", 1.0, 2.0))
    assert [(one["type"], one.get("text")) for one in told] == [("text", "你好世界"), ("end_text", None)]


def test_words_come_before_the_step_that_lets_a_turn_end() -> None:
    talk = Talk()
    assert kinds(talk.happen(Listened(0.8))) == ["step"] * 10
    early = talk.happen(SpeechStarted(0.8), Listened(3.2))
    assert [max(one["vad"][at]["inactivity_prob"] for one in early) for at in range(4)] == [0.1] * 4
    assert early[-1]["total_duration_s"] == pytest.approx(1.6)
    told = talk.happen(SpeechEnded(1.5), Transcript("Good day.", "en", 1.0, 1.5, words=WORDS), Recognised(1.5))
    assert kinds(told[:4]) == ["text", "end_text"] * 2
    assert kinds(told[4:]) == ["step"] * 20
    assert told[-1] == {
        "type": "step",
        "vad": [
            {"horizon_s": horizon_s, "inactivity_prob": pytest.approx(1, abs=0.01)}
            for horizon_s in (0.5, 1.0, 2.0, 3.0)
        ],
        "step_idx": 39,
        "step_duration_s": 0.08,
        "total_duration_s": 3.2,
    }


def test_silence_behind_speech_waits_for_the_translation() -> None:
    talk = Talk(model_name="stt-translate", json_config={"language": "fr"})
    talk.happen(SpeechStarted(0.0))
    assert talk.happen(Transcript("Good day.", "en", 0.0, 1.5, words=WORDS)) == []
    assert {one["vad"][0]["inactivity_prob"] for one in talk.happen(Listened(8.0))} == {0.1}
    assert talk.happen(SpeechEnded(8.0), Recognised(8.0), Listened(8.2)) == []
    told = talk.happen(Translation("Bonne journée.", "fr", 0.0, 1.5, 0, segment_id=0), Translated(0, segment_id=0))
    assert [one.get("text") for one in told] == ["Bonne", None, "journée.", None, None, None]
    assert kinds(told[4:]) == ["step"] * 2
    assert talk.happen(Listened(8.4))[-1]["vad"][0]["inactivity_prob"] > 0.9


@pytest.mark.parametrize("flush_id", [7, "1", None, 2.5])
def test_a_flush_closes_nothing_but_what_was_heard(flush_id: Any) -> None:
    talk = Talk()
    fields = {} if flush_id is None else {"flush_id": flush_id}
    (command,) = talk.send("flush", **fields)
    assert isinstance(command, FlushInput)
    talk.happen(
        SpeechStarted(0.0), Listened(0.8), Recognised(0.8), Recognised(0.8, command.flush_id), SpeechStarted(0.8)
    )
    assert talk.happen(Recognised(0.8, command.flush_id)) == []
    assert len(talk.happen(Listened(8.0))) == 10, "the segment behind it is still owed"
    assert talk.happen(Flushed(command.flush_id)) == [{"type": "flushed", **fields}]


def test_the_end() -> None:
    talk = Talk()
    talk.happen(SpeechStarted(0.0), Listened(0.9))
    assert talk.send("end_of_stream") == [Finish(0)]
    told = talk.happen(Ended(2.0))
    assert kinds(told[:-1]) == ["step"] * 15 + ["end_of_stream"]
    assert told[-1] == Close(1000)


def test_audio_without_an_id_is_for_the_latest_request() -> None:
    talk = Talk(client_req_id="a", close_ws_on_eos=False)
    talk.send("setup", client_req_id="b", close_ws_on_eos=False)
    data = base64.b64encode(b"ab").decode()
    assert talk.send("audio", audio=data) == [Feed(1, b"ab")]
    assert talk.send("audio", audio=data, client_req_id="a") == [Feed(0, b"ab")]
    assert talk.send("flush", flush_id=1)[0].key == 1
    assert Talk.told(talk.adapter.event(0, Ended(0.0))) == [{"type": "end_of_stream", "client_req_id": "a"}]


@pytest.mark.parametrize(
    ("error", "code"), [(NoRecognizer("tlh", "no"), 1003), (TooManySessions(1), 1008), (RuntimeError("x"), 1011)]
)
def test_what_nobody_installed_stays_so(error: Exception, code: int) -> None:
    told, close = Talk.told(Talk().adapter.failed(0, error))
    assert (told["code"], close.code) == (code, code)


def test_input_before_a_setup() -> None:
    adapter = AsrAdapter()
    told, close = Talk.told(adapter.receive(adapter.parse('{"type":"audio","audio":"AAAA"}')))
    assert (told["code"], close.code) == (1002, 1002)


def test_text_is_no_message_here() -> None:
    assert Talk().send("text", text="x") == []
