"""The detector on the model file that users have."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from dragoman.models.base import Samples
from dragoman.models.engines.silero.detector import SileroDetector
from dragoman.models.errors import EngineFailed, EngineUnavailable
from tests.fakes.sounds import SOUNDS, no_speech
from tests.models.recordings import recording

FRAME = SileroDetector.frame_samples


@pytest.fixture(scope="module")
def detector() -> SileroDetector:
    return SileroDetector()


@pytest.fixture(scope="module")
def speech() -> Samples:
    samples = recording("beckett.wav")
    return samples[: samples.size // FRAME * FRAME]


@pytest.mark.embedded
def test_any_cutting_into_calls_gives_the_same(detector: SileroDetector, speech: Samples) -> None:
    whole = detector.stream().probabilities(speech)
    assert whole.shape == (speech.size // FRAME,)
    for pattern in ([1], [2, 3], [1, 50, 0, 7]):
        stream, position = detector.stream(), 0
        given: list[NDArray[np.float32]] = []
        while position < speech.size:
            frames = pattern[len(given) % len(pattern)]
            given.append(stream.probabilities(speech[position : position + frames * FRAME]))
            position += frames * FRAME
        np.testing.assert_allclose(np.concatenate(given), whole, atol=1e-6)


@pytest.mark.embedded
def test_streaming_equals_the_reference(
    detector: SileroDetector, speech: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As far as nothing is forgotten: the reference hears one utterance after the other with one state."""
    from faster_whisper.vad import get_vad_model

    monkeypatch.setattr(f"{SileroDetector.__module__}.FORGETS_AFTER", speech.size)
    expected = np.asarray(get_vad_model()(speech.copy())).reshape(-1)
    stream = detector.stream()
    given = np.concatenate(
        [stream.probabilities(speech[start : start + FRAME]) for start in range(0, speech.size, FRAME)]
    )
    # The reference blanks the end of the last frame, through a view that it means to be a copy.
    np.testing.assert_allclose(given[:-1], expected[:-1], atol=1e-6)


@pytest.mark.embedded
@pytest.mark.parametrize("quieter_db", [0, 10, 20, 30])
@pytest.mark.parametrize("gap_s", [0.5, 2.0])
def test_quiet_speech_behind_loud_speech_is_heard(
    detector: SileroDetector, speech: Samples, quieter_db: float, gap_s: float
) -> None:
    """Two people at one microphone: 30 dB apart the second one was not heard at all."""
    alone = detector.stream().probabilities(speech) > 0.5
    gap = np.zeros(round(gap_s * 16_000 / FRAME) * FRAME, np.float32)
    quiet = speech * np.float32(10 ** (-quieter_db / 20))
    found = detector.stream().probabilities(np.concatenate([speech, gap, quiet]))[-len(alone) :] > 0.5
    assert (found & alone).sum() > 0.9 * alone.sum()
    assert np.argmax(found) - np.argmax(alone) < 5


@pytest.mark.parametrize("level", [0.3, 0.03, 0.003])
@pytest.mark.parametrize("sound", SOUNDS)
def test_what_is_no_speech_does_not_become_speech_by_forgetting(
    detector: SileroDetector, sound: str, level: float
) -> None:
    samples = no_speech(sound) * np.float32(level)
    assert (detector.stream().probabilities(samples) > 0.5).sum() <= 1


@pytest.mark.embedded
def test_speech_and_pauses_are_told_apart(detector: SileroDetector, speech: Samples) -> None:
    probabilities = detector.stream().probabilities(speech)
    assert 0.3 < (probabilities > 0.5).mean() < 0.6
    assert probabilities.min() >= 0
    assert probabilities.max() <= 1


def test_streams_know_nothing_of_each_other(detector: SileroDetector) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, (2, 40 * FRAME)).astype(np.float32)
    alone = detector.stream().probabilities(noise[0])
    one, other = detector.stream(), detector.stream()
    interleaved = []
    for start in range(0, noise.shape[1], FRAME):
        interleaved.append(one.probabilities(noise[0, start : start + FRAME]))
        other.probabilities(noise[1, start : start + FRAME])
    np.testing.assert_allclose(np.concatenate(interleaved), alone, atol=1e-6)


def test_nothing_gives_nothing(detector: SileroDetector) -> None:
    assert detector.stream().probabilities(np.empty(0, np.float32)).shape == (0,)


def test_a_broken_frame_is_refused(detector: SileroDetector) -> None:
    with pytest.raises(ValueError, match="whole frames of 512"):
        detector.stream().probabilities(np.zeros(FRAME + 1, np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_do_not_stay_in_the_state(detector: SileroDetector, value: float) -> None:
    stream = detector.stream()
    stream.probabilities(np.full(FRAME, value, np.float32))
    assert np.isfinite(stream.probabilities(np.zeros(3 * FRAME, np.float32))).all()


def test_a_failure_leaves_the_state_alone(detector: SileroDetector) -> None:
    class Broken:
        def run(self, *_: object) -> None:
            raise RuntimeError("out of order")

    stream = detector.stream()
    stream.probabilities(np.full(FRAME, 0.1, np.float32))
    session, hidden = stream._session, stream._hidden
    stream._session = Broken()
    with pytest.raises(EngineFailed, match="silero failed: out of order"):
        stream.probabilities(np.zeros(FRAME, np.float32))
    assert stream._hidden is hidden
    stream._session = session
    stream.probabilities(np.zeros(FRAME, np.float32))


def test_closing() -> None:
    detector = SileroDetector()
    stream = detector.stream()
    detector.close()
    detector.close()
    stream.probabilities(np.zeros(FRAME, np.float32))
    with pytest.raises(EngineFailed, match="closed"):
        detector.stream()


def test_a_missing_package_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EngineUnavailable, match=r"faster_whisper is not installed.*pip install") as caught:
        SileroDetector()
    assert caught.value.engine == "silero"


def test_the_package_of_the_model_is_not_imported() -> None:
    code = (
        "import sys; from dragoman.models.engines.silero.detector import SileroDetector as D; "
        "assert 'onnxruntime' not in sys.modules; "
        "D(); assert not {'faster_whisper', 'ctranslate2', 'av'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
