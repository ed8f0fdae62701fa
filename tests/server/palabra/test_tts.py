"""The socket of `Palabra.tts()`."""

import base64
import json
from typing import Any

import pytest

from dragoman.models.errors import NoVoice, Overloaded
from dragoman.models.plan import TargetWish
from dragoman.pipeline.audio.formats import AudioFormat, Container, media, pcm, wav
from dragoman.pipeline.events import Ended, Speech, Unspoken
from dragoman.pipeline.items import GivenText
from dragoman.server.commands import Finish, Interrupt, Open, Say
from dragoman.server.failures import IdleTooLong, MessageTooLarge
from dragoman.server.protocols.palabra.tts import TtsAdapter
from tests.server.palabra.talk import FakeAbilities, Talk, done, error, translated


class Spoken(Talk):
    """A talk with flat messages."""

    def __init__(self, **init: Any) -> None:
        super().__init__(TtsAdapter(FakeAbilities(), now=lambda: self.now_s))
        self.answer = self.say_raw({"type": "init", "language": "es", "voice_options": {}} | init)

    def say_raw(self, message: Any) -> list[Any]:
        return self.send_raw(json.dumps(message))

    def text(self, text: str, *, eos: bool = True, **more: Any) -> list[Any]:
        return self.say_raw({"type": "text", "text": text, "is_eos": eos, **more})

    def speak(self, number: int, text_id: str, samples: int = 10, key: int = 0) -> list[Any]:
        """A text is spoken, and its file ends if it is to."""
        sound = Speech(bytes(2 * samples), "es", 0.0, samples / 24000, number, 0.0, last=True)
        return self.event(key, translated("Hola.", number, text_id=text_id), sound, done(text_id), file_end(text_id))


def file_end(text_id: str, tail: bytes = b"") -> Speech:
    return Speech(tail, "", 0.0, 0.0, None, 0.0, last=True, text_id=text_id)


def chunks(told: list[Any]) -> list[tuple[str, int, bool]]:
    assert {one["message_type"] for one in told} <= {"audio_chunk"}
    return [
        (one["data"]["generation_id"], len(base64.b64decode(one["data"]["audio"])), one["data"]["last_chunk"])
        for one in told
    ]


def test_init_opens_a_session_that_hears_nothing() -> None:
    talk = Spoken(voice_options={"voice_id": "nice", "speed": 1.2, "deaccent_strength": 1.0})
    assert talk.answer == []
    (opening,) = talk.commands
    assert isinstance(opening, Open)
    assert not opening.hears
    assert opening.output_format == pcm(24000)
    assert opening.targets == (TargetWish("es", voice_id="nice", tempo=1.2),)


def test_a_text_is_spoken_under_its_id_and_its_end_is_told() -> None:
    talk = Spoken()
    assert talk.text("Hola.", generation_id="g") == []
    (command,) = talk.commands
    assert isinstance(command, Say)
    assert (command.given.text, command.given.language, command.given.translate) == ("Hola.", "es", False)
    told = talk.speak(0, "0", 12000)
    assert chunks(told) == [("g", 24000, False), ("g", 0, True)]
    assert [one["data"]["audio_len"] for one in told] == [0.5, None]


def test_pieces_are_spoken_sentence_by_sentence() -> None:
    talk = Spoken()
    for piece in ("Hola a", " todos. ¿Qué", " tal? Bien."):
        talk.text(piece, eos=False, generation_id="g")
    talk.text(" Adiós", eos=True, generation_id="g")
    assert [given.text.strip() for given in talk.said] == ["Hola a todos.", "¿Qué tal?", "Bien. Adiós"]
    told = [one for number in range(3) for one in talk.speak(number, str(number))]
    assert chunks(told) == [("g", 20, False)] * 3 + [("g", 0, True)]


def test_without_an_id_a_generation_gets_one_of_its_own() -> None:
    talk = Spoken()
    talk.text("Uno. Dos", eos=False)
    talk.text(" tres.")
    talk.text("Otro.")
    first, second, third = (chunks(talk.speak(number, str(number)))[0][0] for number in range(3))
    assert first == second != third
    assert len(first) == 8


def test_an_end_with_nothing_before_it_comes_in_its_turn() -> None:
    talk = Spoken()
    talk.text("Uno. ", eos=False, generation_id="g")
    talk.text(" ", eos=True, generation_id="g")
    assert [given.text.strip() for given in talk.said] == ["Uno."]
    assert chunks(talk.speak(0, "0"))[-1] == ("g", 0, True)
    talk.text("…", generation_id="h")
    assert talk.event(0, done("1")) == []
    assert chunks(talk.event(0, file_end("1"))) == [("h", 0, True)]


@pytest.mark.parametrize(("name", "fmt"), [("pcm", pcm(8000)), ("wav", wav(8000)), ("mp3", media(Container.MP3, 8000))])
def test_each_generation_is_a_file_of_its_own(name: str, fmt: AudioFormat) -> None:
    talk = Spoken(output={"format": name, "sample_rate": 8000})
    assert [command.output_format for command in talk.commands if isinstance(command, Open)] == [fmt]
    talk.text("Uno. Dos", eos=False, generation_id="a")
    talk.text(".", generation_id="a")
    talk.text("Tres.", generation_id="b")
    assert [given.ends_stream for given in talk.said] == [False, True, True]
    talk.speak(0, "0")
    clause = Speech(b"xx", "es", 0.0, 1.0, 1, 1.0, last=True)
    sound = talk.event(0, translated("Dos.", 1, text_id="1"), clause, done("1"))
    assert chunks(sound) == [("a", 2, False)], "its file has not ended"
    last = talk.event(0, file_end("1", b"tail"))
    assert chunks(last) == [("a", 4, False), ("a", 0, True)]
    assert [one["data"]["audio_len"] for one in last] == [0.0, None]


def test_a_file_whose_last_text_is_refused_ends_before_the_next() -> None:
    talk = Spoken(output={"format": "wav"})
    talk.text("Uno.", generation_id="a")
    told = talk.turn_down(0, "0", Overloaded("this session"))
    assert chunks(told[1:]) == [("a", 0, True)]
    talk.text("Dos.", generation_id="b")
    assert [(given.text, given.ends_stream) for given in talk.said[-2:]] == [("", True), ("Dos.", True)]
    talk.text("Tres.", generation_id="b")
    assert [given.text for given in talk.said[-2:]] == ["Dos.", "Tres."]


def test_another_voice_speaks_behind_the_one_before() -> None:
    talk = Spoken()
    talk.text("Uno.", generation_id="a")
    talk.text("Dos.", generation_id="b", voice_options={"voice_id": "nice"})
    finish, opening, say = talk.commands
    assert finish == Finish(0)
    assert isinstance(opening, Open)
    assert opening.targets == (TargetWish("es", voice_id="nice"),)
    assert opening.after == 0, "its place goes on"
    assert isinstance(say, Say)
    assert talk.speak(0, "1", key=1) == []
    assert chunks(talk.speak(0, "0")) == [("a", 20, False), ("a", 0, True)]
    assert chunks(talk.event(0, Ended())) == [("b", 20, False), ("b", 0, True)]
    talk.text("Tres.", voice_options={"voice_id": "nice"})
    assert [type(command) for command in talk.commands] == [Say]


def test_who_falls_silent_hears_what_was_kept() -> None:
    talk = Spoken()
    talk.text("Uno.", generation_id="a")
    talk.text("Dos.", generation_id="b", voice_options={"voice_id": "nice"})
    assert talk.speak(0, "1", key=1) == []
    assert chunks(talk.speak(0, "0")) == [("a", 20, False), ("a", 0, True)]
    *kept, last = talk.fail(None, IdleTooLong(300))
    assert chunks(kept) == [("b", 20, False), ("b", 0, True)]
    assert error(last)[0] == "SERVICE_TIMEOUT"


@pytest.mark.parametrize(
    ("speed", "tempo"),
    [
        (None, 1.0),
        (0.0, 0.5),
        (0, 0.5),
        (0.1, 0.5),
        (0.3, 0.5),
        (0.5, 0.5),
        (0.75, 0.75),
        (1, 1.0),
        (1.2, 1.2),
        (2.0, 2.0),
    ],
)
def test_speed_is_a_factor_within_what_voices_can_do(speed: float | None, tempo: float) -> None:
    from_the_start, later = Spoken(voice_options={"speed": speed}), Spoken(voice_options={"speed": 1.1})
    opening = from_the_start.commands
    later.text("Uno.", voice_options={"speed": speed})
    wishes = [command.targets for command in [*opening, *later.commands] if isinstance(command, Open)]
    # Null counts as absent: what is not named stays as it was.
    assert [wish.tempo for (wish,) in filter(None, wishes)] == [tempo, *([tempo] if speed is not None else [])]


@pytest.mark.parametrize("speed", [-0.1, 2.01, 4.0, "1.0", True, float("nan"), 10**400])
def test_speeds_that_no_client_means(speed: Any) -> None:
    talk = Spoken()
    (refusal,) = talk.text("Uno.", voice_options={"speed": speed})
    assert error(refusal)[1].startswith(("voice_options.speed: must be a number from 0 to 2", "message is not JSON"))


def test_too_many_voices_at_once() -> None:
    talk = Spoken()
    answers = [talk.text("Uno.", voice_options={"speed": 1 + number / 10}) for number in range(1, 5)]
    assert [len(answer) for answer in answers] == [0, 0, 0, 1]
    assert error(answers[-1][0])[0] == "RATE_LIMIT_EXCEEDED"


def test_cancel_stops_and_ends_every_generation() -> None:
    talk = Spoken()
    talk.text("Uno.", generation_id="a")
    talk.text("Dos.", generation_id="b")
    talk.text("tres", eos=False, generation_id="c")
    talk.event(0, translated("Uno.", 0, text_id="0"))
    told = talk.say_raw({"type": "cancel"})
    assert talk.commands == [Interrupt(0), Say(0, GivenText("", "", "es", translate=False, ends_stream=True))]
    assert talk.event(0, done(""), file_end("", b"rest of what was cut")) == []
    assert sorted(chunks(told)) == [("a", 0, True), ("b", 0, True)]
    assert talk.speak(0, "0") == talk.speak(1, "1") == []
    talk.text("Otra.", generation_id="d")
    assert talk.said[-1].text == "Otra."
    assert chunks(talk.speak(2, "2"))[-1] == ("d", 0, True)


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ([], "message is not a JSON object"),
        ({}, "type: must be a string"),
        ({"type": ["text"]}, "type: must be a string"),
        ({"type": "sing"}, "type: 'sing' is no message"),
        ({"type": "text"}, "text: is required"),
        ({"type": "text", "text": ""}, "text: must have from 1 to 1024"),
        ({"type": "text", "text": "x" * 1025}, "text: must have from 1 to 1024"),
        (
            {"type": "text", "text": "x", "voice_options": {"speed": 9}},
            "voice_options.speed: must be a number from 0 to 2",
        ),
        ({"type": "init", "language": "es"}, "init came already"),
    ],
)
def test_what_cannot_be_said(message: Any, named: str) -> None:
    talk = Spoken()
    (refusal,) = talk.say_raw(message)
    assert error(refusal)[1].startswith(named)
    assert talk.commands == []


def test_options_that_are_not_named_stay_as_they_were() -> None:
    talk = Spoken(voice_options={"voice_id": "nice", "speed": 1.5})
    talk.text("Uno.", voice_options={"voice_id": None, "speed": 1.2})
    assert [command.targets for command in talk.commands if isinstance(command, Open)] == [
        (TargetWish("es", voice_id="nice", tempo=1.2),)
    ]
    talk.text("Dos.", voice_options={"deaccent_strength": 0.0, "novelty": 1})
    assert [type(command) for command in talk.commands] == [Say]


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ({"type": "text", "text": "x", "generation_id": "g" * 257}, "generation_id: string should have at most 256"),
        ({"type": "text", "text": "x", "voice_options": {"voice_id": "v" * 257}}, "voice_options.voice_id: string "),
        ({"type": "y" * 60_000}, f"type: '{'y' * 64}' is no message"),
        ({"type": "cancel", "novelty": "x" * 70_000}, "message is larger than 65536 bytes without audio"),
    ],
)
def test_what_is_too_long(message: Any, named: str) -> None:
    talk = Spoken()
    (refusal,) = talk.say_raw(message)
    assert error(refusal)[0] == "VALIDATION_ERROR"
    assert error(refusal)[1].startswith(named)
    assert talk.commands == []
    assert talk.text("Hola.", generation_id="g" * 256) == []


@pytest.mark.parametrize(
    ("init", "named"),
    [
        ({"language": "xx"}, "language: is not a supported language"),
        ({"output": {"format": "ogg"}}, "output.format: must be one of pcm, wav, mp3"),
        (
            {"output": {"format": "mp3", "sample_rate": 22000}},
            "output: audio format 'mp3 at 22000 Hz' is not supported",
        ),
        ({"output": {"sample_rate": 96000}}, "output.sample_rate: "),
        ({"voice_options": {"voice_id": 3}}, "voice_options.voice_id: "),
    ],
)
def test_a_beginning_that_cannot_be(init: dict[str, Any], named: str) -> None:
    talk = Spoken(**init)
    assert error(talk.answer[0])[1].startswith(named)
    assert error(talk.text("Hola.")[0]) == ("BAD_REQUEST", "there is no init yet")


def test_a_voice_that_does_not_exist_is_replaced_with_a_warning() -> None:
    talk = Spoken(voice_options={"voice_id": "nobody"})
    assert [(one["message_type"], one["data"]["code"]) for one in talk.answer] == [("warning", "VOICE_NOT_FOUND")]


def test_a_session_that_fails_is_told_and_the_next_text_gets_another() -> None:
    talk = Spoken()
    (told,) = talk.fail(0, NoVoice("es"))
    assert error(told)[0] == "VALIDATION_ERROR"
    assert talk.closed is None
    talk.text("Hola.")
    assert [type(command) for command in talk.commands] == [Open, Say]


def test_a_text_that_cannot_be_spoken_is_told_and_the_session_goes_on() -> None:
    talk = Spoken()
    talk.text("Uno.", generation_id="a")
    talk.text("Dos.", generation_id="b")
    silent = Speech(b"", "es", 0.0, 0.0, 0, 0.0, last=True)
    told = talk.event(
        0, translated("Uno.", 0, text_id="0"), Unspoken(0, "espeak failed: why"), silent, done("0"), file_end("0")
    )
    assert error(told[0]) == ("SERVER_ERROR", "espeak failed: why")
    assert chunks(told[1:]) == [("a", 0, True)]
    assert chunks(talk.speak(1, "1")) == [("b", 20, False), ("b", 0, True)]
    assert talk.closed is None


def test_50_texts_in_a_second() -> None:
    talk = Spoken()
    assert all(talk.text("Hola.") == [] for _ in range(50))
    assert error(talk.text("Hola.")[0])[0] == "RATE_LIMIT_EXCEEDED"
    talk.now_s = 1.0
    assert talk.text("Hola.") == []


def test_a_sentence_that_never_ends() -> None:
    talk = Spoken()
    for _ in range(17):
        talk.now_s += 1
        talk.text("x" * 1024, eos=False)
    assert error(talk.text("x", eos=False)[0])[0] == "RATE_LIMIT_EXCEEDED"


def test_connections_that_end() -> None:
    talk = Spoken()
    assert error(talk.fail(None, MessageTooLarge(10))[0])[0] == "VALIDATION_ERROR"
    assert talk.closed is None
    assert error(talk.fail(None, IdleTooLong(300))[0])[0] == "SERVICE_TIMEOUT"
    assert talk.closed is not None
