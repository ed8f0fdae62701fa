"""The synthesizer on the library that users have."""

import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from dragoman.config.settings import load_settings
from dragoman.models.base import Samples, SynthesisRequest, Voice
from dragoman.models.engines.espeak import synthesizer as espeak
from dragoman.models.engines.pico.synthesizer import RATE_HZ, SILENT_LEVEL, VOICES, PicoSynthesizer, _pieces
from dragoman.models.errors import EngineFailed, EngineUnavailable, TextRefused
from dragoman.models.loading import load_engines
from dragoman.models.processes.children import ChildPool
from dragoman.models.voices import VoiceCatalogue

SENTENCE = "La mañana es larga y el río va bajo."

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def synthesizer() -> Iterator[PicoSynthesizer]:
    pytest.importorskip("py_nanotts")
    made = PicoSynthesizer()
    yield made
    made.close()


def voice(name: str = "es-ES") -> Voice:
    return Voice("es-tests-pico001", "Test", name[:2], "pico", name, "female")


def blocks_of(synthesizer: PicoSynthesizer, text: str, name: str = "es-ES", tempo: float = 1.0) -> list[Samples]:
    return list(synthesizer.synthesize(SynthesisRequest(text, voice(name), tempo)))


def say(synthesizer: PicoSynthesizer, text: str, name: str = "es-ES", tempo: float = 1.0) -> Samples:
    return np.concatenate([np.empty(0, np.float32), *blocks_of(synthesizer, text, name, tempo)])


def test_a_block_for_each_sentence(synthesizer: PicoSynthesizer) -> None:
    assert synthesizer.sample_rate_hz(voice()) == RATE_HZ
    blocks = blocks_of(synthesizer, f"{SENTENCE} ¿Y qué? ¡Sí!")
    assert len(blocks) == 3
    assert all(block.dtype == np.float32 and block.ndim == 1 for block in blocks)
    assert 1.5 < blocks[0].size / RATE_HZ < 4
    assert 0.2 < np.abs(blocks[0]).max() < 1


def test_every_voice_of_the_catalogue_speaks(synthesizer: PicoSynthesizer) -> None:
    voices = [one for one in VoiceCatalogue.load() if one.engine == synthesizer.name]
    assert {one.engine_voice.partition("@")[0] for one in voices} == VOICES
    assert synthesizer.languages == {one.language for one in voices}
    assert all(synthesizer.speaks(one) for one in voices)
    assert all(say(synthesizer, "12 test", one.engine_voice).size > RATE_HZ // 2 for one in voices)
    assert not synthesizer.speaks(voice("pt-BR"))


def test_pitch(synthesizer: PicoSynthesizer) -> None:
    low, normal = say(synthesizer, SENTENCE, "es-ES@0.7"), say(synthesizer, SENTENCE)
    crossings = [np.count_nonzero(np.diff(np.signbit(samples))) / samples.size for samples in (low, normal)]
    assert crossings[0] != pytest.approx(crossings[1], rel=0.02)


def test_tempo(synthesizer: PicoSynthesizer) -> None:
    normal = say(synthesizer, SENTENCE).size
    assert say(synthesizer, SENTENCE, tempo=2.0).size == pytest.approx(normal / 2, rel=0.25)
    assert say(synthesizer, SENTENCE, tempo=0.6).size > 1.3 * normal
    assert say(synthesizer, SENTENCE, tempo=9.0).size == pytest.approx(
        say(synthesizer, SENTENCE, tempo=2.5).size, rel=0.05
    )


@pytest.mark.parametrize("name", sorted(VOICES))
def test_silence_at_the_ends_is_short(synthesizer: PicoSynthesizer, name: str) -> None:
    for text in ("Hola.", "No, no!", "x", f"{SENTENCE} {SENTENCE}"):
        loud = np.flatnonzero(np.abs(samples := say(synthesizer, text, name)) > SILENT_LEVEL)
        assert loud[0] <= espeak.KEPT_LEAD_S * RATE_HZ
        assert samples.size - loud[-1] - 1 <= espeak.KEPT_TAIL_S * RATE_HZ


@pytest.mark.parametrize("text", ["", " ", "...", "—", "¿?", "\0", "\n\n", "\ud800", "🙂", "[[", "<>", "日本"])
def test_a_text_without_words_gives_no_block(synthesizer: PicoSynthesizer, text: str) -> None:
    assert blocks_of(synthesizer, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "<b>bold</b>",
        '<play file="/etc/passwd"/> word',
        '<speed level="500">word</speed>',
        "a\0b",
        "&lt;word",
        "a\ud800b",
        "日本 word",
        "9" * 300,
        "½" * 100,
        "ü" * 250,
        "'s" * 70,
        "A.B." * 60,
        "EE. UU. y el Sr. García",
    ],
)
@pytest.mark.parametrize("name", ["es-ES", "de-DE"])
def test_hostile_texts_are_spoken(synthesizer: PicoSynthesizer, text: str, name: str) -> None:
    assert 0.1 < say(synthesizer, text, name).size / RATE_HZ < 400


def test_no_marks_reach_the_library() -> None:
    for text in ('<play file="/etc/passwd"/>x', "＜speed＞ < > x", "a<" * 500):
        assert not set("".join(_pieces(text))) & set("<>")


def test_a_very_long_text_comes_in_short_pieces(synthesizer: PicoSynthesizer) -> None:
    blocks = blocks_of(synthesizer, "y luego el río siguió corriendo " * 80)
    assert len(blocks) > 5
    assert max(block.size for block in blocks) < 60 * RATE_HZ


def test_many_threads(synthesizer: PicoSynthesizer) -> None:
    texts = [f"Número {number} de ellos." for number in range(12)]
    with ThreadPoolExecutor(4) as threads:
        sizes = list(threads.map(lambda text: say(synthesizer, text).size, texts))
    assert min(sizes) > RATE_HZ // 2


def test_a_child_that_is_killed_costs_nobody_anything(synthesizer: PicoSynthesizer) -> None:
    for child in synthesizer._children.process_ids:
        os.kill(child, signal.SIGKILL)
    assert say(synthesizer, SENTENCE).size > RATE_HZ


def test_a_text_that_holds_the_library_for_ever_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The like was seen with 309 halves in a row, which are parted now."""
    pool = ChildPool("pico", "tests.fakes.child", [os.devnull, ""], most=1)
    made = object.__new__(PicoSynthesizer)
    made._children = pool
    monkeypatch.setattr(pool, "ask", lambda question, limit_s: ChildPool.ask(pool, ["hang", "x"], 0.3))
    with pytest.raises(TextRefused, match="pico"):
        blocks_of(made, "½")
    made.close()


def test_an_unknown_voice_is_a_fault_of_the_request(synthesizer: PicoSynthesizer) -> None:
    with pytest.raises(EngineFailed, match="Unsupported voice"):
        say(synthesizer, "hola", "xx-XX")


def test_closing_twice() -> None:
    pytest.importorskip("py_nanotts")
    made = PicoSynthesizer()
    made.close()
    made.close()
    with pytest.raises(EngineFailed, match="closed"):
        say(made, "x")


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "py_nanotts"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "py_nanotts", raising=False)
    with pytest.raises(EngineUnavailable, match=r"has no lang/de-DE_ta.bin.*dragoman\[embedded\]"):
        PicoSynthesizer()
    (package / "lang").mkdir()
    for name in VOICES:
        (package / "lang" / f"{name}_ta.bin").touch()
    with pytest.raises(EngineUnavailable, match=r"py-nanotts cannot be loaded.*dragoman\[embedded\]"):
        PicoSynthesizer()


def test_the_operator_can_turn_it_off() -> None:
    pytest.importorskip("py_nanotts")
    for on in (True, False):
        engines = load_engines(load_settings(overrides={"engines": {"set": "embedded", "pico": on}}))
        try:
            assert engines.default_voice("es").engine == ("pico" if on else "espeak")
            assert engines.default_voice("en").engine == "hibari"
            assert engines.default_voice("pt").engine == "espeak"
            assert not [fault for fault in engines.missing if fault.engine == "pico"]
        finally:
            engines.close()
