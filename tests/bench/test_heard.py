"""Voices heard back: the arithmetic, with a voice and a recogniser that only pretend."""

import asyncio
from collections.abc import Iterator

import pytest
from rich.console import Console

from bench.heard import Heard, _all, grid, named_voices
from bench.heard_texts import SENTENCES
from dragoman.models.engines.scripted.engines import ScriptedSynthesizer
from dragoman.models.registry import Engines
from dragoman.models.voices import VoiceCatalogue
from tests.fakes.engines import FakeDetector, FakeRecognizer


@pytest.fixture
def engines() -> Iterator[tuple[Engines, FakeRecognizer]]:
    recognizer = FakeRecognizer(lambda request: "The old bridge")
    made = Engines(
        name="fake",
        detector=FakeDetector(),
        recognizers=[recognizer],
        translators=[],
        synthesizers=[ScriptedSynthesizer()],
        catalogue=VoiceCatalogue([]),
    )
    yield made, recognizer
    made.close()


def test_the_same_number_of_sentences_in_each_language() -> None:
    assert {len(sentences) for sentences in SENTENCES.values()} == {12}
    assert not any(character.isdigit() for text in sum(SENTENCES.values(), ()) for character in text)


def test_errors_are_counted_over_all_that_was_said(engines: tuple[Engines, FakeRecognizer]) -> None:
    made, recognizer = engines
    voices = named_voices(["scripted:en:one", "scripted:xx:two"])
    assert (voices[0].engine, voices[0].language, voices[0].engine_voice) == ("scripted", "en", "one")
    (heard,) = asyncio.run(_all(made, voices[:1], Console(quiet=True)))
    assert len(recognizer.requests) == len(heard.texts)
    assert heard.words == sum(len(sentence.split()) for sentence in SENTENCES["en"])
    assert 0 < heard.errors < heard.words
    assert heard.sound_s > 10


def test_a_language_that_nobody_hears_is_left_out(engines: tuple[Engines, FakeRecognizer]) -> None:
    assert asyncio.run(_all(engines[0], named_voices(["scripted:de:one"]), Console(quiet=True))) == []


def test_the_best_voice_of_a_language_comes_first() -> None:
    first, second, third = named_voices(["a:en:x", "b:en:y", "c:de:z"])
    found = [
        Heard(first, "who", 5, 10, 1.0, 0.1),
        Heard(second, "who", 1, 10, 2.0, 0.1),
        Heard(third, "who", 9, 9, 0.0, 0.1),
    ]
    made = grid(found)
    assert [row[:2] for row in made.rows] == [["de", "c z"], ["en", "b y"], ["en", "a x"]]
    assert [row[3] for row in made.rows] == ["100.0", "10.0", "50.0"]
    assert "who" in made.note
