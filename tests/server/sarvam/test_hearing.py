"""The defaults of these sockets lose no speech that the other wires hear, as the real detector judges."""

from collections.abc import Callable

import numpy as np
import pytest
import soxr

from dragoman.config.settings import ListenSettings, load_settings
from dragoman.models.base import SAMPLE_RATE_HZ, Samples
from dragoman.models.engines.silero.detector import SileroDetector
from dragoman.pipeline.audio.decode import make_decoder
from dragoman.pipeline.audio.formats import pcm
from dragoman.pipeline.ear import Ear
from dragoman.pipeline.items import SpeechChunk
from dragoman.server.protocols.sarvam.vad import tuned
from tests.fakes.engines import s16, silence
from tests.models.recordings import recording

pytestmark = pytest.mark.embedded

BASE = load_settings().listen
SLACK = SAMPLE_RATE_HZ // 5
"""Audio behind a segment's end, of which a longer segment keeps another part."""


def quiet(samples: Samples) -> Samples:
    """Forty decibels under what it was."""
    return samples * np.float32(0.01)


def telephone(samples: Samples) -> Samples:
    """Nothing above 3.4 kHz."""
    return np.asarray(soxr.resample(soxr.resample(samples, SAMPLE_RATE_HZ, 6_800), 6_800, SAMPLE_RATE_HZ), np.float32)


def faded(samples: Samples) -> Samples:
    """It begins so quietly that nobody is sure at first."""
    rise = np.clip(np.arange(len(samples), dtype=np.float32) / (1.5 * SAMPLE_RATE_HZ), 0.002, 1.0)
    return samples * rise


def one_word(samples: Samples) -> Samples:
    """The first third of a second of speech, alone."""
    at = int(np.argmax(np.abs(samples) > 0.05))
    return np.concatenate([samples[max(0, at - 1600) : at + SAMPLE_RATE_HZ // 3], silence(1.0)])


def gaps(samples: Samples) -> Samples:
    """Every half second a tenth is nearly gone, as on a bad line."""
    holes = (np.arange(len(samples)) % (SAMPLE_RATE_HZ // 2)) < SAMPLE_RATE_HZ // 10
    return np.where(holes, samples * np.float32(0.05), samples)


def noisy(samples: Samples) -> Samples:
    """Somebody beside a fan."""
    noise = np.random.default_rng(1).normal(0, 0.02, len(samples)).astype(np.float32)
    return samples + noise


def kept(samples: Samples, listen: ListenSettings, rate_hz: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which samples of the input, at 16 kHz, get to the recogniser."""
    sent = samples if rate_hz == SAMPLE_RATE_HZ else soxr.resample(samples, SAMPLE_RATE_HZ, rate_hz)
    ear = Ear(make_decoder(pcm(rate_hz)), SileroDetector(), listen)
    _, heard = ear.hear(s16(np.clip(sent, -1, 1)), len(samples))
    heard += ear.stop(final=True)
    found = np.zeros(len(samples) + SAMPLE_RATE_HZ, bool)
    for item in heard:
        if isinstance(item, SpeechChunk):
            start = round(item.start_s * SAMPLE_RATE_HZ)
            found[start : start + len(item.samples)] = True
    return found


@pytest.mark.parametrize("rate_hz", [16_000, 8_000])
@pytest.mark.parametrize("name", ["beckett.wav", "two_cities.wav"])
@pytest.mark.parametrize("change", [np.asarray, quiet, telephone, faded, one_word, gaps, noisy])
def test_what_others_hear_is_heard(name: str, change: Callable[[Samples], Samples], rate_hz: int) -> None:
    samples = change(recording(name)[: 12 * SAMPLE_RATE_HZ])
    others, ours = kept(samples, BASE, rate_hz), kept(samples, tuned({}, BASE), rate_hz)
    lost = np.flatnonzero(others & ~ours)
    # What follows the last word may be another stretch of silence; nothing else.
    assert len(lost) <= SLACK, f"lost from {lost[0] / SAMPLE_RATE_HZ:.2f} s on"
    assert others.any()
