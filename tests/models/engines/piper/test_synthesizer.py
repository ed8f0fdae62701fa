"""Piper on the library that users have, with small voices whose networks give tones."""

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.config.settings import PiperSettings
from dragoman.models.base import Samples, SynthesisRequest, Voice
from dragoman.models.engines.espeak.speakable import speakable
from dragoman.models.engines.espeak.synthesizer import KEPT_LEAD_S, KEPT_TAIL_S
from dragoman.models.engines.piper import synthesizer as piper
from dragoman.models.engines.piper.model import PEAK
from dragoman.models.engines.piper.synthesizer import PiperSynthesizer
from dragoman.models.errors import EngineFailed
from tests.fakes.piper_voice import (
    KEY,
    NOISE_HZ,
    RATE_HZ,
    RHYTHM_HZ,
    GatedSession,
    description,
    in_language,
    network,
    speaker_hz,
    write_voice,
)
from tests.waiting import until

SENTENCE = "The morning is long and the river runs low."
DEFAULTS: dict[str, Any] = {
    "device": "auto",
    "workers": 0,
    "length_scale": 0.0,
    "noise_scale": -1.0,
    "noise_w_scale": -1.0,
}


def engine(folder: Path, **changes: Any) -> PiperSynthesizer:
    return PiperSynthesizer(folder, PiperSettings(**{**DEFAULTS, **changes}))


def voice(engine_voice: str = KEY, language: str = "en") -> Voice:
    return Voice("en-tests-piper01", "Test", language, "piper", engine_voice, "neutral")


def blocks(spoken: PiperSynthesizer, text: str = SENTENCE, name: str = KEY, tempo: float = 1.0) -> list[Samples]:
    return list(spoken.synthesize(SynthesisRequest(text, voice(name), tempo)))


def length(spoken: PiperSynthesizer, text: str = SENTENCE, name: str = KEY, tempo: float = 1.0) -> int:
    return sum(block.size for block in blocks(spoken, text, name, tempo))


def pitch_hz(samples: Samples) -> float:
    """The loudest frequency below the tones that stand for the noise scales."""
    strength = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    return float(strength[: int(2_000 * samples.size / RATE_HZ)].argmax() * RATE_HZ / samples.size)


def level(samples: Samples, hz: float) -> float:
    """How strong a tone is in the samples."""
    turn = np.exp(-2j * np.pi * hz * np.arange(samples.size) / RATE_HZ)
    return float(np.abs((samples * turn).mean()))


def gate(spoken: PiperSynthesizer, key: str = KEY, gated: int = 1_000_000) -> GatedSession:
    """Put a gate before the network of a voice."""
    loaded = spoken._load(spoken._places[key])
    loaded._voice.session = GatedSession(loaded._voice.session, gated)
    return loaded._voice.session


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> PiperSynthesizer:
    folder = tmp_path_factory.mktemp("plain")
    write_voice(folder)
    write_voice(folder, "en_US-many-medium", speakers={"M": 0, "F": 1, "p7": 2})
    return engine(folder)


def test_a_sentence_in_one_block(plain: PiperSynthesizer) -> None:
    (samples,) = blocks(plain)
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert 0.2 < samples.size / RATE_HZ < 2
    assert np.abs(samples).max() == pytest.approx(PEAK, abs=1e-3)
    assert pitch_hz(samples) == pytest.approx(speaker_hz(0), abs=5)
    assert plain.sample_rate_hz(voice()) == RATE_HZ


def test_what_it_offers(tmp_path: Path) -> None:
    write_voice(tmp_path)
    write_voice(tmp_path, "es_ES-b-medium", audio={"sample_rate": 22_050}, **in_language("es_ES", "es"))
    spoken = engine(tmp_path, workers=3)
    assert spoken.languages == {"en", "es"}
    assert spoken.sample_rate_hz(voice("es_ES-b-medium", "es")) == 22_050
    assert (spoken.batching.size, spoken.batching.workers) == (1, 3)
    assert engine(tmp_path).batching.workers >= 1
    assert (spoken.broken, spoken.loaded, str(spoken.device)) == ((), frozenset(), "cpu")


def test_each_sentence_is_computed_when_it_is_asked_for(tmp_path: Path) -> None:
    write_voice(tmp_path)
    spoken = engine(tmp_path)
    session = gate(spoken)
    speech = spoken.synthesize(SynthesisRequest("One. Is it two? And three!", voice()))
    for number in (1, 2, 3):
        assert next(speech).size > 0
        assert session.runs == number
    assert list(speech) == []
    stopped = spoken.synthesize(SynthesisRequest("One. Is it two? And three!", voice()))
    next(stopped)
    stopped.close()
    assert session.runs == 4


def test_the_length_follows_text_and_tempo(plain: PiperSynthesizer) -> None:
    normal = length(plain)
    assert length(plain, SENTENCE[:-1] + ", and longer still.") > 1.2 * normal
    assert length(plain, tempo=2.0) == pytest.approx(normal / 2, abs=200)
    assert length(plain, tempo=0.5) == pytest.approx(normal * 2, abs=200)
    assert length(plain, tempo=99.0) == length(plain, tempo=piper.FASTEST_TEMPO)
    assert length(plain, tempo=0.0) == length(plain, tempo=piper.SLOWEST_TEMPO)


def test_the_length_scale_is_the_files_or_the_settings(tmp_path: Path) -> None:
    write_voice(tmp_path, "en_US-a-medium")
    write_voice(tmp_path, "en_US-slow-medium", inference={"length_scale": 2})
    for own, slow in (({}, 2.0), ({"length_scale": 1.5}, 1.0)):
        spoken = engine(tmp_path, **own)
        normal = length(spoken, name="en_US-a-medium")
        assert length(spoken, name="en_US-slow-medium") == pytest.approx(slow * normal, abs=200)
        assert length(spoken, name="en_US-slow-medium", tempo=2.0) == pytest.approx(slow * normal / 2, abs=200)


@pytest.mark.parametrize(
    ("own", "noise", "rhythm"),
    [({}, 0.5, 0.25), ({"noise_scale": 0.0}, 0.0, 0.25), ({"noise_scale": 1.0, "noise_w_scale": 0.75}, 1.0, 0.75)],
)
def test_the_noise_scales(tmp_path: Path, own: dict[str, float], noise: float, rhythm: float) -> None:
    write_voice(tmp_path, inference={"noise_scale": 0.5, "noise_w": 0.25})
    (samples,) = blocks(engine(tmp_path, **own))
    tone = level(samples, speaker_hz(0))
    assert level(samples, NOISE_HZ) / tone == pytest.approx(noise, abs=0.02)
    assert level(samples, RHYTHM_HZ) / tone == pytest.approx(rhythm, abs=0.02)


@pytest.mark.parametrize(("wanted", "number"), [("", 0), ("#0", 0), ("#1", 1), ("#F", 1), ("#p7", 2), ("#2", 2)])
def test_speakers(plain: PiperSynthesizer, wanted: str, number: int) -> None:
    name = f"en_US-many-medium{wanted}"
    assert plain.speaks(voice(name))
    (samples,) = blocks(plain, name=name)
    assert pitch_hz(samples) == pytest.approx(speaker_hz(number), abs=5)


@pytest.mark.parametrize(
    "name", ["nobody", "", "#1", f"{KEY}#1", "en_US-many-medium#3", "en_US-many-medium#x", f"../{KEY}"]
)
def test_voices_that_are_not_there(plain: PiperSynthesizer, name: str) -> None:
    assert not plain.speaks(voice(name))
    for ask in (lambda: plain.sample_rate_hz(voice(name)), lambda: blocks(plain, name=name)):
        with pytest.raises(EngineFailed, match="there is no voice"):
            ask()


@pytest.mark.parametrize("text", ["", " ", "...", "—", "¿?", "\0", "\n\n", "\ud800", "🙂", "[[", "<>", "[[]]"])
def test_a_text_without_words_gives_no_block(plain: PiperSynthesizer, text: str) -> None:
    assert blocks(plain, text) == []


def test_what_looks_like_phonemes_or_markup_is_text(plain: PiperSynthesizer) -> None:
    assert length(plain, "say [[lo]] now") == length(plain, "say lo now")
    assert length(plain, "say [[[[lo now") == length(plain, "say lo now")
    for text in ("<b>bold</b>", "<break time='9s'/> word", "a\0b", "\x01+9s word", "a\ud800b", "日本 word"):
        assert 0.05 < length(plain, text) / RATE_HZ < 4


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_spoken_or_dropped(plain: PiperSynthesizer, text: str) -> None:
    spoken = blocks(plain, text)
    assert all(np.isfinite(block).all() for block in spoken)
    assert speakable(text) or not spoken


def test_silence_at_the_ends_is_short_and_stays_between(tmp_path: Path) -> None:
    write_voice(tmp_path, onnx_file=network(silence=RATE_HZ // 2))
    spoken = engine(tmp_path)
    lead, tail = int(KEPT_LEAD_S * RATE_HZ), int(KEPT_TAIL_S * RATE_HZ)

    def silences(samples: Samples) -> tuple[int, int]:
        loud = np.flatnonzero(np.abs(samples) > 0.001)
        return int(loud[0]), samples.size - int(loud[-1]) - 1

    (alone,) = blocks(spoken, "Hello there.")
    assert silences(alone) == (pytest.approx(lead, abs=2), pytest.approx(tail, abs=2))
    first, middle, last = (silences(block) for block in blocks(spoken, "One. Two. Three."))
    between = pytest.approx(RATE_HZ // 2, abs=2)
    assert first == (pytest.approx(lead, abs=2), between)
    assert middle == (between, between)
    assert last == (between, pytest.approx(tail, abs=2))


def test_a_voice_that_says_nothing_gives_no_block(tmp_path: Path) -> None:
    write_voice(tmp_path, onnx_file=network(gain=0.0))
    spoken = engine(tmp_path)
    assert blocks(spoken) == []
    assert spoken.broken == ()


def test_phonemes_that_are_letters(tmp_path: Path) -> None:
    letters = {symbol: [number] for number, symbol in enumerate("_^$ .abc")}
    write_voice(tmp_path, "en_US-low-medium", phoneme_type="text", phoneme_id_map=letters)
    write_voice(tmp_path, "en_US-both-medium", phoneme_type="text", phoneme_id_map=letters | {"A": [9]})
    spoken = engine(tmp_path)
    assert length(spoken, "ABC", "en_US-low-medium") == length(spoken, "abc", "en_US-low-medium") > 0
    # Capital letters that the voice has stay, and what it has not is left out.
    assert length(spoken, "ABC", "en_US-both-medium") == length(spoken, "A", "en_US-both-medium") > 0
    assert blocks(spoken, "12 xyz.", "en_US-low-medium") == []


@pytest.mark.parametrize(
    ("key", "changes", "text"),
    [
        ("ar_JO-a-medium", in_language("ar_JO", "ar"), "مرحبا بالعالم"),
        ("he_IL-a-medium", {**in_language("he_IL", "he"), "phoneme_type": "hebrew"}, "שלום עולם"),
    ],
)
def test_languages_that_need_a_model_for_their_vowels(
    tmp_path: Path, key: str, changes: dict[str, Any], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*_: object) -> None:
        raise AssertionError("nothing is downloaded")

    monkeypatch.setattr("socket.socket.connect", no_network)
    write_voice(tmp_path, key, **changes)
    spoken = engine(tmp_path)
    assert length(spoken, text, key) / RATE_HZ > 0.2
    assert spoken.broken == ()


def test_many_threads_speak_at_once_with_several_voices(tmp_path: Path) -> None:
    texts = {
        KEY: ("en_US", "en-us", "Hello there. How are you?"),
        "es_ES-b-medium": ("es_ES", "es", "Buenos días a todos y a todas, ¿qué tal?"),
        "de_DE-c-medium": ("de_DE", "de", "Guten Morgen, wie geht es Ihnen heute?"),
        "fr_FR-d-medium": ("fr_FR", "fr", "Bonjour à tous. Comment allez-vous ?"),
    }
    for key, (code, espeak, _) in texts.items():
        write_voice(tmp_path, key, **in_language(code, espeak))
    spoken = engine(tmp_path)
    expected = {key: length(spoken, text, key) for key, (_, _, text) in texts.items()}

    def task(number: int) -> bool:
        key = list(texts)[number % 4]
        return length(spoken, texts[key][2], key) == expected[key]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(task, range(200)))


def test_one_voice_computes_for_several_at_once(tmp_path: Path) -> None:
    write_voice(tmp_path)
    spoken = engine(tmp_path)
    session = gate(spoken, gated=1)
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(length, spoken) for _ in range(3)]
        until(lambda: session.runs == 3, "three are computed")
        session.gate.set()
        assert len({one.result() for one in waiting}) == 1
    assert session.most_at_once == 3


def test_a_voice_is_loaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_voice(tmp_path)
    spoken = engine(tmp_path)
    loads: list[str] = []
    load = piper.LoadedVoice

    def counting(file: Any, *rest: Any) -> Any:
        loads.append(file.key)
        return load(file, *rest)

    monkeypatch.setattr(piper, "LoadedVoice", counting)
    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(lambda _: length(spoken), range(12)))) == 1
    assert loads == [KEY]
    assert spoken.loaded == {KEY}


def test_warming_takes_one_voice_of_each_language_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, quality in (("en_US-a-low", "low"), ("en_US-b-medium", "medium"), ("en_US-c-medium", "medium")):
        write_voice(tmp_path, key, audio={"sample_rate": RATE_HZ, "quality": quality})
    write_voice(tmp_path, "es_ES-b-medium", **in_language("es_ES", "es"))
    write_voice(tmp_path, "fr_FR-b-medium", **in_language("fr_FR", "fr"))
    spoken = engine(tmp_path)
    monkeypatch.setattr(piper, "WARM_VOICES", 3)
    spoken.warm(["es", "en", "xx"])
    assert spoken.loaded == {"es_ES-b-medium", "en_US-b-medium", "en_US-c-medium"}
    spoken.warm([])
    spoken.warm({"fr"})
    assert "fr_FR-b-medium" in spoken.loaded


def test_closing(tmp_path: Path) -> None:
    write_voice(tmp_path)
    spoken = engine(tmp_path)
    speech = spoken.synthesize(SynthesisRequest("One. Two.", voice()))
    next(speech)
    spoken.close()
    spoken.close()
    assert spoken.loaded == frozenset()
    assert next(speech).size > 0  # what has begun ends
    with pytest.raises(EngineFailed, match="closed"):
        blocks(spoken)


@pytest.mark.parametrize("kind", ["espeak", "text"])
def test_nothing_that_is_said_reaches_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str) -> None:
    caplog.set_level(logging.DEBUG)
    few = {symbol: [number] for number, symbol in enumerate("_^$ sec")}
    write_voice(tmp_path, phoneme_type=kind, **({"phoneme_id_map": few} if kind == "text" else {}))
    assert length(engine(tmp_path), "My secret, 42.") > 0
    assert caplog.text == ""


def test_the_description_is_handed_to_piper_as_it_is(tmp_path: Path) -> None:
    write_voice(tmp_path, piper_version="9")
    spoken = engine(tmp_path)
    config = spoken._load(spoken._places[KEY])._voice.config
    assert config.piper_version == "9"
    assert config.phoneme_id_map == description()["phoneme_id_map"]
