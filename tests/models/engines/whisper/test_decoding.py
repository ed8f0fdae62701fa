"""One call for many, and only those that fail once more: the calls of the library are counted."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dragoman.models.base import RecognitionRequest
from dragoman.models.engines.whisper.decoding import SAMPLES, Allowance, Decoder, Encoded
from dragoman.models.engines.whisper.features import speech_of
from dragoman.models.engines.whisper.guards import Decoded
from dragoman.models.engines.whisper.recognizer import WhisperRecognizer
from tests.models.engines.whisper.whispers import ENGLISH, GERMAN, calm, noise, settings, unguarded

CALM = calm(4.0)


class Counted:
    """Passes calls of a CTranslate2 model on and notes the size of each."""

    def __init__(self, model: Any) -> None:
        self.calls: list[tuple[str, int, float]] = []
        self.lengths: list[int] = []
        """Of the prompts of each generation."""
        self.beams: list[int] = []
        self.windows_s: list[float] = []
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def encode(self, features: Any) -> Any:
        self.calls.append(("encode", features.shape[0], 0.0))
        self.windows_s.append(features.shape[2] / 100)
        return self._model.encode(features)

    def detect_language(self, storage: Any) -> Any:
        self.calls.append(("detect", storage.shape[0], 0.0))
        return self._model.detect_language(storage)

    def generate(self, storage: Any, prompts: Any, **how: Any) -> Any:
        assert storage.shape[0] == len(prompts)
        self.calls.append(("generate", len(prompts), how.get("sampling_temperature", 0.0)))
        self.lengths.append(len(prompts[0]))
        self.beams.append(how["beam_size"])
        return self._model.generate(storage, prompts, **how)

    def align(self, storage: Any, *arguments: Any, **how: Any) -> Any:
        self.calls.append(("align", storage.shape[0], 0.0))
        return self._model.align(storage, *arguments, **how)


def calls_of(kind: str, count: Counted) -> list[tuple[str, int, float]]:
    return [call for call in count.calls if call[0] == kind]


Build = Callable[..., tuple[WhisperRecognizer, Counted]]


@pytest.fixture
def counted() -> Iterator[Build]:
    built = []

    def build(name: str = "german", **changed: Any) -> tuple[WhisperRecognizer, Counted]:
        chosen = unguarded(name, **changed) if name == "random" else settings(name, beam_size=1, **changed)
        recognizer = WhisperRecognizer(Path(), chosen)
        built.append(recognizer)
        loaded: Any = recognizer._loaded
        count = Counted(loaded.model.model)
        loaded.model.model = loaded.decoder._model = count
        return recognizer, count

    yield build
    for recognizer in built:
        recognizer.close()


def test_one_call_of_each_kind_for_a_batch(counted: Build) -> None:
    recognizer, count = counted()
    german = frozenset({"de"})
    requests = [RecognitionRequest(CALM, ("de", None)[number % 2], english_for=german) for number in range(8)]
    assert [heard.text for heard in recognizer.recognize(requests)] == [GERMAN] * 8
    assert count.calls == [
        ("encode", 8, 0.0),
        ("detect", 4, 0.0),
        ("generate", 8, 0.0),
        ("align", 8, 0.0),
        ("generate", 8, 0.0),
    ]


def test_sessions_that_have_said_enough_share_a_call_whatever_they_said(counted: Build) -> None:
    recognizer, count = counted()
    requests = [RecognitionRequest(CALM, "de", context="das ist alt " * (20 + number)) for number in range(6)]
    requests.append(RecognitionRequest(CALM, "en", context="hello world " * 50, keywords=("Dragoman",)))
    recognizer.recognize([*requests, RecognitionRequest(CALM, "de")])
    assert [size for kind, size, _ in count.calls if kind == "generate"] == [7, 1]
    assert [size for kind, size, _ in count.calls if kind == "align"] == [7, 1]  # by language


def test_silence_takes_no_part(counted: Build) -> None:
    recognizer, count = counted()
    silence = RecognitionRequest(np.zeros(16_000, np.float32))
    assert recognizer.recognize([silence] * 3)
    assert count.calls == []
    recognizer.recognize([silence, RecognitionRequest(CALM, "de"), silence])
    assert count.calls == [("encode", 1, 0.0), ("generate", 1, 0.0), ("align", 1, 0.0)]


def test_only_those_that_fail_are_tried_again(counted: Build) -> None:
    recognizer, count = counted(temperatures=[0.0, 0.2])
    languages = ["de", "fr", "en", "es", "fr"]
    said = recognizer.recognize([RecognitionRequest(CALM, language, context="La casa " * 30) for language in languages])
    assert [said[0].text, said[2].text] == [GERMAN, "Hello world."]
    # The Spanish is unsure and the French goes in circles.
    assert [call for call in count.calls if call[0] == "generate"] == [("generate", 5, 0.0), ("generate", 3, 0.2)]
    assert count.lengths == [32 + 4, 4]  # what was said before is left out, of which loops are often made
    assert [said[1].text, said[4].text] == ["", ""]
    assert said[3].text


def test_a_partial_has_one_attempt_with_a_beam_of_its_own(counted: Build) -> None:
    recognizer, count = counted(partial_beam_size=2)
    partials = [RecognitionRequest(CALM, code, partial=True) for code in ("fr", "es", "de")]
    loop, guess, good = recognizer.recognize(partials)
    assert (loop.text, guess.text[:2], good.text) == ("", "La", GERMAN)
    assert [word.text for word in good.words] == GERMAN.split()
    assert [call for call in count.calls if call[0] == "generate"] == [("generate", 3, 0.0)]
    assert count.beams == [2]
    assert recognizer.decodes == 3


def test_only_what_has_the_same_window_and_purpose_shares_a_call_and_finals_come_first(counted: Build) -> None:
    recognizer, count = counted(temperatures=[0.0])
    long = calm(9.0)
    asked = [
        RecognitionRequest(CALM, "de", partial=True),
        RecognitionRequest(long, "de"),
        RecognitionRequest(CALM, "de"),
        RecognitionRequest(long, "de", partial=True),
        RecognitionRequest(CALM, None, partial=True),
        RecognitionRequest(CALM, "de"),
    ]
    assert [heard.text for heard in recognizer.recognize(asked)] == [GERMAN] * 6
    encoded = [
        (size, window_s) for (_, size, _), window_s in zip(calls_of("encode", count), count.windows_s, strict=True)
    ]
    assert encoded == [(2, 10), (1, 15), (2, 10), (1, 15)]
    assert count.beams == [1, 1, 3, 3]


def test_a_window_of_thirty_seconds_is_one_for_all(counted: Build) -> None:
    recognizer, count = counted(window_s=30)
    recognizer.recognize([RecognitionRequest(CALM, "de"), RecognitionRequest(calm(25.0), "de")])
    assert (calls_of("encode", count), count.windows_s) == ([("encode", 2, 0.0)], [30])


def test_english_is_tried_twice_at_most(counted: Build) -> None:
    recognizer, count = counted(min_log_probability=1.0)  # nothing is ever as sure
    (heard,) = recognizer.recognize([RecognitionRequest(CALM, "de", english_for=frozenset({"de"}))])
    temperatures = [temperature for _, _, temperature in calls_of("generate", count)]
    assert temperatures == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 0.0, 0.2]
    assert recognizer.decodes == 8
    assert (heard.text, heard.english) == (GERMAN, ENGLISH)


def test_no_further_attempt_is_begun_once_the_time_for_them_is_used_up(
    counted: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter(range(1000))
    monkeypatch.setattr("dragoman.models.engines.whisper.decoding.monotonic", lambda: float(next(seconds)))
    for retry_s, attempts in ((0.0, 1), (0.5, 2), (1.5, 3), (9.0, 6)):
        recognizer, count = counted(min_log_probability=1.0, retry_s=retry_s)  # each further one takes a second
        assert recognizer.recognize([RecognitionRequest(CALM, "de")])[0].text == GERMAN
        assert len(calls_of("generate", count)) == attempts


def test_an_allowance_is_spent_once_for_all() -> None:
    allowance = Allowance(1e-9)
    assert allowance.left
    with pytest.raises(KeyError), allowance.spent():
        raise KeyError
    assert not allowance.left
    assert not Allowance(0.0).left


def test_what_a_text_leaves_out_is_heard_by_itself(counted: Build) -> None:
    """This model says the same of everything, in 2.8 s."""
    recognizer, count = counted(window_s=15)
    (heard,) = recognizer.recognize([RecognitionRequest(noise(6.0), "de", english_for=frozenset({"de"}))])
    assert (heard.text, heard.english) == (f"{GERMAN} {GERMAN}", f"{ENGLISH} {ENGLISH}")
    assert [word.text for word in heard.words] == heard.text.split()
    assert heard.words[6].start_s == pytest.approx(3.0, abs=0.25)
    assert [word.start_s for word in heard.words] == sorted(word.start_s for word in heard.words)
    assert heard.words[-1].stop_s <= 6.0
    assert len(calls_of("encode", count)) == 2
    assert count.lengths[2] > count.lengths[0]  # what stands before the rest is its context


def test_a_rest_is_looked_for_so_often_and_not_in_partials_nor_in_silence(counted: Build) -> None:
    recognizer, _ = counted()
    finals = [RecognitionRequest(noise(20.0, seed), "de") for seed in range(3)]
    partial, quiet = RecognitionRequest(noise(20.0), "de", partial=True), RecognitionRequest(calm(20.0), "de")
    said = [heard.text.count("Haus") for heard in recognizer.recognize([*finals, partial, quiet])]
    assert said == [3, 3, 3, 1, 1]
    assert recognizer.decodes == 3 * 3 + 1 + 1


def test_one_temperature_is_one_attempt(counted: Build) -> None:
    recognizer, count = counted(temperatures=[0.0])
    spanish, french = recognizer.recognize([RecognitionRequest(CALM, language) for language in ("es", "fr")])
    assert spanish.text == "La casa es grande"  # a guess, where somebody did speak
    assert french.text == ""
    assert [call[0] for call in count.calls].count("generate") == 1


def test_what_is_probably_silence_is_not_tried_again(counted: Build) -> None:
    recognizer, count = counted(max_no_speech=0.001, no_speech_alone=0.002)
    assert recognizer.recognize([RecognitionRequest(CALM, "fr")])[0].text == ""
    assert [call[0] for call in count.calls] == ["encode", "generate"]


def test_a_text_that_never_ends_stops_at_what_can_be_said(counted: Build) -> None:
    recognizer, _ = counted()
    loaded: Any = recognizer._loaded
    speech = speech_of(CALM)
    assert speech is not None
    encoded = loaded.encode([speech, speech])
    prompts = [loaded.prompter.prompt(code) for code in ("fr", "de")]
    for limits in ([40, 60], [100, 60]):
        french, german = loaded.decoder._generate(encoded.some([0, 1]), prompts, limits, 1, 0.0)
        assert len(french.tokens) == max(limits)
        assert french.endless
        assert (german.text, german.endless) == (GERMAN, False)


@pytest.mark.parametrize(("shorter", "times"), [("Das Haus", True), ("x" * 300, False)])
def test_a_shortened_text_is_aligned_anew(
    counted: Build, monkeypatch: pytest.MonkeyPatch, shorter: str, times: bool
) -> None:
    """A letter is a token in these models, which cannot place as many."""
    recognizer, _ = counted()
    monkeypatch.setattr("dragoman.models.engines.whisper.recognizer.credible", lambda *_: shorter)
    (heard,) = recognizer.recognize([RecognitionRequest(CALM, "de")])
    assert heard.text == shorter
    assert [word.text for word in heard.words] == (shorter.split() if times else [])


def decoded(log_probability: float, *, endless: bool = False, no_speech: float = 0.0) -> Decoded:
    return Decoded("word", [1], log_probability, no_speech, endless)


@pytest.mark.parametrize(
    ("before", "now", "counts"),
    [
        (decoded(-2.0), decoded(-3.0), "before"),
        (decoded(-3.0), decoded(-2.0), "now"),
        (decoded(-0.1, endless=True), decoded(-5.0), "now"),
        (decoded(-5.0), decoded(-0.1, endless=True), "before"),
        (decoded(-2.0), decoded(-0.9), "now"),
        (decoded(-2.0), decoded(-3.0, no_speech=0.7), "now"),
    ],
)
def test_which_of_two_attempts_counts(counted: Build, before: Decoded, now: Decoded, counts: str) -> None:
    decoder: Decoder = counted()[0]._loaded.decoder  # type: ignore[union-attr]
    assert decoder._better(before, now) is {"before": before, "now": now}[counts]


def test_samples_at_a_temperature_and_the_likeliest_counts(counted: Build) -> None:
    recognizer, _ = counted("random")
    loaded: Any = recognizer._loaded
    asked = {}

    class Listening:
        def generate(self, storage: Any, prompts: Any, **how: Any) -> Any:
            asked.update(how)
            return loaded.model.model.generate(storage, prompts, **how)

    loaded.decoder._model = Listening()
    speech = speech_of(CALM)
    loaded.decoder._generate(loaded.encode([speech]).some([0]), [loaded.prompter.prompt("de")], [50], 5, 0.4)
    assert (asked["num_hypotheses"], asked["sampling_topk"], asked["beam_size"]) == (SAMPLES, 0, 1)
    assert asked["sampling_temperature"] == 0.4


def test_some_of_what_was_encoded() -> None:
    import ctranslate2

    rows = np.arange(24, dtype=np.float32).reshape(4, 3, 2)
    storage = ctranslate2.StorageView.from_array(rows)
    encoded = Encoded(storage)
    assert encoded.some([0, 1, 2, 3]) is storage
    np.testing.assert_array_equal(np.array(encoded.some([3, 1])), rows[[3, 1]])
    np.testing.assert_array_equal(np.array(encoded.some([1, 0, 2, 3])), rows[[1, 0, 2, 3]])
    for kind in (ctranslate2.DataType.float16, ctranslate2.DataType.bfloat16):
        some = Encoded(storage.to(kind)).some([2])
        assert some.dtype in {ctranslate2.DataType.float16, ctranslate2.DataType.float32}
        np.testing.assert_array_equal(np.array(some), rows[[2]])
