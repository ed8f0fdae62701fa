"""Tasks on one socket: the first, and while it runs."""

from typing import Any

import pytest

from dragoman.models.base import LanguagePair
from dragoman.models.errors import NoRecognizer, NoTranslator, NoVoice, Overloaded
from dragoman.models.plan import TargetWish
from dragoman.pipeline.audio.formats import pcm
from dragoman.server.commands import Feed
from dragoman.server.failures import (
    NotReady,
    ShuttingDown,
    TooManySessions,
)
from dragoman.server.protocols.palabra.adapter import PalabraAdapter
from tests.server.palabra.talk import (
    OPERATOR,
    SETTINGS,
    FakeAbilities,
    Talk,
    audio,
    error,
    opened,
    started,
    status,
    task,
    text_task,
)

# --- before and at the first task


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("get_task", {}),
        ("pause_task", {}),
        ("interrupt_task", {"languages": ["global"]}),
        ("tts_task", {"text": "Hi", "language": "en"}),
        ("end_task", {}),
        ("input_audio_data", audio()),
    ],
)
def test_commands_need_a_task(kind: str, data: Any) -> None:
    talk = Talk()
    (refusal,) = talk.send(kind, data)
    assert error(refusal)[0] == "NOT_FOUND"
    assert talk.closed is None
    assert talk.send("set_task", task()) == [status("started")]


def test_a_task_opens_one_session_with_every_target() -> None:
    talk = started("es", "pt-br", "fr")
    command = opened(talk)
    assert command.input_format == pcm(24000)
    assert command.output_format == pcm(24000)
    assert command.source == "en"
    assert command.targets == tuple(
        TargetWish(code, excluded=frozenset({code}), voice_id=f"{code}-default_low") for code in ("es", "pt", "fr")
    )
    assert command.hears
    assert command.partials
    assert command.listen is None


def test_what_a_task_says_reaches_the_session() -> None:
    changed = task()
    changed["input_stream"]["source"] |= {"sample_rate": 16000, "channels": 2}
    changed["pipeline"]["allowed_message_types"] = []
    changed["pipeline"]["transcription"] = {
        "source_language": "auto",
        "detectable_languages": ["en-us", "es", "de"],
        "segment_confirmation_silence_threshold": 0.3,
        "only_confirm_by_silence": True,
        "force_detect_language": True,
        "advanced": {"ignore_languages": ["de"]},
    }
    changed["pipeline"]["translations"] = [
        {
            "target_language": "FR-ca",
            "allowed_source_languages": ["en-gb"],
            "speech_generation": {"voice_id": "nice", "speed": 1.5},
        },
        {"target_language": "pt", "speech_generation": None},
        {"target_language": "es"},
    ]
    talk = Talk()
    talk.send("set_task", changed)
    command = opened(talk)
    assert command.input_format == pcm(16000, channels=2)
    assert command.source is None
    assert command.candidates == {"en", "es"}
    assert not command.partials
    assert not command.locks_language
    assert command.latency == "quality"
    assert command.listen is not None
    assert command.listen.end_silence_ms == 300
    assert command.listen.long_end_silence_ms == min(300, SETTINGS.listen.long_end_silence_ms)
    french, portuguese, spanish = command.targets or ()
    assert french == TargetWish(
        "fr", sources=frozenset({"en"}), excluded=frozenset({"fr", "de"}), voice_id="nice", tempo=1.5, lenient=True
    )
    assert not portuguese.speaks
    assert spanish.voice_id == "es-default_low"


@pytest.mark.parametrize("latency", ["low", "balanced", "quality"])
def test_a_task_may_choose_its_latency(latency: str) -> None:
    """An extension; OPERATOR's is quality, and so is what the vendor's own field means."""
    asked = task()
    asked["pipeline"]["transcription"] |= {"latency": latency, "only_confirm_by_silence": True}
    talk = Talk()
    talk.send("set_task", asked)
    assert opened(talk).latency == latency


def test_a_latency_that_does_not_exist_is_told_by_its_path() -> None:
    asked = task()
    asked["pipeline"]["transcription"]["latency"] = "none"
    talk = Talk()
    (refusal,) = talk.send("set_task", asked)
    assert error(refusal) == (
        "VALIDATION_ERROR",
        "pipeline.transcription.latency: must be 'low', 'balanced' or 'quality'",
    )


@pytest.mark.parametrize(("speed", "tempo"), [(None, 1.0), (0.0, 0.5), (0.4, 0.5), (1.25, 1.25), (2, 2.0)])
def test_speed_of_a_target(speed: float | None, tempo: float) -> None:
    changed = task()
    changed["pipeline"]["translations"][0]["speech_generation"] = {"speed": speed}
    talk = Talk()
    talk.send("set_task", changed)
    (target,) = opened(talk).targets or ()
    assert target.tempo == tempo


@pytest.mark.parametrize("output", [True, False])
def test_text_only_tasks_hear_nothing(output: bool) -> None:
    shown = text_task("es", "fr")
    if not output:
        shown["output_stream"] = None
    talk = Talk()
    assert talk.send("set_task", shown) == [status("started")]
    command = opened(talk)
    assert not command.hears
    assert command.output_format == (pcm(24000) if output else None)
    assert [wish.speaks for wish in command.targets or ()] == [output, output]
    assert talk.adapter.patience_s() is None
    (refusal,) = talk.send("input_audio_data", audio())
    assert error(refusal) == ("VALIDATION_ERROR", "input_stream: the task takes no audio")


def test_audio_without_transcription_goes_nowhere() -> None:
    talk = started(pipeline=task()["pipeline"] | {"transcription": None})
    assert talk.send("input_audio_data", audio()) == []
    assert talk.commands == []


def test_what_is_not_done_as_asked_is_a_warning_behind_the_answer() -> None:
    changed = task("es", "fr")
    changed["pipeline"]["translations"][0]["speech_generation"] = {"voice_id": "nobody"}
    changed["pipeline"]["translations"][1]["speech_generation"] = {"voice_cloning": True}
    answer = Talk().send("set_task", changed)
    assert answer[0] == status("started")
    assert [(one["message_type"], one["data"]["code"]) for one in answer[1:]] == [
        ("warning", "VOICE_NOT_FOUND"),
        ("warning", "NOT_SERVED"),
    ]
    assert "es: voice 'nobody' does not exist" in answer[1]["data"]["message"]


@pytest.mark.parametrize(
    ("failure", "code", "text"),
    [
        (NoRecognizer("en", "Get one"), "VALIDATION_ERROR", "pipeline.transcription.source_language: no recogniser"),
        (
            NoTranslator(LanguagePair("en", "fr"), "Get one"),
            "VALIDATION_ERROR",
            "pipeline.translations[1].target_language: no translator for en→fr",
        ),
        (NoVoice("es"), "VALIDATION_ERROR", "pipeline.translations[0].speech_generation: no voice for 'es'"),
        (TooManySessions(32), "SERVICE_UNAVAILABLE", "concurrency limit"),
        (Overloaded("espeak"), "SERVICE_UNAVAILABLE", "espeak has too much work"),
        (ShuttingDown(), "SERVICE_UNAVAILABLE", "server is shutting down"),
    ],
)
def test_a_task_that_cannot_begin_is_refused_and_another_may_follow(failure: Exception, code: str, text: str) -> None:
    talk = Talk()
    talk.refuse = failure
    (refusal,) = talk.send("set_task", task("es", "fr"))
    assert error(refusal)[0] == code
    assert error(refusal)[1].startswith(text)
    assert talk.closed is None
    assert talk.send("set_task", task()) == [status("started")]


def test_engines_that_are_not_loaded_are_told() -> None:
    class FakeLoading(FakeAbilities):
        def voice(self, voice_id: str, language: str) -> Any:
            raise NotReady("engines are being loaded")

    talk = Talk(PalabraAdapter(FakeLoading(), OPERATOR))
    (refusal,) = talk.send("set_task", task())
    assert error(refusal)[0] == "SERVICE_UNAVAILABLE"


@pytest.mark.parametrize(
    "frame",
    ["", "{", "[]", "null", '"x"', "{}", '{"message_type": 1}', '{"message_type": "get_task", "data": []}', b"\xff"],
)
def test_what_is_no_message_is_refused(frame: str | bytes) -> None:
    talk = Talk()
    (refusal,) = talk.send_raw(frame)
    assert error(refusal)[0] == "VALIDATION_ERROR"
    assert talk.closed is None


def test_unknown_commands_are_refused_and_data_may_be_text_or_bytes() -> None:
    talk = started()
    (refusal,) = talk.send("levitate")
    assert error(refusal) == ("VALIDATION_ERROR", "message_type: 'levitate' is no command")
    assert talk.send_raw(b'{"message_type": "get_task"}')[0]["message_type"] == "current_task"
    assert talk.send_raw('{"message_type": "get_task", "data": "{}"}')[0]["message_type"] == "current_task"


# --- a task that runs


def test_get_task_tells_the_effective_task() -> None:
    talk = started("es", "pt-BR")
    (answer,) = talk.send("get_task", {"exclude_hidden": True})
    data = answer["data"]
    assert answer["message_type"] == "current_task"
    assert data["task_status"] == "running"
    assert [one["target_language"] for one in data["pipeline"]["translations"]] == ["es", "pt-BR"]
    assert data["pipeline"]["translations"][0]["speech_generation"]["voice_id"] == "default_low"
    silence_s = data["pipeline"]["transcription"]["segment_confirmation_silence_threshold"]
    assert silence_s == SETTINGS.listen.end_silence_ms / 1000
    talk.send("pause_task")
    assert talk.send("get_task")[0]["data"]["task_status"] == "paused"


def test_a_task_that_is_set_again_is_unchanged() -> None:
    talk = started("es", "fr")
    assert talk.send("set_task", task("es", "fr")) == [status("unchanged")]
    assert talk.commands == []


def test_audio_is_decoded_and_fed() -> None:
    talk = started()
    assert talk.send("input_audio_data", audio(bytes(range(256)) * 4)) == []
    assert talk.commands == [Feed(0, bytes(range(256)) * 4)]


@pytest.mark.parametrize(
    "data",
    [{}, {"data": None}, {"data": 1}, {"data": "%%%"}, {"data": "YWJj"}, audio(bytes(767)), audio(bytes(393_217))],
)
def test_bad_chunks_are_refused_and_the_session_goes_on(data: Any) -> None:
    talk = started()
    (refusal,) = talk.send("input_audio_data", data)
    assert error(refusal)[0] == "VALIDATION_ERROR"
    assert talk.commands == []
    talk.send("input_audio_data", audio(bytes(768)))
    assert talk.kinds() == ["Feed"]


def test_the_largest_chunk_is_taken() -> None:
    talk = started()
    assert talk.send("input_audio_data", audio(bytes(393_216))) == []
