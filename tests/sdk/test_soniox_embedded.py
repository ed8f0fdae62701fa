"""The official Soniox client and the engines that users get, on the recordings inside the recogniser's package."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dragoman.models.engines.firefox.files import packaged_models
from dragoman.pipeline.audio.formats import Container
from dragoman.testing import RunningServer
from tests.pipeline.audio.files import as_file
from tests.sdk.soniox_client import error, read, run, whole
from tests.sdk.speech import recording, resampled, says_again
from tests.sdk.test_embedded import BECKETT, error_rate
from tests.server.soniox.wire import Replay

pytestmark = pytest.mark.embedded

ROOT = Path(__file__).resolve().parents[2]
RATE = 16_000
WAITED_FOR = "intente" if packaged_models()[0] else "otra vez"
"""A part of what "try again" becomes, by way of Portuguese or directly."""
SPANISH = {"type": "one_way", "target_language": "es"}
ENDS = {"enable_endpoint_detection": True}
TRIED_AGAIN_S = 6.3
"""In the pause of beckett.wav between "Try again." and "Fail again."."""


def samples(name: str, from_s: float = 0.0, to_s: float | None = None) -> np.ndarray:
    found, rate = recording(name)
    stop = None if to_s is None else round(to_s * RATE)
    return resampled(found, rate, RATE)[round(from_s * RATE) : stop]


def check_times(client: Replay, length_s: float) -> None:
    """Spoken words follow one another, within the audio (of which the detector fills up the last frame)."""
    spoken = [token for token in client.finals if "start_ms" in token]
    starts = [token["start_ms"] for token in spoken]
    assert starts == sorted(starts)
    assert max(token["end_ms"] for token in spoken) <= length_s * 1_000 + 32


def test_english_to_spanish_while_it_is_spoken(embedded: RunningServer) -> None:
    audio = samples("beckett.wav")
    config = {"translation": SPANISH, "max_endpoint_delay_ms": 1_000, **ENDS}
    most = round(TRIED_AGAIN_S * RATE)
    steps = [("send", audio[:most].tobytes(), 3_200, 0.0), ("until", WAITED_FOR), *whole(audio[most:].tobytes())]
    events = run("sync", url=embedded.url, steps=steps, config=config)
    client = read(events)
    assert error_rate(client.spoken, BECKETT) <= 0.25
    assert says_again(client.text("translation"), "es")
    assert len(client.signs) >= 5
    check_times(client, len(audio) / RATE)
    kinds = ["translation" if "source_language" in token else "spoken" for token in client.finals]
    assert "spoken" in kinds[kinds.index("translation") :], "nothing was translated before everything was heard"
    for said, translated in client.utterances[:-1]:
        assert said
        assert translated


def test_non_final_words_of_a_long_sentence(embedded: RunningServer) -> None:
    audio = samples("two_cities.wav", 0.0, 9.0)
    first, second, third = (audio[at * RATE : (at + 3) * RATE].tobytes() for at in (0, 3, 6))
    steps = [("send", first, 3_200, 0.0), ("until", "the best"), ("send", second, 3_200, 0.0), ("until", "worst")]
    events = run("asynchronous", url=embedded.url, steps=[*steps, *whole(third)], config={})
    client = read(events, translates=False)
    assert "best of times" in client.spoken
    assert any(not token["is_final"] for event in events for token in event["tokens"])
    # Some are certain before the end.
    assert sum(any(token["is_final"] for token in event["tokens"]) for event in events) >= 2
    check_times(client, len(audio) / RATE)


@pytest.mark.parametrize(
    "block",
    [
        {"type": "two_way", "language_a": "en", "language_b": "es"},
        {"target_language": "en", "source_languages": ["*"], "two_way_target_language": "es"},
    ],
)
def test_a_conversation_of_which_one_side_is_heard(embedded: RunningServer, block: dict[str, Any]) -> None:
    """Different voices in turn; the engines here hear English, and that side is served."""
    parts = [samples("beckett.wav", 0, 3), samples("two_cities.wav", 0, 5), samples("beckett.wav", 3)]
    audio = np.concatenate([piece for part in parts for piece in (part, np.zeros(RATE, np.int16))])
    config = {"translation": block, "language_hints": ["en", "es"], "enable_speaker_diarization": True, **ENDS}
    client = read(run("sync", url=embedded.url, steps=whole(audio.tobytes()), config=config))
    assert "best of times" in client.spoken
    assert client.text("none") == ""
    assert {token["language"] for token in client.finals if "source_language" in token} == {"es"}
    translated = client.text("translation").lower()
    assert says_again(translated, "es")
    assert "tiempo" in translated
    check_times(client, len(audio) / RATE)


def test_the_same_words_in_a_compressed_file(embedded: RunningServer) -> None:
    audio = samples("beckett.wav")
    floats = (audio / 32_768).astype(np.float32)
    formats = [Container.MP3, Container.WEBM, Container.FLAC, Container.AAC]
    jobs = [
        ("sync", {"url": embedded.url, "steps": whole(as_file(one, floats, RATE)), "config": {"audio_format": "auto"}})
        for one in formats
    ]
    for events in run("each", jobs=jobs):
        assert error_rate(read(events, translates=False).spoken, BECKETT) <= 0.34


def test_what_is_missing_is_said_at_once(embedded: RunningServer) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"translation": {"type": "one_way", "target_language": "de"}}, "no translator for en→de is installed"),
        (
            {"translation": {"type": "two_way", "language_a": "en", "language_b": "de"}},
            "no translator for en→de is installed",
        ),
        (
            {"translation": {"type": "two_way", "language_a": "es", "language_b": "fr"}},
            "no recogniser for 'es' is installed",
        ),
        ({"language_hints": ["fr"]}, "no recogniser for 'fr' is installed"),
    ]
    jobs = [("sync", {"url": embedded.url, "steps": whole(bytes(3_200)), "config": config}) for config, _ in cases]
    for (_, text), events in zip(cases, run("each", jobs=jobs), strict=True):
        code, kind, found = error(events)
        assert (code, kind) == (400, "invalid_request")
        assert text in found


def test_what_is_installed_is_what_the_models_say(embedded: RunningServer) -> None:
    (models,) = run("rest", url=embedded.url, calls=[("models.list", {})])
    one = models["models"][0]
    assert [language["code"] for language in one["languages"]] == ["en"]
    assert {target["target_language"] for target in one["translation_targets"]} == {"es", "fr", "pt"}
    assert one["two_way_translation_pairs"] == []
    assert one["one_way_translation"] is None


def test_the_example_of_the_page_works(embedded: RunningServer, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "soniox.md").read_text(encoding="utf-8")
    example = "\n".join(re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL))
    example = example.replace("127.0.0.1:8000", f"{embedded.host}:{embedded.port}")
    audio = (samples("beckett.wav") / 32_768).astype(np.float32)
    (tmp_path / "talk.mp3").write_bytes(as_file(Container.MP3, audio, RATE))
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "again" in done.stdout
    assert says_again(done.stdout, "es")
    assert "<end>" in done.stdout


def test_two_people(embedded: RunningServer) -> None:
    command = [sys.executable, "-m", "demo.two_people", "--url", embedded.url, "--speed", "5"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert any("[en]" in line and "best of times" in line for line in lines)
    assert any("[es]" in line and says_again(line, "es") for line in lines)


def test_two_people_are_told_apart(embedded: RunningServer) -> None:
    # Both recordings are one person's; played a fifth faster, a voice is another one's.
    found, rate = recording("two_cities.wav")
    other = resampled(found, rate, round(RATE / 1.22))[: 6 * RATE]
    parts = [samples("beckett.wav", 0, 4), other, samples("beckett.wav", 4)]
    audio = np.concatenate([piece for part in parts for piece in (part, np.zeros(RATE, np.int16))])
    config = {"translation": SPANISH, "enable_speaker_diarization": True, **ENDS}
    client = read(run("sync", url=embedded.url, steps=whole(audio.tobytes()), config=config))
    words = [(token["speaker"], token["text"].strip(" .,").lower()) for token in client.finals if "start_ms" in token]
    by_speaker = {speaker: " ".join(text for who, text in words if who == speaker) for speaker, _ in words}
    assert set(by_speaker) == {"1", "2"}
    assert "times" in by_speaker["2"]
    assert "fail" in by_speaker["1"]
    assert {token["speaker"] for token in client.finals if "source_language" in token} == {"1", "2"}
