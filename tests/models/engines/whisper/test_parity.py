"""The same model says the same through faster-whisper's own `transcribe`, for one piece of audio of 30 s.

Shorter audio differs on purpose: see `whisper_features.py`. So does what a text leaves out, see `whisper_rest.py`.
"""

from pathlib import Path
from typing import Any

import pytest
from faster_whisper import WhisperModel

from dragoman.models.base import RecognitionRequest
from dragoman.models.engines.whisper.recognizer import WhisperRecognizer
from dragoman.models.guards import collapse_repetitions
from tests.models.engines.whisper.whispers import model, noise, unguarded

AUDIO = noise(30.0, 3)
AUDIO = AUDIO - AUDIO.mean()
MODELS = ("random", "random128", "random.en", "turbo")


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman.models.engines.whisper.recognizer.MAX_RESTS", 0)


def transcribed(name: str, language: str | None, beam_size: int, **more: Any) -> tuple[str, Any]:
    whisper = WhisperModel(str(model(name)), device="cpu", compute_type="float32", cpu_threads=1)
    segments, info = whisper.transcribe(
        AUDIO,
        language=language,
        beam_size=beam_size,
        temperature=0.0,
        without_timestamps=True,
        compression_ratio_threshold=None,
        log_prob_threshold=None,
        no_speech_threshold=None,
        **more,
    )
    # Loops are collapsed whatever the settings say.
    return collapse_repetitions(" ".join(next(iter(segments)).text.split())), info


@pytest.fixture(autouse=True)
def every_word_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights give words no place in the sound, and those at the end would be left out."""
    monkeypatch.setattr(f"{WhisperRecognizer.__module__}.placed", tuple)


@pytest.mark.parametrize("beam_size", [1, 5])
@pytest.mark.parametrize("name", MODELS)
def test_the_same_text(name: str, beam_size: int) -> None:
    recognizer = WhisperRecognizer(Path(), unguarded(name, beam_size=beam_size))
    (heard,) = recognizer.recognize([RecognitionRequest(AUDIO, "en")])
    assert len(heard.text.split()) > 2
    assert heard.text == transcribed(name, "en", beam_size)[0]
    recognizer.close()


def test_the_same_language_and_english() -> None:
    recognizer = WhisperRecognizer(Path(), unguarded("random"))
    (heard,) = recognizer.recognize([RecognitionRequest(AUDIO, english_for=recognizer.languages)])
    text, info = transcribed("random", None, 1)
    assert (heard.text, heard.language) == (text, info.language)
    assert heard.language_confidence == pytest.approx(info.language_probability, abs=1e-4)
    assert heard.english == transcribed("random", heard.language, 1, task="translate")[0] != heard.text
    recognizer.close()


def test_the_same_with_keywords_and_with_what_was_said_before() -> None:
    recognizer = WhisperRecognizer(Path(), unguarded("random"))
    prompter = recognizer._loaded.prompter  # type: ignore[union-attr]
    before = " ".join(["Hello world, good morning"] * 12)
    tokens = prompter.tokenizer("de").encode(f" {before}")
    known, told = recognizer.recognize(
        [
            RecognitionRequest(AUDIO, "de", keywords=("house", "morning")),
            RecognitionRequest(AUDIO, "de", context=before),
        ]
    )
    assert known.text == transcribed("random", "de", 1, hotwords="house, morning")[0]
    assert told.text == transcribed("random", "de", 1, initial_prompt=tokens[-31:])[0]
    assert known.text != told.text
    recognizer.close()
