"""The synthesizer on the network that users have."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from dragoman.models.base import Samples, SynthesisRequest, Voice
from dragoman.models.engines.espeak import synthesizer as espeak
from dragoman.models.engines.hibari.child import HibariLibrary
from dragoman.models.engines.hibari.synthesizer import HibariSynthesizer
from dragoman.models.errors import EngineFailed, EngineUnavailable
from dragoman.models.processes.children import ChildRefused
from dragoman.models.voices import VoiceCatalogue

RATE = 24_000
SENTENCE = "The morning is long and the river runs low."
HEART = Voice("en-tests-hibari1", "Test", "en", "hibari", "heart", "female")

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def synthesizer() -> Iterator[HibariSynthesizer]:
    pytest.importorskip("hibari")
    made = HibariSynthesizer()
    yield made
    made.close()


def blocks_of(synthesizer: HibariSynthesizer, text: str, tempo: float = 1.0) -> list[Samples]:
    return list(synthesizer.synthesize(SynthesisRequest(text, HEART, tempo)))


def say(synthesizer: HibariSynthesizer, text: str, tempo: float = 1.0) -> Samples:
    return np.concatenate([np.empty(0, np.float32), *blocks_of(synthesizer, text, tempo)])


def test_a_block_for_each_sentence_computed_when_it_is_asked_for(synthesizer: HibariSynthesizer) -> None:
    assert synthesizer.sample_rate_hz(HEART) == RATE
    blocks = synthesizer.synthesize(SynthesisRequest(f"{SENTENCE} And so? Yes!", HEART))
    first = next(blocks)
    assert first.dtype == np.float32
    assert first.ndim == 1
    assert 1.5 < first.size / RATE < 4
    assert 0.2 < np.abs(first).max() <= 1
    assert len(list(blocks)) == 2


def test_only_the_voice_of_the_package(synthesizer: HibariSynthesizer) -> None:
    assert synthesizer.languages == {"en"}
    voices = VoiceCatalogue.load().for_language("en", "hibari")
    assert voices
    assert all(synthesizer.speaks(voice) for voice in voices)
    # The others would be downloaded.
    assert not synthesizer.speaks(Voice("", "", "en", "hibari", "emma", "female"))


def test_the_same_text_has_the_same_samples(synthesizer: HibariSynthesizer) -> None:
    first = say(synthesizer, f"{SENTENCE} {SENTENCE}")
    say(synthesizer, "Something else.")
    assert np.array_equal(first, say(synthesizer, f"{SENTENCE} {SENTENCE}"))


def test_tempo(synthesizer: HibariSynthesizer) -> None:
    normal = say(synthesizer, SENTENCE).size
    assert say(synthesizer, SENTENCE, 2.0).size == pytest.approx(normal / 2, rel=0.15)
    assert say(synthesizer, SENTENCE, 0.6).size > 1.4 * normal
    assert np.array_equal(say(synthesizer, SENTENCE, 9.0), say(synthesizer, SENTENCE, 2.0))


def test_silence_at_the_ends_is_short(synthesizer: HibariSynthesizer) -> None:
    for text in ("Hello there.", "Wait, what!", "x", f"{SENTENCE} {SENTENCE}"):
        loud = np.flatnonzero(np.abs(samples := say(synthesizer, text)) > 0.001)
        assert loud[0] <= espeak.KEPT_LEAD_S * RATE
        assert samples.size - loud[-1] - 1 <= espeak.KEPT_TAIL_S * RATE + 1


@pytest.mark.parametrize("text", ["", " ", "...", "—", "\0", "\n\n", "\ud800", "🙂", "[[", "<>", "日本"])
def test_a_text_without_words_gives_no_block(synthesizer: HibariSynthesizer, text: str) -> None:
    assert blocks_of(synthesizer, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "<b>bold</b>",
        "[word](/wˈɜɹd/) word",
        "a\0b",
        "1" * 60,
        "999," * 20 + "9",
        "¥.İя",
        "naïve Ⅷ ½ ² ٣",
        "Привет",
        "a\ud800b",
        "[a" * 400,
        "A.B." * 40,
        "don't 'quote' “quote” — well… ok",
    ],
)
def test_hostile_texts_are_spoken(synthesizer: HibariSynthesizer, text: str) -> None:
    assert 0.1 < say(synthesizer, text).size / RATE < 120


def test_a_very_long_sentence_comes_in_pieces(synthesizer: HibariSynthesizer) -> None:
    blocks = blocks_of(synthesizer, "and then the river ran on " * 80)
    assert len(blocks) > 3
    assert max(block.size for block in blocks) < 60 * RATE


@pytest.mark.parametrize(
    ("text", "sounds"),
    [
        ("$5.99", "fˈIv dˈɑləɹz ænd nˈIndi nˈIn sˈɛnts"),
        ("Dr. Smith", "dˈɑktəɹ smˈɪθ"),
        ("No. 5", "nˈʌmbəɹ fˈIv"),
        ("10:30 a.m.", "tˈɛn θˈɜɹTi"),
        ("In 1999", "nˌIntˈin nˈIndi nˈIn"),
        ("35,400", "θˈɜɹTi fˈIv θˈWzᵊnd fˈɔɹ hˈʌndɹəd"),
    ],
)
def test_numbers_and_abbreviations(synthesizer: HibariSynthesizer, text: str, sounds: str) -> None:
    from dragoman.models.engines.hibari.readable import sentences
    from dragoman.models.text.spoken import spoken

    question = ["phonemes", sentences(spoken(text, "en"))]
    ((piece,),) = json.loads(synthesizer._children.ask(question, 60))
    assert sounds in piece


def test_many_threads(synthesizer: HibariSynthesizer) -> None:
    texts = [f"Number {number} of them." for number in range(12)]
    alone = [say(synthesizer, text) for text in texts]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda text: say(synthesizer, text), texts))
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))


def test_a_child_that_is_killed_costs_nobody_anything(synthesizer: HibariSynthesizer) -> None:
    before = say(synthesizer, SENTENCE)
    for child in synthesizer._children.process_ids:
        os.kill(child, signal.SIGKILL)
    assert np.array_equal(say(synthesizer, SENTENCE), before)


def test_what_the_library_refuses_is_a_fault_of_the_request(
    synthesizer: HibariSynthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ChildRefused):
        synthesizer._children.ask(["speak", None, 1.0], 60)
    monkeypatch.setattr("dragoman.models.engines.hibari.synthesizer.sentences", lambda text: [None])
    with pytest.raises(EngineFailed, match="hibari failed"):
        say(synthesizer, "x")


def test_closing_twice() -> None:
    pytest.importorskip("hibari")
    made = HibariSynthesizer()
    made.close()
    made.close()
    with pytest.raises(EngineFailed, match="closed"):
        say(made, "x")


def test_the_library_in_this_process() -> None:
    """What a child does, where coverage and debuggers see it."""
    hibari = pytest.importorskip("hibari")
    library = HibariLibrary(Path(hibari.__file__).parent / "assets")
    assert json.loads(library.answer(["about"])) == {"rate_hz": RATE}
    ((piece,),) = json.loads(library.answer(["phonemes", ["Hello."]]))
    assert 4_000 < len(library.answer(["speak", piece, 1.0])) // 2 < 3 * RATE
    assert json.loads(library.answer(["phonemes", ["..."]])) == [[]]


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "hibari").mkdir()
    (tmp_path / "hibari" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "hibari", raising=False)
    with pytest.raises(EngineUnavailable, match=r"no assets/hibari.onnx.*dragoman\[embedded\]"):
        HibariSynthesizer()
    (tmp_path / "hibari" / "assets").mkdir()
    (tmp_path / "hibari" / "assets" / "hibari.onnx").write_bytes(b"no network")
    with pytest.raises(EngineUnavailable, match=r"hibari-tts cannot be loaded.*dragoman\[embedded\]"):
        HibariSynthesizer()
