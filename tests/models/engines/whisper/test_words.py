"""Word times from the alignment of tokens, on alignments made by hand."""

from typing import Any

import pytest

from dragoman.models.base import Word
from dragoman.models.engines.whisper.words import UNSPACED, align, placed
from dragoman.pipeline import timing

Part = tuple[str, float, float, float]


class Aligned:
    """In place of faster-whisper's model: gives prepared alignments. `parts` are text, start, stop, probability."""

    def __init__(self, *texts: list[Part]) -> None:
        self.texts = texts
        self.asked: list[Any] = []

    def find_alignment(self, tokenizer: Any, tokens: Any, encoded: Any, frames: Any) -> list[list[dict[str, Any]]]:
        self.asked = [tokens, encoded, frames]
        return [
            [
                {"word": word, "tokens": [0] * max(1, len(word) // 4), "start": start, "end": end, "probability": sure}
                for word, start, end, sure in parts
            ]
            for parts in self.texts
        ]


class Language:
    """In place of faster-whisper's tokenizer."""

    def __init__(self, language_code: str) -> None:
        self.language_code = language_code


def words(text: str, parts: list[Part], language: str = "en", seconds: float = 10.0) -> list[tuple[Any, ...]]:
    (found,) = align(Aligned(parts), Language(language), None, [text], [[1]], [round(seconds * 100)])
    return [(word.text, round(word.start_s, 3), round(word.stop_s, 3), word.confidence) for word in found]


def test_a_word_is_what_stands_between_blanks() -> None:
    parts: list[Part] = [(" It", 0.5, 0.8, 0.9), (" was", 0.8, 1.0, 0.8), (",", 1.0, 1.1, 0.5), (" so", 1.3, 1.5, 1.0)]
    assert words("It was, so", parts) == [
        ("It", 0.5, 0.8, 0.9),
        ("was,", 0.8, 1.1, pytest.approx(0.65)),
        ("so", 1.3, 1.5, 1.0),
    ]


def test_a_word_of_many_tokens_is_as_sure_as_they_are_together() -> None:
    parts: list[Part] = [(" Apertium", 0.0, 0.5, 0.5), ("s", 0.5, 0.6, 0.8)]
    assert words("Apertiums", parts) == [("Apertiums", 0.0, 0.6, pytest.approx(0.6))]


def test_the_silence_around_a_text_is_not_part_of_its_words() -> None:
    parts: list[Part] = [(" a", 0.0, 2.0, 1.0), (" b", 2.0, 2.3, 1.0), (" c", 2.3, 2.6, 1.0), (" d", 2.6, 9.0, 1.0)]
    # The median is 2.0, of which at most 0.7 counts.
    assert [word[:3] for word in words("a b c d", parts)] == [
        ("a", 0.6, 2.0),
        ("b", 2.0, 2.3),
        ("c", 2.3, 2.6),
        ("d", 2.6, 4.0),
    ]
    assert words("a", [(" a", 0.0, 3.0, 1.0)]) == [("a", 1.6, 3.0, 1.0)]
    assert words("a b", [(" a", 1.0, 1.0, 1.0), (" b", 1.0, 1.0, 1.0)])[0][1:3] == (1.0, 1.0)


def test_times_stay_inside_the_audio_and_run_forwards() -> None:
    parts: list[Part] = [(" a", -0.02, 0.3, 1.0), (" b", 0.3, 0.2, 1.0), (" c", 0.9, 1.4, 1.1)]
    assert words("a b c", parts, seconds=1.0) == [("a", 0.0, 0.3, 1.0), ("b", 0.3, 0.3, 1.0), ("c", 0.9, 1.0, 1.0)]


@pytest.mark.parametrize("language", ["zh", "ja", "yue", "th"])
def test_languages_without_blanks_have_a_word_for_each_character(language: str) -> None:
    parts: list[Part] = [("你好", 0.0, 0.4, 0.9), ("。", 0.4, 0.5, 0.8), (" 今天", 1.0, 1.4, 0.7)]
    assert words("你好。 今天", parts, language) == [
        ("你", 0.0, 0.2, 0.9),
        ("好", 0.2, 0.4, 0.9),
        ("。", 0.4, 0.5, 0.8),
        ("今", 1.0, 1.2, 0.7),
        ("天", 1.2, 1.4, 0.7),
    ]


def test_the_pipeline_agrees_which_languages_have_no_blanks() -> None:
    assert UNSPACED == timing.UNSPACED


def test_tokens_that_do_not_spell_the_text_give_no_words() -> None:
    parts: list[Part] = [(" It", 0.5, 0.8, 0.9)]
    assert words("It was", parts) == []
    assert words("It", []) == []


def test_broken_characters_are_left_out() -> None:
    assert [word[0] for word in words("It so", [(" It\ufffd", 0.0, 0.3, 1.0), (" so", 0.3, 0.6, 1.0)])] == ["It", "so"]


def test_many_texts_at_once() -> None:
    model = Aligned([(" a", 0.0, 0.3, 1.0)], [(" b", 0.1, 0.2, 1.0)])
    found = align(model, Language("en"), "storage", ["a", "b"], [[1], [2]], [100, 300])
    assert [[word.text for word in one] for one in found] == [["a"], ["b"]]
    assert model.asked == [[[1], [2]], "storage", [100, 300]]


@pytest.mark.parametrize(
    ("lengths_s", "kept"),
    [
        ([0.3, 0.3, 0.3], 3),
        ([0.3, 0.0, 0.3], 3),
        ([0.3, 0.0, 0.0], 3),
        ([0.3, 0.0, 0.0, 0.0], 1),
        ([0.3, 0.0, 0.0, 0.0, 0.2], 5),
        ([0.0, 0.0, 0.0], 0),
        ([], 0),
    ],
)
def test_words_written_on_behind_the_end_of_the_sound_were_not_said(lengths_s: list[float], kept: int) -> None:
    """Real tiny.en wrote "… the chemical is. The cabbage juice changes …": all of the sentence again, at one place."""
    at_s, words = 0.0, list[Word]()
    for length_s in lengths_s:
        words.append(Word("w", at_s, at_s + length_s))
        at_s += length_s
    assert placed(words) == tuple(words[:kept])
