"""`speech/tts` without a socket."""

import json
from typing import Any

import pytest

from dragoman.models.errors import NoVoice, Overloaded, UnknownVoice
from dragoman.models.plan import TargetWish
from dragoman.pipeline.audio.formats import ogg_opus, pcm, ulaw, wav
from dragoman.pipeline.events import Ended, Event, Flushed, Speech, Translated, Translation
from dragoman.server.commands import Abort, Close, Finish, FlushInput, Open, Say, Send
from dragoman.server.failures import NotReady
from dragoman.server.protocols.gradium.tts import TtsAdapter
from dragoman.server.protocols.gradium.voices import Speaker


class FakeVoices:
    """Knows `ana`, who speaks Spanish; strict about `nobody`; not loaded yet for `early`."""

    def speaker(self, name: str | None, language: str | None) -> Speaker:
        if name == "nobody":
            raise UnknownVoice(name)
        if name == "early":
            raise NotReady("engines are being loaded")
        return Speaker("ana", "es") if name == "ana" else Speaker(None, language or "en")


class Talk:
    """A client of the adapter."""

    def __init__(self, **setup: Any) -> None:
        self.now_s = 0.0
        self.adapter = TtsAdapter(FakeVoices(), lambda: self.now_s)
        self.opening = self.send("setup", **setup)
        self.ready = self.told(self.adapter.opened(0, "r")) if isinstance(self.opening[0], Open) else []

    def send(self, kind: str, **fields: Any) -> list[Any]:
        return list(self.adapter.receive(self.adapter.parse(json.dumps({"type": kind, **fields}))))

    def texts(self, commands: list[Any]) -> list[tuple[str, str, float]]:
        assert all(isinstance(command, Say) and not command.given.translate for command in commands)
        return [(one.given.text, one.given.language, one.given.pause_s) for one in commands]

    def happen(self, *events: Event, key: int = 0) -> list[Any]:
        return [one for event in events for one in self.told(self.adapter.event(key, event))]

    @staticmethod
    def told(outputs: Any) -> list[Any]:
        return [json.loads(one.data) if isinstance(one, Send) else one for one in outputs]


def clause(text: str, start_s: float = 0.0, stop_s: float = 1.0) -> tuple[Event, Event]:
    return (
        Translation(text, "es", 0.0, 0.0, 0, text_id=0),
        Speech(b"ab", "es", start_s, stop_s, 0, stop_s, last=True),
    )


def test_a_bare_setup() -> None:
    talk = Talk()
    (opening,) = talk.opening
    assert (opening.targets, opening.output_format, opening.hears) == ((TargetWish("en"),), wav(48_000), False)
    assert talk.ready == [
        {
            "type": "ready",
            "request_id": "r",
            "model_name": "default",
            "sample_rate": 48_000,
            "frame_size": 3_840,
            "audio_stream_names": ["tts"],
            "text_stream_names": ["tts"],
        }
    ]


@pytest.mark.parametrize(
    ("setup", "wish"),
    [
        ({"voice_id": "ana"}, TargetWish("es", voice_id="ana")),
        ({"voice": "ana"}, TargetWish("es", voice_id="ana")),
        ({"voice_id": "ana", "json_config": {"language": "fr"}}, TargetWish("es", voice_id="ana")),
        ({"voice": "default", "json_config": '{"language": "fr-CA"}'}, TargetWish("fr")),
        ({"voice_id": "vjFyp2BcCyTlUmYb", "json_config": {"rewrite_rules": "de"}}, TargetWish("de")),
        ({"json_config": {"rewrite_rules": "TimeFr: no code"}}, TargetWish("en")),
        ({"json_config": {"temp": 1.4, "cfg_coef": 4, "padding_bonus": 0}}, TargetWish("en")),
        ({"model_name": "gradium-tts-202602"}, TargetWish("en")),
        ({"voice_id": None, "pronunciation_id": "x", "retry_for_s": 3}, TargetWish("en")),
    ],
)
def test_who_speaks(setup: dict[str, Any], wish: TargetWish) -> None:
    (opening,) = Talk(**setup).opening
    assert opening.targets == (wish,)


@pytest.mark.parametrize(("padding", "tempo"), [(-4, 1.69), (-2, 1.3), (0, 1.0), (2, 1 / 1.3), (4, 1 / 1.69)])
def test_speeds(padding: float, tempo: float) -> None:
    (opening,) = Talk(json_config={"padding_bonus": padding}).opening
    assert opening.targets[0].tempo == pytest.approx(tempo)


@pytest.mark.parametrize(
    ("name", "fmt", "rate_hz"),
    [
        ("pcm", pcm(48_000), 48_000),
        ("opus", ogg_opus(), 48_000),
        ("ulaw_8000", ulaw(), 8_000),
        ("pcm_22050", pcm(22_050), 22_050),
    ],
)
def test_formats(name: str, fmt: Any, rate_hz: int) -> None:
    talk = Talk(output_format=name)
    assert talk.opening[0].output_format == fmt
    assert (talk.ready[0]["sample_rate"], talk.ready[0]["frame_size"]) == (rate_hz, round(rate_hz * 0.08))


@pytest.mark.parametrize(
    ("setup", "code", "named"),
    [
        ({"model_name": "s2s"}, 1003, "unknown model_name 's2s'"),
        ({"voice_id": "nobody"}, 1003, "Embeddings not found for nobody"),
        ({"voice_id": "early"}, 1011, "server is not ready"),
        ({"json_config": {"temp": 1.5}}, 1003, "json_config.temp must be a number from 0 to 1.4"),
        ({"json_config": {"cfg_coef": 0}}, 1003, "json_config.cfg_coef must be a number from 1 to 4"),
        ({"json_config": {"padding_bonus": "fast"}}, 1003, "json_config.padding_bonus must be"),
        ({"json_config": {"rewrite_rules": []}}, 1003, "json_config.rewrite_rules must be text"),
        ({"json_config": []}, 1008, "invalid setup"),
        ({"output_format": "mp3"}, 1008, "unsupported output_format 'mp3'"),
        ({"voice_id": "v" * 257}, 1008, "invalid setup"),
        ({"client_req_id": "x" * 257}, 1008, "client_req_id is longer than 256"),
    ],
)
def test_setups_that_cannot_be(setup: dict[str, Any], code: int, named: str) -> None:
    error, close = Talk.told(Talk(**setup).opening)
    assert (error["code"], close.code, error["message"][: len(named)]) == (code, code, named)


def test_texts_are_said_sentence_by_sentence() -> None:
    talk = Talk(voice_id="ana")
    assert talk.send("text", text="Hola a ") == []
    assert talk.texts(talk.send("text", text="todos.")) == [("Hola a todos.", "es", 0.0)]
    assert talk.texts(talk.send("text", text='Uno <break time="0.5s" /> dos')) == [("Uno", "es", 0.5)]
    *rest, finish = talk.send("end_of_stream")
    assert talk.texts(rest) == [("dos", "es", 0.0)]
    assert finish == Finish(0)
    assert talk.send("text", text="late") == talk.send("end_of_stream") == []


def test_words_come_with_the_first_sound_of_their_clause() -> None:
    talk = Talk(client_req_id="a", voice_id="ana")
    words = talk.happen(*clause("Hola, Ana.", 1.0, 2.0))
    assert [(one["type"], one.get("text"), one["start_s"], one["stop_s"]) for one in words] == [
        ("text", "Hola,", 1.0, pytest.approx(1.545455)),
        ("text", "Ana.", pytest.approx(1.545455), 2.0),
        ("audio", None, 1.0, 2.0),
    ]
    assert {(one["client_req_id"], one["stream_id"]) for one in words} == {("a", 0)}
    assert len(talk.happen(Speech(b"ab", "es", 2.0, 2.5, 0, 2.5, last=True))) == 1
    silence = Speech(b"\0\0", "", 2.5, 3.0, None, 3.0, last=False, text_id=1)
    assert [one["type"] for one in talk.happen(Translated(0, text_id=1), silence)] == ["audio"]


def test_the_end_and_nothing_before_it() -> None:
    talk = Talk()
    assert talk.send("end_of_stream") == [Finish(0)]
    assert talk.happen(Ended()) == [{"type": "end_of_stream"}, Close(1000)]


def test_a_flush_says_what_there_is() -> None:
    talk = Talk()
    talk.send("text", text="no end")
    say, flush = talk.send("flush", flush_id="1")
    assert talk.texts([say]) == [("no end", "en", 0.0)]
    assert flush == FlushInput(0, "1")
    assert talk.happen(Flushed("1")) == [{"type": "flushed", "flush_id": "1"}]


def test_several_requests_at_once() -> None:
    talk = Talk(client_req_id="a", close_ws_on_eos=False)
    talk.send("setup", client_req_id="b", close_ws_on_eos=False)
    assert [one.key for one in talk.send("text", text="Hi.", client_req_id="a")] == [0]
    assert [one.key for one in talk.send("text", text="Hi.")] == [1], "the latest"
    assert talk.happen(Ended(), key=1) == [{"type": "end_of_stream", "client_req_id": "b"}]
    told = Talk.told(talk.adapter.failed(0, NoVoice("es", "why")))
    assert [getattr(one, "code", None) or one["code"] for one in told] == [1003, 1003]
    assert told[0]["client_req_id"] == "a"


def test_requests_that_were_left_behind_are_forgotten() -> None:
    talk = Talk(client_req_id="a", close_ws_on_eos=False)
    talk.now_s = 50.0
    talk.send("setup", client_req_id="b", close_ws_on_eos=False)
    talk.now_s = 61.0
    abort, opening = talk.send("setup", client_req_id="c", close_ws_on_eos=False)
    assert abort == Abort(0)
    assert opening.key == 2
    talk.happen(*clause("Hola."), key=1)
    talk.now_s = 115.0
    assert [type(one) for one in talk.send("setup", client_req_id="a")] == [Open], "sound is a sign of life"


def test_one_without_an_id_is_never_forgotten() -> None:
    talk = Talk(close_ws_on_eos=False)
    talk.now_s = 250.0
    assert [type(one) for one in talk.send("setup", client_req_id="b")] == [Open]


def test_a_text_without_room_ends_its_request() -> None:
    talk = Talk()
    assert talk.adapter.refused(0, 0, Overloaded("this session")) == ()
    with pytest.raises(Overloaded):
        talk.adapter.event(0, Translated(0, text_id=0))


@pytest.mark.parametrize("text", [None, 7, ["x"]])
def test_what_is_no_text(text: Any) -> None:
    talk = Talk()
    abort, error, close = Talk.told(talk.send("text", text=text))
    assert (abort, error["code"], close.code) == (Abort(0), 1008, 1008)


def test_audio_is_no_message_here() -> None:
    assert Talk().send("audio", audio="AAAA") == []


def test_text_before_a_setup() -> None:
    adapter = TtsAdapter(FakeVoices())
    error, close = Talk.told(adapter.receive(adapter.parse('{"type": "text", "text": "x"}')))
    assert (error["code"], close.code) == (1002, 1002)
