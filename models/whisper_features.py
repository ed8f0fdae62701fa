"""From samples to what Whisper's encoder takes: a log-mel spectrogram of 30 s.

Audio shorter than that is followed by silence, as in training. (faster-whisper fills up the spectrogram with zeros
instead, which is as if a noise of moderate level followed; the models hear things in it.)
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragoman.models.base import SAMPLE_RATE_HZ, Samples

WINDOW_S = 30
FRAMES = 3000
FRAMES_PER_SECOND = FRAMES // WINDOW_S

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


def spectrogram(extractor: Any, speech: Samples) -> NDArray[np.float32]:
    """The log-mel spectrogram, shape (mels, 3000), by faster-whisper's `FeatureExtractor`."""
    heard = extractor(speech, padding=_TAIL_SAMPLES)[:, :FRAMES]
    # Silence is 1e-10, or eight orders of magnitude below the loudest, whichever is more; in Whisper's scale that is
    # -1.5, or 2 below the highest value.
    silence = max(-1.5, float(heard.max()) - 2.0)
    window = np.full((heard.shape[0], FRAMES), silence, np.float32)
    window[:, : heard.shape[1]] = heard
    return window
