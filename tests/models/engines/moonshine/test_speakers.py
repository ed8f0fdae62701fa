"""The speaker model inside the installed package, on a recording and on the voices of the embedded synthesizer."""

import importlib.util
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
import soxr

from dragoman.models.base import SAMPLE_RATE_HZ, Samples, SynthesisRequest
from dragoman.models.engines.espeak.synthesizer import EspeakSynthesizer
from dragoman.models.engines.moonshine.speakers import MoonshineSpeakerEmbedder
from dragoman.models.errors import EngineFailed, EngineUnavailable
from dragoman.models.voices import espeak_voices
from dragoman.pipeline.speakers import Speakers
from tests.models.recordings import recording

pytestmark = pytest.mark.embedded

SAME = 0.9999
"""Cosine of two vectors of the same samples: sums are not formed in the same order at all times and on all machines."""

TEXT = "The quick brown fox jumps over the lazy dog, and nobody knows what it was that made him do so."


@pytest.fixture(scope="module")
def embedder() -> Iterator[MoonshineSpeakerEmbedder]:
    loaded = MoonshineSpeakerEmbedder()
    yield loaded
    loaded.close()


@pytest.fixture(scope="module")
def people() -> dict[str, Samples]:
    """Somebody who reads, and two synthetic voices."""
    synthesizer = EspeakSynthesizer()
    found = {"reader": recording("two_cities.wav")[2 * SAMPLE_RATE_HZ : 14 * SAMPLE_RATE_HZ]}
    voices = [voice for voice in espeak_voices(["en"]) if voice.language == "en"]
    for gender in ("female", "male"):
        voice = next(voice for voice in voices if voice.gender == gender)
        speech = np.concatenate(list(synthesizer.synthesize(SynthesisRequest(f"{TEXT} {TEXT}", voice))))
        at_16 = soxr.resample(speech, synthesizer.sample_rate_hz(voice), SAMPLE_RATE_HZ)
        found[gender] = np.asarray(at_16, np.float32)[: 12 * SAMPLE_RATE_HZ]
    synthesizer.close()
    return found


def pieces(samples: Samples, seconds: float) -> list[Samples]:
    size = round(seconds * SAMPLE_RATE_HZ)
    return [samples[start : start + size] for start in range(0, len(samples) - size + 1, size)]


@pytest.mark.parametrize("seconds", [2.0, 4.0])
def test_pieces_of_one_person_are_nearer_than_pieces_of_two(
    embedder: MoonshineSpeakerEmbedder, people: dict[str, Samples], seconds: float
) -> None:
    voices = {name: np.stack(embedder.embed(pieces(samples, seconds))) for name, samples in people.items()}
    for name, own in voices.items():
        assert own.shape[1:] == (512,)
        assert np.linalg.norm(own, axis=1) == pytest.approx(np.ones(len(own)))
        among = (own @ own.T)[~np.eye(len(own), dtype=bool)]
        others = np.concatenate([(own @ voices[other].T).ravel() for other in voices if other != name])
        assert np.median(among) > embedder.threshold
        assert np.median(others) < embedder.threshold
        assert np.median(among) > np.median(others) + 0.2


def test_a_conversation(embedder: MoonshineSpeakerEmbedder, people: dict[str, Samples]) -> None:
    turns = {name: iter(pieces(samples, 3.0)) for name, samples in people.items()}
    speakers = Speakers(embedder.threshold, embedder.shortest_s)
    order = ["reader", "female", "reader", "female", "female", "reader"]  # the synthetic two are much alike
    labels = [speakers.settle(embedder.embed([next(turns[name])])[0], 3.0) for name in order]
    assert labels == ["1", "2", "1", "2", "2", "1"]


def test_a_telephone_does_not_make_everybody_alike(
    embedder: MoonshineSpeakerEmbedder, people: dict[str, Samples]
) -> None:
    narrow = {
        name: np.asarray(soxr.resample(soxr.resample(samples, 16_000, 8_000), 8_000, 16_000), np.float32)
        for name, samples in people.items()
    }
    reader, female = (np.stack(embedder.embed(pieces(narrow[name], 4.0))) for name in ("reader", "female"))
    assert np.median(reader @ female.T) < embedder.threshold


def test_the_level_does_not_matter_and_the_same_piece_has_the_same_voice(
    embedder: MoonshineSpeakerEmbedder, people: dict[str, Samples]
) -> None:
    piece = people["reader"][: 3 * SAMPLE_RATE_HZ]
    loud, again, quiet, offset = embedder.embed([piece, piece, piece * np.float32(0.05), piece + np.float32(0.1)])
    assert loud @ again > SAME
    assert loud @ quiet > 0.98
    assert loud @ offset > 0.98


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(16_000, np.float32),
        np.full(16_000, np.nan, np.float32),
        np.ones(1, np.float32),
        np.ones(300, np.float32),
    ],
    ids=["silence", "no numbers", "one sample", "a click"],
)
def test_whatever_comes_has_a_vector(embedder: MoonshineSpeakerEmbedder, samples: Samples) -> None:
    (voice,) = embedder.embed([samples])
    assert np.linalg.norm(voice) == pytest.approx(1.0)


def test_many_threads_load_it_once_and_are_told_the_same(people: dict[str, Samples]) -> None:
    embedder = MoonshineSpeakerEmbedder()
    piece = people["reader"][:SAMPLE_RATE_HZ]
    with ThreadPoolExecutor(4) as pool:
        voices = list(pool.map(lambda _: embedder.embed([piece])[0], range(8)))
    assert all(voice @ voices[0] > SAME for voice in voices)
    embedder.close()
    embedder.close()
    with pytest.raises(EngineFailed, match="it is closed"):
        embedder.embed([piece])


@pytest.mark.parametrize("content", [b"", b"another library", b"....ORTM and then something else"])
def test_another_version_of_the_package_is_not_taken_for_this_one(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "libmoonshine.so").write_bytes(content)
    spec = ModuleSpec("moonshine_voice", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(EngineUnavailable, match=r"libmoonshine.so .*Run `pip install 'moonshine-voice==0\.0\.49'`"):
        MoonshineSpeakerEmbedder()
    (tmp_path / "libmoonshine.so").unlink()
    with pytest.raises(EngineUnavailable, match=r"has no libmoonshine\.so"):
        MoonshineSpeakerEmbedder()
