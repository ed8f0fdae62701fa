"""The synthesizer on the library that users have."""

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.models.base import Samples, SynthesisRequest, Voice
from dragoman.models.engines.espeak import synthesizer as espeak
from dragoman.models.engines.espeak.speakable import speakable
from dragoman.models.engines.espeak.synthesizer import EspeakSynthesizer, trim, words_per_minute
from dragoman.models.errors import EngineFailed, EngineUnavailable, TextRefused
from dragoman.models.voices import VoiceCatalogue, espeak_voices
from tests.models.engines.espeak.crashes import CRASHES, SHORT_CRASHES

RATE = 22_050
SENTENCE = "The morning is long and the river runs low."


@pytest.fixture(scope="module")
def synthesizer() -> Iterator[EspeakSynthesizer]:
    made = EspeakSynthesizer()
    yield made
    made.close()


def voice(engine_voice: str = "en-us+f3") -> Voice:
    return Voice("en-tests-espeak1", "Test", "en", "espeak", engine_voice, "female")


def say(synthesizer: EspeakSynthesizer, text: str, engine_voice: str = "en-us+f3", tempo: float = 1.0) -> Samples:
    blocks = list(synthesizer.synthesize(SynthesisRequest(text, voice(engine_voice), tempo)))
    return np.concatenate([np.empty(0, np.float32), *blocks])


def pitch_hz(samples: Samples) -> float:
    """Median pitch by autocorrelation."""
    frame, low, high = 2048, RATE // 400, RATE // 60
    found = []
    for start in range(0, samples.size - frame, frame // 2):
        window = samples[start : start + frame]
        likeness = np.correlate(window, window, "full")[frame - 1 :]
        lag = low + int(likeness[low:high].argmax())
        if likeness[lag] > 0.5 * likeness[0] > 0:
            found.append(RATE / lag)
    return float(np.median(found))


@pytest.mark.embedded
def test_a_clause_in_one_block(synthesizer: EspeakSynthesizer) -> None:
    assert synthesizer.sample_rate_hz(voice()) == RATE
    blocks = list(synthesizer.synthesize(SynthesisRequest(SENTENCE, voice())))
    (samples,) = blocks
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert 1.5 < samples.size / RATE < 4
    assert 0.2 < np.abs(samples).max() <= 1


@pytest.mark.embedded
def test_languages_are_two_letter_codes_that_can_be_spoken(synthesizer: EspeakSynthesizer) -> None:
    assert synthesizer.languages >= {"en", "es", "fr", "pt", "de", "it", "hi", "zh", "no", "nb"}
    assert all(len(code) == 2 and code.isalpha() and code.islower() for code in synthesizer.languages)
    # One is no ISO 639-1 code, the other has no dictionary.
    assert not {"py", "fo"} & synthesizer.languages


@pytest.mark.embedded
def test_every_voice_of_the_catalogue_speaks(synthesizer: EspeakSynthesizer) -> None:
    catalogue = VoiceCatalogue.load(more=espeak_voices(synthesizer.languages))
    voices = [one for one in catalogue if one.engine == synthesizer.name]
    silent = [one.voice_id for one in voices if say(synthesizer, "12 test", one.engine_voice).size < RATE // 5]
    assert silent == []


@pytest.mark.embedded
@pytest.mark.parametrize("language", ["en", "es", "pt"])
def test_female_voices_are_higher(synthesizer: EspeakSynthesizer, language: str) -> None:
    heights: dict[str, list[float]] = {"female": [], "male": []}
    for one in VoiceCatalogue.load().for_language(language, "espeak"):
        heights[one.gender].append(pitch_hz(say(synthesizer, SENTENCE, one.engine_voice)))
    assert min(heights["female"]) > 150 > max(heights["male"]) > 70


@pytest.mark.embedded
def test_silence_at_the_ends_is_short(synthesizer: EspeakSynthesizer) -> None:
    for text in ("Hello there.", "Hola, ¿qué tal?", "Wait, what!", "x", "Yes..."):
        loud = np.flatnonzero(np.abs(samples := say(synthesizer, text)) > 0.001)
        assert loud[0] <= espeak.KEPT_LEAD_S * RATE
        assert samples.size - loud[-1] - 1 <= espeak.KEPT_TAIL_S * RATE


@pytest.mark.embedded
@pytest.mark.parametrize("text", ["", " ", "...", "—", "¿?", "\0", "\x01", "\n\n", "\ud800", "🙂", "[[", "<>"])
def test_a_text_without_words_gives_no_block(synthesizer: EspeakSynthesizer, text: str) -> None:
    assert list(synthesizer.synthesize(SynthesisRequest(text, voice()))) == []


@pytest.mark.embedded
@pytest.mark.parametrize(
    "text",
    [
        "<b>bold</b>",
        "<break time='9s'/> word",
        "[[h@l'oU]] word",
        "a\0b",
        "&lt;word",
        "\x01+9s word",
        "a\ud800b",
        "日本 word",
    ],
)
def test_what_looks_like_markup_does_no_harm(synthesizer: EspeakSynthesizer, text: str) -> None:
    assert 0.1 < say(synthesizer, text).size / RATE < 8


@pytest.mark.embedded
def test_a_very_long_text(synthesizer: EspeakSynthesizer) -> None:
    text = ("The quick brown fox jumps over the lazy dog. " * 230)[:10_000]
    assert say(synthesizer, text).size / RATE > 500


@pytest.mark.embedded
def test_tempo(synthesizer: EspeakSynthesizer) -> None:
    normal = say(synthesizer, SENTENCE).size
    assert say(synthesizer, SENTENCE, tempo=2.0).size == pytest.approx(normal / 2, rel=0.15)
    assert say(synthesizer, SENTENCE, tempo=0.6).size > 1.4 * normal
    # Beyond the bounds nothing changes, but for the phase that goes on.
    assert say(synthesizer, SENTENCE, tempo=9.0).size == pytest.approx(
        say(synthesizer, SENTENCE, tempo=4.0).size, abs=RATE // 50
    )


@pytest.mark.parametrize(("tempo", "rate"), [(1.0, 175), (2.0, 350), (0.1, 80), (9.0, 450), (0.0, 80)])
def test_rate_bounds(tempo: float, rate: int) -> None:
    assert words_per_minute(tempo) == rate


@pytest.mark.embedded
def test_the_same_text_sounds_alike(synthesizer: EspeakSynthesizer) -> None:
    once = say(synthesizer, SENTENCE).size
    say(synthesizer, "Something else between.", "de+m3", 2.0)
    assert say(synthesizer, SENTENCE).size == pytest.approx(once, abs=RATE // 50)


@pytest.mark.embedded
def test_the_same_requests_give_nearly_the_same_samples_in_every_process() -> None:
    # On a busy machine the library's noise (its breath and its s) now and then differs in single samples.
    code = (
        "import numpy; from dragoman.models.base import *; from dragoman.models.engines.espeak.synthesizer import *; "
        "v = Voice('x' * 16, 'n', 'en', 'espeak', 'en-us+f3', 'female'); s = EspeakSynthesizer(); "
        "b = [*s.synthesize(SynthesisRequest('One.', v)), *s.synthesize(SynthesisRequest('Two.', v))]; "
        "s.close(); a = numpy.concatenate(b); "
        "print(a.size, *(f'{abs(p).mean():.4f}' for p in numpy.array_split(a, 20)))"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60) for _ in range(2)]
    one, other = ([float(value) for value in run.stdout.split()] for run in runs)
    assert one[0] == other[0] > RATE // 2
    assert one == pytest.approx(other, abs=0.01)
    assert runs[0].stderr == b""


@pytest.mark.embedded
def test_many_threads_and_instances_take_turns() -> None:
    engines = [EspeakSynthesizer(), EspeakSynthesizer()]
    texts = {"en-us+f3": "Hello.", "es+m3": "Buenos días a todos y a todas.", "de+f2": "Guten Morgen."}
    expected = {name: say(engines[0], text, name).size for name, text in texts.items()}

    def task(number: int) -> bool:
        name = list(texts)[number % 3]
        return abs(say(engines[number % 2], texts[name], name).size - expected[name]) < RATE // 50

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(task, range(60)))
    for engine in engines:
        engine.close()


@pytest.mark.embedded
@pytest.mark.parametrize("name", ["nope", "en-us+nope", "en-us+../../en_dict", "", "\0"])
def test_an_unknown_voice_is_an_engine_failure(synthesizer: EspeakSynthesizer, name: str) -> None:
    with pytest.raises(EngineFailed, match="there is no voice"):
        say(synthesizer, "word", name)
    assert say(synthesizer, "word").size > 0


@pytest.mark.embedded
def test_closing_ends_one_instance_only(synthesizer: EspeakSynthesizer) -> None:
    other = EspeakSynthesizer()
    other.close()
    other.close()
    with pytest.raises(EngineFailed, match="closed"):
        say(other, "word")
    assert say(synthesizer, "word").size > 0


@pytest.mark.embedded
def test_who_forgets_to_close_leaves_no_process() -> None:
    forgotten = EspeakSynthesizer()
    children = forgotten._children.process_ids
    assert children
    del forgotten
    gc.collect()
    assert not any(psutil.pid_exists(child) for child in children)


def test_a_missing_package_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(EngineUnavailable, match=r"espeakng-loader.*pip install 'dragoman\[embedded\]'"):
        EspeakSynthesizer()


@pytest.mark.parametrize("broken", ["library", "data"])
@pytest.mark.embedded
def test_a_broken_package_names_the_remedy(broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "library").write_bytes(b"no library")
    monkeypatch.setattr(f"espeakng_loader.get_{broken}_path", lambda: str(tmp_path / broken))
    with pytest.raises(EngineUnavailable, match=r"espeakng-loader cannot be loaded \(.*pip install"):
        EspeakSynthesizer()


@pytest.mark.embedded
@pytest.mark.parametrize(("engine_voice", "text"), CRASHES)
def test_what_ends_espeak_is_spoken(synthesizer: EspeakSynthesizer, engine_voice: str, text: str) -> None:
    children = synthesizer._children.process_ids
    assert say(synthesizer, text, engine_voice).size > RATE
    assert synthesizer._children.process_ids == children  # not for luck at the second try


@pytest.mark.embedded
@pytest.mark.parametrize(("engine_voice", "text"), SHORT_CRASHES)
def test_what_ends_espeak_all_the_same_is_refused(synthesizer: EspeakSynthesizer, engine_voice: str, text: str) -> None:
    try:  # a library that was mended speaks it
        assert say(synthesizer, text, engine_voice).size > 0
    except TextRefused as error:
        assert str(error) == "espeak failed: this text ended its process 2 times"
    assert say(synthesizer, "word").size > 0


@pytest.mark.embedded
def test_a_killed_process_costs_no_clause(synthesizer: EspeakSynthesizer) -> None:
    size = say(synthesizer, SENTENCE).size
    for _ in range(3):
        for child in synthesizer._children.process_ids:
            os.kill(child, signal.SIGKILL)
        assert say(synthesizer, SENTENCE).size == pytest.approx(size, abs=RATE // 50)


@pytest.mark.embedded
@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_spoken_or_dropped(synthesizer: EspeakSynthesizer, text: str) -> None:
    samples = say(synthesizer, text)
    assert np.isfinite(samples).all()
    assert speakable(text) or samples.size == 0


@pytest.mark.parametrize("silence", [0.0, 0.0005])
def test_trimming(silence: float) -> None:
    samples = np.full(RATE, silence, np.float32)
    assert trim(samples, RATE).size == 0
    samples[9_000:10_000] = 0.5
    trimmed = trim(samples, RATE)
    assert trimmed.size == 441 + 1000 + 2646
    assert trim(samples, RATE, lead=False).size == 9_000 + 1000 + 2646
    assert trim(samples, RATE, tail=False).size == 441 + RATE - 9_000
    assert trim(samples[9_000:10_000], RATE).size == 1000
    assert trim(samples[:0], RATE).size == 0
