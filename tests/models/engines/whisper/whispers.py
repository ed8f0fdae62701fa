"""Small Whispers for the tests, each written once, and settings to run them with."""

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from dragoman.config.settings import WhisperSettings, load_settings
from dragoman.models.base import Samples
from tests.fakes.whisper_model import Size, random_whisper
from tests.fakes.whisper_script import Script, scripted_whisper

RATE = 16_000
GERMAN = "Das Haus ist groß und alt."
ENGLISH = "the house is big and old"

_MODELS: dict[str, Callable[[Path], object]] = {
    "random": random_whisper,
    "random128": lambda folder: random_whisper(folder, Size(mels=128, languages=100)),
    "random.en": lambda folder: random_whisper(folder, Size(multilingual=False)),
    "turbo": lambda folder: random_whisper(folder, Size(encoder_layers=8, decoder_layers=4, languages=100)),
    "distil": lambda folder: random_whisper(folder, Size(encoder_layers=3, decoder_layers=2)),
    "german": lambda folder: scripted_whisper(
        folder,
        {
            "": Script("Hello world."),
            "de": Script(GERMAN),
            "es": Script("La casa es grande", certainty=0.2),
            "fr": Script("we had everything before us", loops=True),
            "translate": Script(ENGLISH),
        },
        heard={"de": 0.7, "es": 0.2, "en": 0.08, "jw": 0.02},
    ),
}


@cache
def _root() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()


@cache
def model(name: str) -> Path:
    """The folder of a model. Read only."""
    folder = Path(_root().name) / name
    _MODELS[name](folder)
    return folder


@cache
def silent(no_speech: float, certainty: float) -> Path:
    """A model that says "Hello world." to everything, with these probabilities."""
    folder = Path(_root().name) / f"silent-{no_speech}-{certainty}"
    return scripted_whisper(folder, {"": Script("Hello world.", certainty=certainty)}, no_speech=no_speech)


def settings(name: str | Path = "", **changed: Any) -> WhisperSettings:
    """Settings for a model: the defaults, on one thread and in float32, with what is changed."""
    path = str(model(name)) if name in _MODELS else str(name)
    table = {"model": path, "threads": 1, "compute_type": "float32", **changed}
    return load_settings(overrides={"engines": {"whisper": table}}).engines.whisper


def unguarded(name: str, **changed: Any) -> WhisperSettings:
    """Settings that let through whatever the model says at the first attempt, of windows of 30 s."""
    off = {"max_compression_ratio": 1e6, "min_log_probability": -1e6, "max_no_speech": 1.0, "no_speech_alone": 1.0}
    return settings(name, **{"temperatures": [0.0], "beam_size": 1, "window_s": 30, **off, **changed})


def calm(seconds: float, loud_s: float = 1.8) -> Samples:
    """Noise that is 40 dB quieter from `loud_s` on, where nobody speaks any more: no text leaves anything out."""
    samples = noise(seconds)
    samples[round(loud_s * RATE) :] *= 0.01
    return samples


def noise(seconds: float, seed: int = 0, level: float = 0.05) -> Samples:
    """Noise that depends on the seed, and rises and falls like speech."""
    random = np.random.default_rng(seed)
    count = round(seconds * RATE)
    envelope = np.interp(np.arange(count), np.linspace(0, max(count, 1), 30), random.uniform(0.05, 1, 30))
    return (random.standard_normal(count) * envelope * level).astype(np.float32)
