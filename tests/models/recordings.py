"""The recordings inside the recogniser's package, as the engines take them."""

import functools
import importlib.util
import wave
from pathlib import Path

import numpy as np
import soxr

from dragoman.models.base import SAMPLE_RATE_HZ, Samples


@functools.cache
def recording(name: str) -> Samples:
    """`beckett.wav` (10 s) or `two_cities.wav` (44 s) at 16 kHz. Read only."""
    package = importlib.util.find_spec("moonshine_voice")
    assert package is not None
    assert package.submodule_search_locations
    with wave.open(str(Path(package.submodule_search_locations[0]) / "assets" / name)) as file:
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
        mono = frames.mean(axis=1, dtype=np.float32) / np.float32(32768)
        samples: Samples = np.asarray(soxr.resample(mono, file.getframerate(), SAMPLE_RATE_HZ), np.float32)
    samples.flags.writeable = False
    return samples
