"""Pulled speaker models: small ones in the real form, and the features against a reading of Kaldi's own."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dragoman.models.base import SAMPLE_RATE_HZ, Samples
from dragoman.models.engines.onnx_speakers.identifier import BANDS, OnnxSpeakerEmbedder, mel_bands
from dragoman.models.errors import EngineFailed, EngineUnavailable
from tests.fakes.engines import silence, tone
from tests.fakes.speakers import speaker_model, write_speaker_model

NAME = "small"
WESPEAKER = {"framework": "wespeaker", "sample_rate": "16000"}
SPEAKER_3D = {
    "framework": "3d-speaker",
    "sample_rate": "16000",
    "normalize_samples": "1",
    "feature_normalize_type": "global-mean",
}
FRAME, SHIFT, SIZE = 400, 160, 512


@pytest.fixture
def embedder(tmp_path: Path) -> Iterator[OnnxSpeakerEmbedder]:
    write_speaker_model(tmp_path, NAME, speaker_model())
    loaded = OnnxSpeakerEmbedder(tmp_path)
    yield loaded
    loaded.close()


def noise(seconds: float, seed: int = 0, level: float = 0.1) -> Samples:
    made = np.random.default_rng(seed).standard_normal(round(seconds * SAMPLE_RATE_HZ), np.float32)
    return made * np.float32(level)


def voiced(hz: float, seconds: float = 2.0) -> Samples:
    """Noise that comes and goes, and a tone that does so by itself: the spectra of two pitches change differently."""
    times = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    swing = np.abs(np.sin(2 * np.pi * 3 * times)).astype(np.float32)
    return noise(seconds, level=0.001) + tone(seconds, hz) * swing


def reference(samples: Samples, window: str) -> NDArray[np.float64]:
    """Kaldi's mel bands, written down from its documentation: https://kaldi-asr.org/doc/feat.html."""
    count = 1 + (len(samples) - FRAME) // SHIFT
    frames = np.stack([samples[at * SHIFT : at * SHIFT + FRAME] for at in range(count)]).astype(np.float64)
    frames -= frames.mean(axis=1, keepdims=True)
    frames -= 0.97 * np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    curve = np.hamming(FRAME) if window == "hamming" else np.hanning(FRAME) ** 0.85
    power = np.abs(np.fft.rfft(frames * curve, SIZE)) ** 2

    def mel(hz: NDArray[np.float64] | float) -> NDArray[np.float64]:
        return 1127.0 * np.log1p(np.asarray(hz) / 700.0)

    edges = np.linspace(mel(20.0), mel(8000.0), BANDS + 2)
    places = mel(np.arange(SIZE // 2) * SAMPLE_RATE_HZ / SIZE)
    bands = np.empty((count, BANDS))
    for band in range(BANDS):
        low, middle, high = edges[band : band + 3]
        slope = np.minimum((places - low) / (middle - low), (high - places) / (high - middle))
        bands[:, band] = power[:, :-1] @ np.clip(slope, 0, None)
    made: NDArray[np.float64] = np.log(np.maximum(bands, np.finfo(np.float32).eps))
    return made


@pytest.mark.parametrize("window", ["hamming", "povey"])
def test_the_features_are_kaldis(window: str) -> None:
    samples = noise(0.5) + tone(0.5, 440.0)
    found = mel_bands(samples, window)
    expected = reference(samples, window)
    assert found.shape == expected.shape
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-3)


@pytest.mark.parametrize(("facts", "window", "scale"), [(WESPEAKER, "hamming", 32768.0), (SPEAKER_3D, "povey", 1.0)])
def test_each_maker_gets_the_features_that_it_trained_with(
    tmp_path: Path, facts: dict[str, str], window: str, scale: float
) -> None:
    write_speaker_model(tmp_path, NAME, speaker_model(facts))
    samples = voiced(300.0)
    (voice,) = OnnxSpeakerEmbedder(tmp_path).embed([samples])
    bands = reference(samples * np.float32(scale), window)
    expected = np.sqrt(np.square(bands - bands.mean(axis=0)).mean(axis=0))
    np.testing.assert_allclose(voice, expected / np.linalg.norm(expected), atol=2e-3)


def test_a_voice_is_a_unit_vector_that_knows_its_own(embedder: OnnxSpeakerEmbedder) -> None:
    low, high = voiced(300.0), voiced(2500.0)
    voices = embedder.embed([low, high, low * np.float32(0.2), voiced(300.0, 3.0)])
    assert [voice.dtype for voice in voices] == [np.float32] * 4
    assert [float(np.linalg.norm(voice)) for voice in voices] == pytest.approx([1.0] * 4)
    cosines = [float(voices[0] @ voice) for voice in voices]
    assert cosines[2] > 0.99
    assert cosines[3] > 0.99
    assert cosines[1] < 0.98


@pytest.mark.parametrize(
    "samples",
    [voiced(300.0, 0.01), np.ones(1, np.float32), silence(1.0), np.full(8000, np.nan, np.float32)],
    ids=["a scrap", "one sample", "silence", "no numbers"],
)
def test_whatever_comes_has_a_vector_or_none_at_all(embedder: OnnxSpeakerEmbedder, samples: Samples) -> None:
    try:
        (voice,) = embedder.embed([samples])
    except EngineFailed as error:
        assert "it gave no vector" in str(error)  # there is no spectrum that changes
    else:
        assert np.linalg.norm(voice) == pytest.approx(1.0)


def test_a_closed_one_says_so(embedder: OnnxSpeakerEmbedder) -> None:
    embedder.close()
    embedder.close()
    with pytest.raises(EngineFailed, match="it is closed"):
        embedder.embed([voiced(300.0)])


def test_the_wanted_model_is_taken_or_the_first(tmp_path: Path) -> None:
    for name in ("b-model", "a-model"):
        write_speaker_model(tmp_path, name, speaker_model(), f"{name}.onnx")
    (tmp_path / ".pulling").mkdir()
    (tmp_path / "notes.txt").write_text("")
    assert OnnxSpeakerEmbedder(tmp_path).model_name == "a-model"
    assert OnnxSpeakerEmbedder(tmp_path, "b-model").model_name == "b-model"
    with pytest.raises(EngineUnavailable, match=r"there is no model 'c-model' in .*pull c-model"):
        OnnxSpeakerEmbedder(tmp_path, "c-model")
    with pytest.raises(EngineUnavailable, match=r"there is no model in .*`dragoman models pull NAME`"):
        OnnxSpeakerEmbedder(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (
            speaker_model({"framework": "nemo", "sample_rate": "16000"}),
            "it is made for nemo. Take a model of wespeaker",
        ),
        (speaker_model({}), "it does not say who made it"),
        (speaker_model({"framework": "wespeaker", "sample_rate": "8000"}), "it takes audio of 8000 Hz"),
        (speaker_model(bands=40), "it does not take 80 mel bands"),
        (speaker_model(gain=float("nan")), r"it does not work \(it gave no vector\)"),
        (speaker_model()[:100], "its model.onnx is not whole"),
        (b"no model at all", "its model.onnx is not an ONNX model"),
    ],
    ids=["another maker", "no maker", "another rate", "other features", "no numbers", "cut off", "no model"],
)
def test_a_model_that_cannot_be_used_is_named_with_its_reason(tmp_path: Path, data: bytes, reason: str) -> None:
    write_speaker_model(tmp_path, NAME, data)
    with pytest.raises(EngineUnavailable, match=f"speaker model {NAME} is not available: {reason}"):
        OnnxSpeakerEmbedder(tmp_path)


def test_a_folder_must_have_one_model(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(EngineUnavailable, match=r"its folder has no \.onnx files, not one.*pull small` again"):
        OnnxSpeakerEmbedder(tmp_path)
    for file in ("one.onnx", "two.onnx"):
        write_speaker_model(tmp_path, NAME, speaker_model(), file)
    with pytest.raises(EngineUnavailable, match=r"its folder has 2 \.onnx files"):
        OnnxSpeakerEmbedder(tmp_path)


def test_without_the_library_for_features_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert importlib.util.find_spec("kaldi_native_fbank") is not None
    monkeypatch.setitem(sys.modules, "kaldi_native_fbank", None)
    write_speaker_model(tmp_path, NAME, speaker_model())
    with pytest.raises(EngineUnavailable, match=r"kaldi_native_fbank is not installed. Run `pip install"):
        OnnxSpeakerEmbedder(tmp_path)
