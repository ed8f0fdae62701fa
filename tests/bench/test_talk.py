"""Recordings, pauses, chunks; and the pauses found in them."""

import base64
import json
import wave
from pathlib import Path

import numpy as np
import pytest

from dragoman.bench.acoustic import pause_ends
from dragoman.bench.talk import PAUSE_S, RATE_HZ, Talk, join
from dragoman.config.settings import load_settings
from dragoman.models.engines.scripted.engines import ScriptedDetector


def tone(seconds: float, rate_hz: int = RATE_HZ) -> np.ndarray:
    return (8000 * np.sin(2 * np.pi * 300 * np.arange(round(seconds * rate_hz)) / rate_hz)).astype(np.int16)


@pytest.fixture
def recordings(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "one.wav", tmp_path / "two.wav"]
    for path, seconds, rate_hz in zip(paths, (1.0, 2.0), (16_000, 48_000), strict=True):
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate_hz)
            file.writeframes(tone(seconds, rate_hz).tobytes())
    return paths


def test_recordings_of_any_rate_are_joined_with_pauses(recordings: list[Path]) -> None:
    talk = join(recordings)
    assert talk.name == "one.wav + two.wav"
    assert talk.duration_s == pytest.approx(3 + 2 * PAUSE_S, abs=0.01)
    assert not talk.samples[round(1.1 * RATE_HZ) : round((1 + PAUSE_S) * RATE_HZ)].any()


def test_a_turned_talk_is_the_same_from_another_place() -> None:
    talk = Talk("steps", np.arange(2 * RATE_HZ, dtype=np.int16))
    turned = talk.turned(0.5)
    assert turned.samples[0] == talk.samples[RATE_HZ // 2]
    assert turned.samples[-1] == talk.samples[RATE_HZ // 2 - 1]
    assert turned.duration_s == talk.duration_s


def test_messages_hold_every_sample_once() -> None:
    talk = Talk("tone", tone(0.25))
    messages = [json.loads(message) for message in talk.messages()]
    assert [message["type"] for message in messages] == ["audio"] * 4
    chunks = [base64.b64decode(message["audio"]) for message in messages]
    assert [len(chunk) for chunk in chunks] == [3840, 3840, 3840, 480]
    assert b"".join(chunks) == talk.samples.tobytes()


def test_pieces_of_a_talk() -> None:
    talk = Talk("tone", tone(2.0))
    assert talk.first(5.0) is talk
    assert talk.first(0.5).duration_s == 0.5
    assert np.array_equal(talk.between(0.5, 1.5).samples, talk.samples[12_000:36_000])
    assert len(talk.for_models()) == 32_000


def test_pauses_are_found_where_the_sound_ends() -> None:
    silence = np.zeros(RATE_HZ, np.int16)
    talk = Talk("two tones", np.concatenate([tone(1.0), silence, tone(1.0), silence, tone(0.5)]))
    found = pause_ends(talk.for_models(), ScriptedDetector(), load_settings().listen)
    assert found == [pytest.approx(1.0, abs=0.05), pytest.approx(3.0, abs=0.05)]
