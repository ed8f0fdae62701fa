"""Real recognisers, each loaded once; a test whose weights are not here is skipped."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragoman.config.settings import load_settings
from dragoman.models.engines.moonshine.recognizer import MoonshineRecognizer
from dragoman.models.engines.whisper.recognizer import WhisperRecognizer
from dragoman.models.files.store import Store

# What `make real` pulls; DRAGOMAN_REAL_MODELS names another folder, as `models_dir` would.
FOLDER = Path(os.environ.get("REAL_MODELS") or Path(__file__).resolve().parents[2] / "build" / "real")


def _whisper(name: str) -> Iterator[WhisperRecognizer]:
    installed = Store(FOLDER).find("whisper", name)
    if installed is None or installed.fault:
        pytest.skip(f"the real Whisper {name} is not here: run `make real`, or name a folder in DRAGOMAN_REAL_MODELS")
    settings = load_settings(overrides={"engines": {"whisper": {"model": name, "device": "cpu"}}})
    recognizer = WhisperRecognizer(FOLDER / "whisper", settings.engines.whisper)
    yield recognizer
    recognizer.close()


@pytest.fixture(scope="session")
def base() -> Iterator[WhisperRecognizer]:
    yield from _whisper("base")


@pytest.fixture(scope="session")
def tiny_en() -> Iterator[WhisperRecognizer]:
    yield from _whisper("tiny.en")


@pytest.fixture(scope="session")
def moonshine() -> Iterator[MoonshineRecognizer]:
    recognizer = MoonshineRecognizer()
    yield recognizer
    recognizer.close()
