"""Whisper as the pipeline sees it: batches of requests in, hypotheses out, through the real library."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dragoman.models.base import Batching, Hypothesis, RecognitionRequest, Samples
from dragoman.models.engines.whisper.recognizer import WhisperRecognizer
from dragoman.models.errors import EngineFailed, EngineUnavailable, OutOfMemory
from tests.costs import growth_bytes
from tests.models.engines.whisper.whispers import ENGLISH, GERMAN, RATE, calm, model, noise, settings, silent, unguarded

NOWHERE = Path("/nonexistent")
CALM = calm(4.0)


@pytest.fixture(scope="module")
def german() -> Iterator[WhisperRecognizer]:
    recognizer = WhisperRecognizer(NOWHERE, settings("german"))
    yield recognizer
    recognizer.close()


@pytest.fixture(scope="module")
def random() -> Iterator[WhisperRecognizer]:
    recognizer = WhisperRecognizer(NOWHERE, unguarded("random"))
    yield recognizer
    recognizer.close()


def hear(recognizer: WhisperRecognizer, samples: Samples = CALM, language: str | None = "de") -> Hypothesis:
    return recognizer.recognize([RecognitionRequest(samples, language)])[0]


def assert_same(some: Sequence[Hypothesis], others: Sequence[Hypothesis]) -> None:
    """Two times the same, but for the last places of the numbers, in which a batch and a single request may differ.

    Word times are left out: attention at random has many ties.
    """
    for one, other in zip(some, others, strict=True):
        assert replace(one, words=(), language_confidence=None) == replace(other, words=(), language_confidence=None)
        assert one.language_confidence == pytest.approx(other.language_confidence, abs=1e-3)
        for word, same in zip(one.words, other.words, strict=True):
            assert word.text == same.text
            assert word.confidence == pytest.approx(same.confidence, abs=0.01)


def test_speech_becomes_text_with_word_times_and_confidence(german: WhisperRecognizer) -> None:
    heard = hear(german)
    assert (heard.text, heard.language, heard.language_confidence, heard.english) == (GERMAN, "de", None, None)
    assert [word.text for word in heard.words] == GERMAN.split()
    assert [word.start_s for word in heard.words] == pytest.approx([0.0, 0.4, 0.8, 1.2, 1.6, 2.0], abs=0.03)
    assert [word.stop_s for word in heard.words] == pytest.approx([0.4, 0.8, 1.2, 1.6, 2.0, 2.8], abs=0.03)
    assert all(word.confidence is not None and 0.9 < word.confidence <= 1 for word in heard.words)


def test_what_it_says_of_itself(german: WhisperRecognizer) -> None:
    assert german.name == "whisper"
    assert (german.model_name, german.device, german.compute_type) == ("german", "cpu", "float32")
    assert german.batching == Batching(size=8, wait_s=0.03, workers=1)
    assert len(german.languages) == 99
    assert {"en", "de", "jv", "haw"} < german.languages
    assert "jw" not in german.languages
    assert german.to_english == german.languages - {"en"}


@pytest.mark.parametrize(
    ("name", "languages", "translated"),
    [("random.en", 1, 0), ("random128", 100, 99), ("turbo", 100, 0), ("distil", 1, 0)],
)
def test_what_other_models_can_do(name: str, languages: int, translated: int) -> None:
    recognizer = WhisperRecognizer(NOWHERE, unguarded(name))
    assert len(recognizer.languages) == languages
    assert len(recognizer.to_english) == translated
    wanted = frozenset(recognizer.languages)
    requests = [RecognitionRequest(CALM, language, english_for=wanted) for language in ("en", None)]
    named, found = recognizer.recognize(requests)
    assert named.text
    assert [word.text for word in named.words] == named.text.split()
    assert (named.language, named.language_confidence) == ("en", None)
    if languages == 1:
        assert found == named
    else:
        assert found.language in recognizer.languages
        assert (found.english is None) == (found.language not in recognizer.to_english)
    recognizer.close()


def test_word_times_in_a_batch_of_several_languages(german: WhisperRecognizer) -> None:
    languages = ["en", "de", "en", "jv", "de"]
    lengths_s = [4.0, 9.0, 2.0, 3.0, 2.4]
    requests = [
        RecognitionRequest(calm(length_s), language) for language, length_s in zip(languages, lengths_s, strict=True)
    ]
    for heard, language, length_s in zip(german.recognize(requests), languages, lengths_s, strict=True):
        words = GERMAN.split() if language == "de" else ["Hello", "world."]
        assert [word.text for word in heard.words] == words
        places = [0.4 * number for number in range(len(words))]
        assert [word.start_s for word in heard.words] == pytest.approx(places, abs=0.05)
        assert heard.words[-1].stop_s == pytest.approx(min(length_s, 0.4 * (len(words) + 1)), abs=0.05)


def test_the_language_is_found_among_all(german: WhisperRecognizer) -> None:
    heard = hear(german, language=None)
    assert (heard.text, heard.language) == (GERMAN, "de")
    assert heard.language_confidence == pytest.approx(0.7, abs=0.01)


def test_the_language_is_found_among_the_candidates(german: WhisperRecognizer) -> None:
    candidates = frozenset({"en", "jv", "fr", "nonsense"})
    (heard,) = german.recognize([RecognitionRequest(CALM, candidates=candidates)])
    assert (heard.text, heard.language) == ("Hello world.", "en")
    assert heard.language_confidence == pytest.approx(0.8, abs=0.01)


def test_candidates_that_the_model_does_not_know_are_as_good_as_none(german: WhisperRecognizer) -> None:
    (heard,) = german.recognize([RecognitionRequest(CALM, candidates=frozenset({"xx"}))])
    assert heard.language == "de"


def test_a_named_language_is_never_doubted(german: WhisperRecognizer) -> None:
    assert hear(german, language="jv").text == "Hello world."
    assert hear(german, language="jv").language == "jv"


def test_an_unknown_language_is_a_fault(german: WhisperRecognizer) -> None:
    with pytest.raises(EngineFailed, match="the model german does not know the language 'tlh'"):
        hear(german, language="tlh")


def test_english_comes_with_it_where_it_is_wanted(german: WhisperRecognizer) -> None:
    def ask(language: str | None, *wanted: str) -> Hypothesis:
        return german.recognize([RecognitionRequest(CALM, language, english_for=frozenset(wanted))])[0]

    assert ask("de", "de", "fr").english == ENGLISH
    assert ask(None, "de").english == ENGLISH
    assert ask("de", "es").english is None
    assert ask("en", "en", "de").english is None


def test_english_is_given_to_those_of_a_batch_who_want_it(german: WhisperRecognizer) -> None:
    wanted = frozenset({"de"})
    requests = [RecognitionRequest(CALM, "en"), RecognitionRequest(CALM, "de", english_for=wanted)] * 2
    assert [heard.english for heard in german.recognize(requests)] == [None, ENGLISH, None, ENGLISH]


def test_a_batch_says_what_each_says_alone(random: WhisperRecognizer) -> None:
    said = "w11 w12 w13 w14 w15 w16 w17 w18 w19 w20"
    requests = [
        RecognitionRequest(noise(5.0, 1), "de"),
        RecognitionRequest(noise(9.0, 2), None, context="w1 w2 " * 20),
        RecognitionRequest(noise(0.02, 3), "en"),
        RecognitionRequest(noise(7.0, 4), "fr", context=said, keywords=("w7", "w8")),
        RecognitionRequest(noise(28.0, 5), None, candidates=frozenset({"de", "it"}), english_for=frozenset({"de"})),
        RecognitionRequest(noise(6.0, 6), "es", context=said, english_for=frozenset({"es"})),
        RecognitionRequest(noise(6.0, 7), None, context=said, english_for=random.languages),
    ]
    alone = [random.recognize([request])[0] for request in requests]
    assert_same(random.recognize(requests), alone)
    assert_same(random.recognize(requests[::-1]), alone[::-1])
    assert len({heard.text for heard in alone}) >= 5
    assert alone[5].english
    assert alone[2] == Hypothesis("", "en")


def test_what_was_said_before_and_keywords_change_what_is_heard(random: WhisperRecognizer) -> None:
    plain, after, knowing = random.recognize(
        [
            RecognitionRequest(CALM, "de"),
            RecognitionRequest(CALM, "de", context="w1 w2 w3 w4 w5 w6 w7 w8"),
            RecognitionRequest(CALM, "de", keywords=("w99",)),
        ]
    )
    assert len({plain.text, after.text, knowing.text}) == 3


def test_the_default_numbers_of_the_processor(german: WhisperRecognizer) -> None:
    recognizer = WhisperRecognizer(NOWHERE, settings("german", compute_type="auto"))
    assert recognizer.compute_type.startswith("int8")
    assert hear(recognizer).text == hear(german).text
    recognizer.close()


SCRAPS = {
    "nothing": np.zeros(0, np.float32),
    "one sample": np.ones(1, np.float32),
    "a scrap": noise(0.09),
    "silence": np.zeros(RATE, np.float32),
    "almost silence": noise(1.0, level=1e-4),
    "an offset": np.full(RATE, 0.5, np.float32),
    "not a number": np.full(RATE, np.nan, np.float32),
    "endless": np.full(RATE, np.inf, np.float32),
}


@pytest.mark.parametrize("samples", SCRAPS.values(), ids=SCRAPS)
def test_scraps_say_nothing(german: WhisperRecognizer, samples: Samples) -> None:
    assert hear(german, samples) == Hypothesis("", "de")
    assert hear(german, samples, None) == Hypothesis("", "", language_confidence=0.0)


@pytest.mark.parametrize("seconds", [0.1, 0.12, 29.99, 30.0, 31.0, 65.0])
def test_the_shortest_and_the_longest(random: WhisperRecognizer, seconds: float) -> None:
    heard = hear(random, noise(seconds), "en")
    assert all(0 <= word.start_s <= word.stop_s <= min(seconds, 30.0) for word in heard.words)


def test_broken_samples_among_good_ones(german: WhisperRecognizer) -> None:
    samples = CALM.copy()
    samples[100:200], samples[300], samples[400] = np.nan, np.inf, -1e30
    assert hear(german, samples).text == GERMAN


def test_no_requests_no_hypotheses(german: WhisperRecognizer) -> None:
    assert german.recognize([]) == []


@pytest.mark.parametrize(
    ("no_speech", "certainty", "text"),
    [(0.3, 0.9, "Hello world."), (0.75, 0.98, "Hello world."), (0.75, 0.4, ""), (0.95, 0.98, "")],
)
def test_text_on_what_is_probably_silence(no_speech: float, certainty: float, text: str) -> None:
    recognizer = WhisperRecognizer(NOWHERE, settings(silent(no_speech, certainty), beam_size=1))
    heard = hear(recognizer, language="de")
    assert (heard.text, [word.text for word in heard.words]) == (text, text.split())
    if not text:
        assert hear(recognizer, language=None) == Hypothesis("", "en", language_confidence=0.0)
    recognizer.close()


def test_a_loop_says_nothing(german: WhisperRecognizer) -> None:
    recognizer = WhisperRecognizer(NOWHERE, settings("german", beam_size=1, temperatures=[0.0]))
    both = recognizer.recognize([RecognitionRequest(CALM, "fr"), RecognitionRequest(CALM, "de")])
    assert [heard.text for heard in both] == ["", GERMAN]
    recognizer.close()


def test_many_threads_at_once(german: WhisperRecognizer) -> None:
    recognizer = WhisperRecognizer(NOWHERE, unguarded("random", workers=2))
    assert recognizer.batching.workers == 2
    requests = [RecognitionRequest(noise(3.0, seed), (None, "de")[seed % 2]) for seed in range(12)]
    alone = [recognizer.recognize([request])[0] for request in requests]
    with ThreadPoolExecutor(4) as pool:
        batches = pool.map(recognizer.recognize, [requests[at : at + 3] for at in range(0, 12, 3)])
        assert_same([heard for batch in batches for heard in batch], alone)
    recognizer.close()


def test_a_closed_one_fails_and_calls_that_run_end_well() -> None:
    recognizer = WhisperRecognizer(NOWHERE, unguarded("random"))
    found: list[Hypothesis] = []
    requests = [RecognitionRequest(noise(20.0, seed), "de") for seed in range(4)]
    thread = threading.Thread(target=lambda: found.extend(recognizer.recognize(requests)))
    thread.start()
    recognizer.close()
    recognizer.close()
    thread.join()
    assert len(found) == len(requests) or not found  # the call began before or after closing
    with pytest.raises(EngineFailed, match="whisper failed: it is closed"):
        recognizer.recognize(requests)


@pytest.mark.parametrize(
    ("fault", "raised", "told"),
    [
        (RuntimeError("CUDA failed with error out of memory"), OutOfMemory, "out of memory"),
        (MemoryError(), OutOfMemory, "out of memory"),
        (RuntimeError("two\nlines"), EngineFailed, "whisper failed: two lines"),
        (ValueError("a shape"), EngineFailed, "whisper failed: a shape"),
    ],
)
def test_faults_of_the_library(
    monkeypatch: pytest.MonkeyPatch, fault: Exception, raised: type[EngineFailed], told: str
) -> None:
    recognizer = WhisperRecognizer(NOWHERE, settings("german"))

    def encode(*_: object) -> object:
        raise fault

    monkeypatch.setattr(recognizer._loaded, "encode", encode)
    with pytest.raises(raised, match=told) as caught:
        hear(recognizer)
    assert type(caught.value) is raised
    recognizer.close()


def test_a_model_by_name_and_by_default(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to(model("random.en"))
    (tmp_path / "two").symlink_to(model("german"))
    for name, wanted in (("two", ""), ("one", "one")):
        recognizer = WhisperRecognizer(tmp_path, settings(wanted))
        assert recognizer.model_name == name
        recognizer.close()
    with pytest.raises(EngineUnavailable, match="dragoman models pull three"):
        WhisperRecognizer(tmp_path, settings("three"))


def test_memory_does_not_creep(random: WhisperRecognizer) -> None:
    """The features of one request are 1 MB, the encoded audio is 0.2 MB, and so is the attention over it."""
    assert growth_bytes(lambda: [hear(random, language=None) for _ in range(15)]) < 2_000_000
