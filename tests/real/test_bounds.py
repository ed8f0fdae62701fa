"""Real Whisper where nothing is said, or nothing that could be understood: no text, and no endless attempts."""

import numpy as np
import pytest

from dragoman.config.settings import load_settings
from dragoman.models.base import RecognitionRequest, Samples
from dragoman.models.engines.whisper.recognizer import ENGLISH_ATTEMPTS, MAX_RESTS, WhisperRecognizer
from tests.fakes.sounds import SOUNDS, no_speech
from tests.real.talk import hear, recordings

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]


def babble() -> Samples:
    """Ten people who talk at once, in five languages."""
    voices = [recording.samples for recording in recordings(3, 4)]
    length = min(len(voice) for voice in voices)
    mixed = np.sum([voice[:length] for voice in voices], axis=0)
    return np.asarray(mixed / np.abs(mixed).max() * 0.7, np.float32)


def decodes(base: WhisperRecognizer, request: RecognitionRequest) -> int:
    before = base.decodes
    base.recognize([request])
    return base.decodes - before


@pytest.mark.parametrize("level", [0.3, 0.003])
@pytest.mark.parametrize("sound", SOUNDS)
def test_what_is_no_speech_gives_no_text(base: WhisperRecognizer, sound: str, level: float) -> None:
    assert hear(base, no_speech(sound) * np.float32(level), in_real_time=False).text == ""


@pytest.mark.parametrize("sound", ["babble", "white", "melody"])
def test_attempts_are_bounded(base: WhisperRecognizer, sound: str) -> None:
    samples = babble() if sound == "babble" else no_speech(sound) * np.float32(0.3)
    assert decodes(base, RecognitionRequest(samples, "en", partial=True)) <= 1
    attempts = len(load_settings().engines.whisper.temperatures)
    most = (attempts + ENGLISH_ATTEMPTS) * (1 + MAX_RESTS)
    assert decodes(base, RecognitionRequest(samples, "es", english_for=frozenset({"es"}))) <= most


def test_clear_speech_is_decoded_once_and_its_english_twice_at_most(base: WhisperRecognizer) -> None:
    for recording in recordings(3, languages=["es", "fr", "de"]):
        assert decodes(base, RecognitionRequest(recording.samples, recording.language, partial=True)) == 1
        english = frozenset({recording.language})
        request = RecognitionRequest(recording.samples, recording.language, english_for=english)
        assert decodes(base, request) <= 1 + MAX_RESTS + ENGLISH_ATTEMPTS * (1 + MAX_RESTS)
