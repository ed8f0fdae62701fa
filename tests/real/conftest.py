"""Real recognisers, each loaded once; a test whose weights are not here is skipped."""

from collections.abc import Iterator

import pytest

from dragoman.config.settings import load_settings
from dragoman.models.engines.moonshine.recognizer import MoonshineRecognizer
from dragoman.models.engines.whisper.recognizer import WhisperRecognizer
from tests.real.weights import models_folder


def _whisper(name: str) -> Iterator[WhisperRecognizer]:
    folder = models_folder(name)
    if folder is None:
        pytest.skip(f"the real Whisper {name} is not here: run `make real`, or name a folder in DRAGOMAN_REAL_MODELS")
    settings = load_settings(overrides={"engines": {"whisper": {"model": name, "device": "cpu"}}})
    recognizer = WhisperRecognizer(folder / "whisper", settings.engines.whisper)
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
