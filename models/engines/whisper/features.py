"""From samples to what Whisper's encoder takes: a log-mel spectrogram of a window of up to 30 s.

Audio shorter than its window is followed by silence, as in training. (faster-whisper fills up the spectrogram with
zeros instead, which is as if a noise of moderate level followed; the models hear things in it.) In training the window
always had 30 s; the encoder's work grows with it, and it takes shorter ones.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragoman.models.base import SAMPLE_RATE_HZ, Samples

WINDOW_S = 30
FRAMES = 3000
FRAMES_PER_SECOND = FRAMES // WINDOW_S

WINDOWS_S = (10, 15, 20, WINDOW_S)
"""The windows that are used: few, so that requests at the same time often have the same. In less than 10 s the models
go in circles."""

MARGIN_S = 2.0
"""Silence that a window has behind the speech, unless it has 30 s; with less the models go in circles as well."""

SHORTEST_S = 0.1
"""Audio shorter than this holds no word."""

SILENT_PEAK = 1e-3
"""Audio that never rises above this (-60 dBFS) is silence, where Whisper likes to hear "Thank you."."""

_TAIL_SAMPLES = 400
"""Of silence behind the audio, the length of one frame: the frames that reach over its end are those of training."""


def speech_of(samples: Samples) -> Samples | None:
    """The samples, finite and without a constant offset, at most 30 s of them; None where they hold no speech."""
    if samples.size < SHORTEST_S * SAMPLE_RATE_HZ:
        return None
    clean = np.asarray(samples[: WINDOW_S * SAMPLE_RATE_HZ], np.float32)
    clean = np.clip(np.nan_to_num(clean, nan=0.0, posinf=0.0, neginf=0.0), -1.0, 1.0)
    clean -= np.float32(clean.mean(dtype=np.float64))
    return clean if float(np.abs(clean).max()) >= SILENT_PEAK else None


def frames_of(speech: Samples) -> int:
    """How many frames of 10 ms, at most 3000, the audio fills."""
    return min(FRAMES, -(-speech.size * FRAMES_PER_SECOND // SAMPLE_RATE_HZ))


def windows_from(least_s: float) -> tuple[int, ...]:
    """Those of WINDOWS_S that are used where none is to be shorter than `least_s`."""
    return tuple(window_s for window_s in WINDOWS_S if window_s >= least_s) or WINDOWS_S[-1:]


def window_of(speech: Samples, windows_s: Iterable[int]) -> int:
    """The shortest of the windows, in rising order, that is long enough for the speech; 30 s are for any."""
    wanted_s = speech.size / SAMPLE_RATE_HZ + MARGIN_S
    return next((window_s for window_s in windows_s if window_s >= wanted_s), WINDOW_S)


def spectrogram(extractor: Any, speech: Samples, window_s: int = WINDOW_S) -> NDArray[np.float32]:
    """The log-mel spectrogram of a window, shape (mels, 100 for each second), by faster-whisper's `FeatureExtractor`.

    Speech that is longer than its window is cut off.
    """
    frames = window_s * FRAMES_PER_SECOND
    heard = extractor(speech, padding=_TAIL_SAMPLES)[:, :frames]
    # Silence is 1e-10, or eight orders of magnitude below the loudest, whichever is more; in Whisper's scale that is
    # -1.5, or 2 below the highest value.
    silence = max(-1.5, float(heard.max()) - 2.0)
    window = np.full((heard.shape[0], frames), silence, np.float32)
    window[:, : heard.shape[1]] = heard
    return window
