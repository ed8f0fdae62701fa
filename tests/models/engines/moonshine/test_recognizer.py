"""The recogniser on the model files that users have."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jiwer
import numpy as np
import pytest
import soxr

from dragoman.models.base import RecognitionRequest, Samples, SynthesisRequest, Voice
from dragoman.models.engines.espeak.synthesizer import EspeakSynthesizer
from dragoman.models.engines.moonshine.recognizer import MoonshineRecognizer, read_tokens
from dragoman.models.errors import EngineFailed, EngineUnavailable
from tests.models.recordings import recording

RATE = 16_000
BECKETT = "Ever tried, ever failed, no matter, try again, fail again, fail better."
DICKENS = (
    "it was the best of times it was the worst of times it was the age of wisdom it was the age of foolishness "
    "it was the epoch of belief it was the epoch of incredulity it was the season of light"
)


@pytest.fixture(scope="module")
def recognizer() -> MoonshineRecognizer:
    return MoonshineRecognizer()


def hear(recognizer: MoonshineRecognizer, samples: Samples) -> str:
    return recognizer.recognize([RecognitionRequest(samples)])[0].text


def plain(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalpha() or c == " ")


def spoken(text: str) -> Samples:
    """`text` in a synthetic voice."""
    engine = EspeakSynthesizer()
    voice = Voice("en-tests-espeak1", "Test", "en", "espeak", "en-us", "male")
    samples = np.concatenate(list(engine.synthesize(SynthesisRequest(text, voice, 0.8))))
    return np.asarray(soxr.resample(samples, engine.sample_rate_hz(voice), RATE), np.float32)


def is_beckett(text: str) -> bool:
    """Whether nearly every word is right; arithmetic differs a little between processors."""
    return float(jiwer.wer(plain(BECKETT), plain(text))) < 0.2


@pytest.mark.embedded
@pytest.mark.parametrize("level", [0.01, 1.0, 3.0])
def test_speech_of_any_level_is_recognised(recognizer: MoonshineRecognizer, level: float) -> None:
    (hypothesis,) = recognizer.recognize([RecognitionRequest(recording("beckett.wav") * np.float32(level))])
    assert is_beckett(hypothesis.text)
    assert (hypothesis.language, hypothesis.words) == ("en", ())


@pytest.mark.embedded
def test_few_errors_in_a_long_sentence(recognizer: MoonshineRecognizer) -> None:
    text = hear(recognizer, recording("two_cities.wav")[: 16 * RATE])
    assert jiwer.wer(DICKENS, plain(text)) < 0.15


@pytest.mark.embedded
def test_each_word_has_its_confidence(recognizer: MoonshineRecognizer) -> None:
    samples = recording("two_cities.wav")[: 12 * RATE]
    found = recognizer.recognize([RecognitionRequest(samples)])[0]
    assert len(found.confidences) == len(found.text.split()) > 20
    assert all(0.0 < confidence <= 1.0 for confidence in found.confidences)
    assert found.trust is not None
    assert sum(confidence >= found.trust.sure for confidence in found.confidences) > len(found.confidences) / 2


class CountedDecoder:
    """The decoder, and how often it was run."""

    def __init__(self, decoder: Any) -> None:
        self.runs = 0
        self._decoder = decoder

    def run(self, *arguments: Any) -> Any:
        self.runs += 1
        return self._decoder.run(*arguments)


@pytest.mark.embedded
def test_a_draft_saves_most_of_the_decoding(recognizer: MoonshineRecognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = CountedDecoder(recognizer._decoder)
    monkeypatch.setattr(recognizer, "_decoder", counted)
    samples = recording("two_cities.wav")[: 7 * RATE]
    (shorter,) = recognizer.recognize([RecognitionRequest(samples[: 6 * RATE])])
    counted.runs = 0
    (without,) = recognizer.recognize([RecognitionRequest(samples)])
    alone, counted.runs = counted.runs, 0
    (drafted,) = recognizer.recognize([RecognitionRequest(samples, draft=shorter.tokens)])
    assert counted.runs < alone / 2
    # Rounding differs a little when several tokens are put in at once.
    assert jiwer.wer(plain(without.text), plain(drafted.text)) < 0.15
    assert len(drafted.confidences) == len(drafted.text.split())


@pytest.mark.embedded
@pytest.mark.parametrize("draft", [(2,), (5,) * 300, (32_767, 0), tuple(range(3, 60))])
def test_a_draft_of_something_else_does_no_harm(recognizer: MoonshineRecognizer, draft: tuple[int, ...]) -> None:
    (hypothesis,) = recognizer.recognize([RecognitionRequest(recording("beckett.wav"), draft=draft)])
    assert is_beckett(hypothesis.text)


@pytest.mark.embedded
def test_a_loop_of_the_decoder_does_not_come_through(
    recognizer: MoonshineRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Which audio makes it loop depends on the last bits of its arithmetic.
    token = {piece: number for number, piece in enumerate(recognizer._tokens)}
    looped = [token[f"▁{word}".encode()] for word in ["It", "was", "the", "best", *["of", "the", "times"] * 5]]
    monkeypatch.setattr(recognizer, "_decode", lambda *_: (looped, [-0.1] * len(looped)))
    assert hear(recognizer, recording("two_cities.wav")[: 8 * RATE]) == "It was the best of the times"


@pytest.mark.embedded
@pytest.mark.parametrize("word", ["one", "no"])
def test_a_word_that_is_said_again_and_again_comes_through(recognizer: MoonshineRecognizer, word: str) -> None:
    text = hear(recognizer, spoken(" ".join([f"{word},"] * 10)))
    # One or two may be misheard; a guard against loops would leave one of them.
    assert plain(text).split().count(word) >= 6


@pytest.mark.embedded
def test_a_number_that_is_said_three_times_comes_through(recognizer: MoonshineRecognizer) -> None:
    text = hear(recognizer, spoken("five five five one two, five five five one two, five five five one two."))
    assert plain(text).split().count("five") == 9


@pytest.mark.embedded
def test_one_hypothesis_for_each_request(recognizer: MoonshineRecognizer) -> None:
    spoken = RecognitionRequest(recording("beckett.wav"), language="en", context="Before this.")
    silent = RecognitionRequest(np.zeros(RATE, np.float32))
    first, second, third = (one.text for one in recognizer.recognize([spoken, silent, spoken]))
    assert is_beckett(first)
    assert second == ""
    assert is_beckett(third)
    assert recognizer.recognize([]) == []


@pytest.mark.embedded
def test_several_callers_at_once(recognizer: MoonshineRecognizer) -> None:
    assert recognizer.batching.workers >= 1
    with ThreadPoolExecutor(4) as pool:
        texts = list(pool.map(lambda _: hear(recognizer, recording("beckett.wav")), range(4)))
    assert all(map(is_beckett, texts))


@pytest.mark.embedded
@pytest.mark.parametrize("length", [0, 1, 100, 800, 896, 1599, 1600, 1700, 3200])
def test_scraps_of_speech_do_no_harm(recognizer: MoonshineRecognizer, length: int) -> None:
    text = hear(recognizer, recording("beckett.wav")[RATE : RATE + length])
    assert len(text.split()) <= 4
    assert length >= 1600 or text == ""


@pytest.mark.embedded
@pytest.mark.parametrize("value", [0.0, 1e-7, np.nan, np.inf, -np.inf])
def test_nothing_is_heard_in_nothing(recognizer: MoonshineRecognizer, value: float) -> None:
    assert hear(recognizer, np.full(RATE, value, np.float32)) == ""


@pytest.mark.embedded
@pytest.mark.parametrize("value", [1.0, -3e38, 1e-3])
def test_nothing_is_heard_in_an_offset(recognizer: MoonshineRecognizer, value: float) -> None:
    assert hear(recognizer, np.full(RATE, value, np.float32)) == ""


@pytest.mark.embedded
def test_an_offset_under_speech_does_no_harm(recognizer: MoonshineRecognizer) -> None:
    assert is_beckett(hear(recognizer, recording("beckett.wav") * np.float32(0.1) + np.float32(0.5)))


@pytest.mark.embedded
def test_single_bad_samples_do_not_spoil_a_segment(recognizer: MoonshineRecognizer) -> None:
    samples = recording("beckett.wav").copy()
    samples[::20_000] = np.nan
    samples[1::20_000] = np.inf
    assert is_beckett(hear(recognizer, samples))


@pytest.mark.embedded
@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_hardly_ever_words_in_noise(recognizer: MoonshineRecognizer, exponent: float) -> None:
    """White, pink and brown; of 225 clips of 0.5 to 3 s two were heard as words."""
    heard = [hear(recognizer, noise(seed, exponent)) for seed in range(10)]
    assert sum(map(bool, heard)) <= 1


def noise(seed: int, exponent: float) -> Samples:
    """One second of noise whose power falls with frequency to the power of 2 * `exponent`."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=RATE))
    spectrum[1:] /= np.arange(1, spectrum.size) ** exponent
    samples = np.fft.irfft(spectrum)
    return np.asarray(0.3 * samples / np.abs(samples).max(), np.float32)


@pytest.mark.embedded
def test_no_words_in_a_chord(recognizer: MoonshineRecognizer) -> None:
    times = np.arange(3 * RATE) / RATE
    chord = sum(np.sin(2 * np.pi * hz * times) for hz in (261.6, 329.6, 392.0)) / 3
    assert hear(recognizer, np.asarray(chord, np.float32)) == ""


@pytest.mark.embedded
def test_closing() -> None:
    recognizer = MoonshineRecognizer(threads=2)
    recognizer.close()
    recognizer.close()
    with pytest.raises(EngineFailed, match="moonshine failed: it is closed"):
        recognizer.recognize([RecognitionRequest(recording("beckett.wav"))])


@pytest.mark.embedded
def test_a_failure_of_the_model_is_an_engine_failure() -> None:
    class Broken:
        def run(self, *_: object) -> None:
            raise RuntimeError("out of order")

    recognizer = MoonshineRecognizer()
    recognizer._decoder = Broken()
    with pytest.raises(EngineFailed, match="moonshine failed: out of order"):
        recognizer.recognize([RecognitionRequest(recording("beckett.wav"))])


@pytest.mark.embedded
def test_a_process_that_never_closes_it_ends_well() -> None:
    code = (
        "import sys, numpy; from dragoman.models.engines.moonshine import recognizer as m; "
        "assert 'onnxruntime' not in sys.modules; "
        "from dragoman.models.base import RecognitionRequest as R; r = m.MoonshineRecognizer(); "
        "r.recognize([R(numpy.full(16000, 0.1, 'f4'))]); assert 'moonshine_voice' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_missing_package_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EngineUnavailable, match=r"moonshine_voice.*pip install 'dragoman\[embedded\]'"):
        MoonshineRecognizer()


def test_the_vocabulary() -> None:
    long = b"x" * 300
    data = b"\x05<unk>\x03<s>\x04</s>\x01<\x02<>\x00\x02ab" + bytes([300 % 128 + 128, 300 // 128]) + long
    assert read_tokens(data) == [b"", b"", b"", b"<", b"<>", b"", b"ab", long]


@pytest.mark.parametrize("data", [b"", b"\x01a\x01b\x01c\x05x", b"\x01a\x01b\x01c\xff"])
def test_a_damaged_vocabulary_is_refused(data: bytes) -> None:
    with pytest.raises(EngineUnavailable, match="damaged"):
        read_tokens(data)
