"""From samples to spectrograms."""

import numpy as np
import pytest
from faster_whisper.feature_extractor import FeatureExtractor

from dragoman.models.engines.whisper.features import frames_of, spectrogram, speech_of, window_of, windows_from
from tests.models.engines.whisper.whispers import RATE, noise

WINDOW = 30 * RATE


@pytest.mark.parametrize("mels", [80, 128])
@pytest.mark.parametrize("seconds", [0.1, 1.0, 7.77, 29.999, 30.0])
def test_shorter_audio_is_followed_by_silence(seconds: float, mels: int) -> None:
    extractor = FeatureExtractor(feature_size=mels)
    speech = noise(seconds)
    padded = np.pad(speech, (0, WINDOW - speech.size))
    expected = extractor(padded, padding=160)[:, :-1]
    found = spectrogram(extractor, speech)
    assert found.shape == (mels, 3000)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_shorter_window_is_the_beginning_of_a_long_one() -> None:
    extractor, speech = FeatureExtractor(feature_size=80), noise(7.77)
    short = spectrogram(extractor, speech, 10)
    assert short.shape == (80, 1000)
    np.testing.assert_array_equal(short, spectrogram(extractor, speech)[:, :1000])
    assert spectrogram(extractor, noise(15.0), 10).shape == (80, 1000)


@pytest.mark.parametrize(
    ("least_s", "windows_s"),
    [(10.0, (10, 15, 20, 30)), (10.1, (15, 20, 30)), (20.0, (20, 30)), (29.0, (30,)), (30.0, (30,))],
)
def test_no_window_is_shorter_than_wanted(least_s: float, windows_s: tuple[int, ...]) -> None:
    assert windows_from(least_s) == windows_s


@pytest.mark.parametrize(
    ("seconds", "window_s"), [(0.1, 10), (8.0, 10), (8.01, 15), (13.0, 15), (18.0, 20), (18.1, 30), (30.0, 30)]
)
def test_every_window_has_silence_behind_the_speech(seconds: float, window_s: int) -> None:
    speech = np.zeros(round(seconds * RATE), np.float32)
    assert window_of(speech, (10, 15, 20, 30)) == window_s
    assert window_of(speech, (30,)) == 30


def test_quiet_audio_has_the_floor_of_silence() -> None:
    extractor = FeatureExtractor(feature_size=80)
    found = spectrogram(extractor, noise(1.0, level=1e-3))
    assert found.min() == pytest.approx(-1.5, abs=1e-5)
    np.testing.assert_allclose(found[:, 200:], -1.5, atol=1e-5)


@pytest.mark.parametrize(
    ("samples", "frames"), [(1600, 10), (1601, 11), (RATE, 100), (WINDOW - 1, 3000), (WINDOW, 3000)]
)
def test_frames(samples: int, frames: int) -> None:
    assert frames_of(np.zeros(samples, np.float32)) == frames


def test_audio_is_cut_at_thirty_seconds_and_an_offset_taken_off() -> None:
    found = speech_of(noise(31.0) + np.float32(0.3))
    assert found is not None
    assert found.size == WINDOW
    assert abs(float(found.mean())) < 1e-6


def test_the_samples_that_were_given_stay_as_they_are() -> None:
    given = noise(1.0) + np.float32(0.1)
    given[5] = np.nan
    before = given.copy()
    speech_of(given)
    np.testing.assert_array_equal(given, before)
    given.flags.writeable = False
    assert speech_of(given) is not None


@pytest.mark.parametrize("samples", [0, 1, 1599])
def test_too_short_for_a_word(samples: int) -> None:
    assert speech_of(noise(1.0)[:samples]) is None


def test_too_quiet_for_speech() -> None:
    assert speech_of(np.full(RATE, 0.4, np.float32)) is None
    assert speech_of(np.sin(np.arange(RATE, dtype=np.float32)) * np.float32(9e-4)) is None
    assert speech_of(np.sin(np.arange(RATE, dtype=np.float32)) * np.float32(2e-3)) is not None
