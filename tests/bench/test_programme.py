"""Recordings, what is known of them, and how they make a talk."""

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from dragoman.bench.acoustic import speech_span
from dragoman.bench.programme import PAUSES_S, programme
from dragoman.bench.recordings import MANIFEST, Recording, read_all
from dragoman.bench.talk import RATE_HZ, Talk, packaged_recordings


def tone(seconds: float, name: str = "tone") -> Talk:
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return Talk(name, (np.sin(2 * np.pi * 300 * times) * 10_000).astype(np.int16))


def saved(path: Path, talk: Talk) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(talk.samples.tobytes())
    return path


ONE, TWO = Recording(tone(1.0, "one"), (0.1, 0.9)), Recording(tone(2.0, "two"), (0.0, 2.0))


def test_a_talk_has_every_recording_and_a_pause_behind_each() -> None:
    said = programme([ONE, TWO])
    assert [number for number, _ in said.places] == [0, 1]
    first_s, second_s = (start_s for _, start_s in said.places)
    assert first_s == 0.0
    assert PAUSES_S[0] <= second_s - 1.0 <= PAUSES_S[1]
    assert PAUSES_S[0] <= said.talk.duration_s - second_s - 2.0 <= PAUSES_S[1]
    begin = round(second_s * RATE_HZ)
    assert np.array_equal(said.talk.samples[begin : begin + 2 * RATE_HZ], TWO.talk.samples)
    assert not said.talk.samples[RATE_HZ : begin - 1].any()
    assert said.talk.name == "one + two"


def test_the_same_seed_gives_the_same_pauses() -> None:
    assert programme([ONE, TWO]).places == programme([ONE, TWO]).places != programme([ONE, TWO], seed=1).places


def test_another_session_begins_with_another_recording() -> None:
    assert [number for number, _ in programme([ONE, TWO], first=1).places] == [1, 0]
    assert [number for number, _ in programme([ONE, TWO], first=2).places] == [0, 1]


def test_a_long_talk_repeats_whole_recordings() -> None:
    said = programme([ONE, TWO], minutes=0.2)
    assert 12.0 <= said.talk.duration_s < 12.0 + 2.0 + PAUSES_S[1]
    assert [number for number, _ in said.places] == [at % 2 for at in range(len(said.places))]
    assert said.talk.name.endswith(f"{len(said.places) / 2:.1f} times")


def test_what_is_known_of_a_recording_lies_beside_it(tmp_path: Path) -> None:
    paths = [saved(tmp_path / name, tone(0.5)) for name in ("a.wav", "b.wav")]
    entry = {"audio": "b.wav", "language": "en", "transcript": "hello there", "references": {"es": "Hola."}, "more": 1}
    (tmp_path / MANIFEST).write_text(json.dumps([entry]))
    unknown, known = read_all(paths)
    assert (unknown.language, unknown.wanted("es")) == ("", "")
    assert (known.language, known.wanted("es"), known.wanted("en"), known.wanted("fr")) == (
        "en", "Hola.", "hello there", ""
    )  # fmt: skip
    assert known.talk.duration_s == pytest.approx(0.5, abs=0.01)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.wav", tone(0.5))
    (tmp_path / MANIFEST).write_text("{")
    with pytest.raises(ValueError, match=r"recordings\.json"):
        read_all([path])
    (tmp_path / MANIFEST).unlink()
    (tmp_path / "b.wav").write_bytes(b"no sound")
    with pytest.raises(ValueError, match=r"cannot read .*b\.wav"):
        read_all([path, tmp_path / "b.wav"])
    with pytest.raises(ValueError, match=r"cannot read .*c\.wav"):
        read_all([tmp_path / "c.wav"])


def test_where_somebody_speaks() -> None:
    (spoken, *_) = read_all(packaged_recordings()[:1])
    quiet = np.zeros(2 * RATE_HZ, np.int16)
    start_s, stop_s = speech_span(Talk("late", np.concatenate([quiet, spoken.talk.samples, quiet])))
    assert start_s == pytest.approx(2.0 + spoken.speech_s[0], abs=0.1)
    assert stop_s == pytest.approx(2.0 + spoken.speech_s[1], abs=0.1)
    assert speech_span(Talk("quiet", quiet)) == (0.0, 2.0)
