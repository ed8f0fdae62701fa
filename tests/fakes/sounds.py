"""Sounds that are no speech."""

import numpy as np

from dragoman.models.base import Samples

SOUNDS = ("nothing", "dither", "white", "pink", "hum", "chord", "melody", "clicks", "puffs")


def no_speech(sound: str) -> Samples:
    """Eight seconds of it, with a peak of about 1."""
    random, length = np.random.default_rng(1), 250 * 512
    times = np.arange(length) / 16_000
    noise = random.standard_normal(length) / 4
    if sound == "nothing":
        made = np.zeros(length)
    elif sound == "dither":
        made = random.integers(-1, 2, length) / 100
    elif sound == "white":
        made = noise
    elif sound == "pink":
        spectrum = np.fft.rfft(noise)
        made = np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), length) * 20
    elif sound == "hum":
        made = np.sum([np.sin(2 * np.pi * 50 * k * times) / k for k in range(1, 8)], axis=0) / 2
    elif sound == "chord":
        made = np.sum([np.sin(2 * np.pi * hz * times) for hz in (220, 277, 330, 440)], axis=0) / 4
    elif sound == "melody":
        tones = np.repeat(random.choice([220, 247, 294, 330, 392, 440], 16), length // 16)
        made = np.sin(2 * np.pi * tones * times) * np.tile(np.exp(-np.arange(length // 16) / 4000), 16)
    elif sound == "clicks":
        made = np.zeros(length)
        made[random.integers(0, length, 25)] = 1
        made = np.convolve(made, np.exp(-np.arange(200) / 30) * random.standard_normal(200), "same")
    else:
        made = noise * (np.sin(2 * np.pi * 0.7 * times) > 0.6)
    return np.asarray(made, np.float32)
