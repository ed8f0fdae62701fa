"""The official client's recognition, its translation of speech to text, and its synthesis."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from dragoman.testing import RunningServer, running_server
from tests.sdk.child import Raised
from tests.sdk.gradium_speech_client import run
from tests.sdk.speech import bursts, from_format, in_format

SAID = "Good morning. How are you today?"
FORMATS = ["wav", "opus", "pcm", "pcm_8000", "pcm_16000", "pcm_48000", "ulaw_8000", "alaw_8000"]


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_becomes_words(scripted: RunningServer, name: str) -> None:
    audio = in_format(name, bursts(2, 24_000), 24_000)
    heard = run("stt", url=scripted.url, setup={"model_name": "default", "input_format": name}, audio=audio)
    assert not isinstance(heard, Raised), heard
    assert heard["text"] == SAID
    places = [place for _, place in heard["words"]]
    assert places == sorted(places)
    assert places[2] == pytest.approx(1.9, abs=0.3), "the second utterance, on the clock of the input"


@pytest.mark.parametrize("audio", [bursts(2, 24_000), (bursts(2, 24_000) / 32_768).astype(np.float32)])
def test_an_array_is_translated(scripted: RunningServer, audio: Any) -> None:
    setup = {"model_name": "stt-translate", "input_format": "pcm", "json_config": {"language": "fr"}}
    heard = run("stt", url=scripted.url + "/api", setup=setup, audio=audio, rate=24_000)
    assert not isinstance(heard, Raised), heard
    assert heard["text"] == "Bonjour. Comment allez-vous aujourd'hui ?"


def test_words_as_they_come(scripted: RunningServer) -> None:
    setup = {"input_format": "wav", "json_config": {"delay_in_frames": 16, "target_language": "fr"}}
    words, delay = run("stt_stream", url=scripted.url, setup=setup, audio=in_format("wav", bursts(2, 24_000), 24_000))
    assert " ".join(words) == SAID, "this model translates nothing"
    assert delay == 16


@pytest.mark.parametrize("model", ["default", "stt-translate"])
def test_no_step_lets_a_turn_end_before_its_words(scripted: RunningServer, model: str) -> None:
    setup = {"model_name": model, "input_format": "pcm", "json_config": {"language": "en"}}
    told = run("stt_realtime", url=scripted.url, setup=setup, audio=bursts(3, 24_000, pause_s=1.5).tobytes())
    assert [told[0]["type"], told[-1]["type"]] == ["ready", "end_of_stream"]
    assert told[0]["delay_in_frames"] == told[0]["delay_in_tokens"] == 10
    steps = [one for one in told if one["type"] == "step"]
    assert [one["step_idx"] for one in steps] == list(range(int(7.5 / 0.08)))
    assert {len(one["vad"]) for one in steps} == {4}
    now_s, turns, turn = 0.0, [], list[str]()
    for one, after in pairwise(told):
        if one["type"] == "step":
            now_s = one["total_duration_s"]
            if one["vad"][2]["inactivity_prob"] > 0.5 and turn:
                turns.append(" ".join(turn))
                turn = []
        elif one["type"] == "text":
            assert after["type"] == "end_text"
            assert model == "stt-translate" or now_s - after["stop_s"] <= 0.8 + 1e-6
            assert one["text"].split() == [one["text"]]
            turn.append(one["text"])
    assert turns == ["Good morning.", "How are you today?", "Thank you very much."][: len(turns)]
    assert len(turns) >= 2
    settled = [one for one in steps if 3.3 < one["total_duration_s"] % 2.5 + 2.5 < 3.5]
    assert all(one["vad"][2]["inactivity_prob"] < 0.4 for one in settled)


def test_a_flush_is_answered_behind_its_words(scripted: RunningServer) -> None:
    setup = {"input_format": "pcm"}
    told = run("stt_realtime", url=scripted.url, setup=setup, audio=bursts(2, 24_000).tobytes(), flush_after=10)
    kinds = [one["type"] for one in told]
    assert told[kinds.index("flushed")] == {"type": "flushed", "flush_id": 7}
    assert "text" in kinds[: kinds.index("flushed")]


def test_what_stays_wrong_is_an_error_that_nobody_retries(scripted: RunningServer) -> None:
    for setup, named in (
        ({"model_name": "whisper"}, "unknown model_name 'whisper'"),
        ({"model_name": "stt-translate"}, "missing required 'language'"),
        ({"json_config": {"delay_in_frames": 81}}, "delay_in_frames must be an integer from 0 to 80"),
        ({"json_config": {"language": "tlh"}}, "tlh"),
    ):
        answer = run("stt", url=scripted.url, setup={"input_format": "pcm", **setup}, audio=b"")
        assert isinstance(answer, Raised), setup
        assert named in answer.text
        assert "1003" in answer.text


SPANISH = "es-lucia-espeak1"
TEXT = "Hola a todos. Otra frase."


@pytest.mark.parametrize("name", ["wav", "pcm", "pcm_8000", "pcm_24000", "opus", "ulaw_8000", "alaw_8000"])
def test_text_becomes_a_file(scripted: RunningServer, name: str) -> None:
    said = run("tts", url=scripted.url, setup={"voice_id": SPANISH, "output_format": name}, text=TEXT)
    assert not isinstance(said, Raised), said
    samples, rate_hz = from_format(name, said["raw"])
    assert said["rate"] == rate_hz
    assert len(samples) / rate_hz == pytest.approx(0.06 * (len(TEXT) - 1) + 0.12, abs=0.05)
    assert [word for word, _, _ in said["words"]] == TEXT.split()
    assert all(one[2] <= two[1] + 1e-6 for one, two in pairwise(said["words"]))
    assert said["words"][-1][2] == pytest.approx(len(samples) / rate_hz, abs=0.05)


def test_pieces_and_a_break(scripted: RunningServer) -> None:
    texts = ["Hola a ", "todos.", '<break time="1.5s" />', "Adiós"]
    setup = {"voice_id": "vjFyp2BcCyTlUmYb", "output_format": "pcm_16000", "json_config": {"language": "es"}}
    told = run("tts_realtime", url=scripted.url, setup=setup, texts=texts)
    assert not isinstance(told, Raised), told
    assert [told[0]["type"], told[-1]["type"]] == ["ready", "end_of_stream"]
    assert [one["text"] for one in told if one["type"] == "text"] == ["Hola", "a", "todos.", "Adiós"]
    sounds = [one for one in told if one["type"] == "audio"]
    assert all(one["stop_s"] == two["start_s"] for one, two in pairwise(sounds))
    assert any(one["stop_s"] - one["start_s"] == pytest.approx(1.5) for one in sounds)


def test_faster_and_slower(scripted: RunningServer) -> None:
    lengths = [
        len(
            run(
                "tts",
                url=scripted.url,
                setup={"output_format": "pcm", "voice_id": SPANISH, "json_config": {"padding_bonus": padding}},
                text=TEXT,
            )["raw"]
        )
        for padding in (-2, 0, 2)
    ]
    assert lengths[1] / lengths[0] == pytest.approx(1.3, rel=0.1)
    assert lengths[2] / lengths[1] == pytest.approx(1.3, rel=0.1)


def test_nothing_to_say(scripted: RunningServer) -> None:
    told = run("tts_realtime", url=scripted.url, setup={"output_format": "wav"}, texts=[])
    assert [one["type"] for one in told] == ["ready", "end_of_stream"]


def test_several_voices_on_one_socket(scripted: RunningServer) -> None:
    texts = {name: [f"Frase {name}.", "Otra frase.", "Y otra"] for name in ("a", "b", "c")}
    told = run(
        "multiplexed_tts", url=scripted.url, setup={"output_format": "pcm_24000", "voice_id": SPANISH}, texts=texts
    )
    assert not isinstance(told, Raised), told
    for name, messages in told.items():
        assert [messages[0]["type"], messages[-1]["type"]] == ["ready", "end_of_stream"]
        assert " ".join(one["text"] for one in messages if one["type"] == "text") == f"Frase {name}. Otra frase. Y otra"
        assert next(one["start_s"] for one in messages if one["type"] == "audio") == 0.0


def test_a_wrong_key(scripted: RunningServer) -> None:
    del scripted
    with running_server(environment={"DRAGOMAN_API_KEYS": "right"}) as server:
        for job, extra in (
            ("stt", {"setup": {"input_format": "pcm"}, "audio": b""}),
            ("tts", {"setup": {}, "text": "x"}),
        ):
            answer = run(job, url=server.url, key="wrong", **extra)
            assert isinstance(answer, Raised)
            assert "1008" in answer.text
