"""The official client's recognition, and its translation of speech to text."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from dragoman.testing import RunningServer
from tests.sdk.client import Raised
from tests.sdk.gradium_speech_client import run
from tests.sdk.speech import bursts, in_format

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
