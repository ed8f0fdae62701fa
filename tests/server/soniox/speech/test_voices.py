"""Whom a name stands for: our voices by their ids, the vendor's by gender, nobody for a language without voices."""

import logging

import pytest

from dragoman.models.base import Voice
from dragoman.models.errors import NoVoice
from dragoman.models.registry import Engines
from dragoman.models.voices import VoiceCatalogue
from dragoman.server.failures import BadMessage
from dragoman.server.protocols.soniox.speech.voices import GENDERS, Choice, EngineVoices
from tests.fakes.engines import FakeDetector, FakeRecognizer, FakeSynthesizer, FakeTranslator


def voice(name: str, language: str, gender: str) -> Voice:
    return Voice(name.ljust(16, "0"), name, language, FakeSynthesizer.name, name, gender)


def voices() -> EngineVoices:
    catalogue = VoiceCatalogue([voice("ann", "en", "female"), voice("bob", "en", "male"), voice("eva", "es", "female")])
    engines = Engines(
        name="fake",
        detector=FakeDetector(),
        recognizers=[FakeRecognizer(lambda request: "")],
        translators=[FakeTranslator("en", "es")],
        synthesizers=[FakeSynthesizer()],
        catalogue=catalogue,
    )
    return EngineVoices(lambda: engines)


@pytest.mark.parametrize(
    ("name", "language", "chosen"),
    [
        ("bob0000000000000", "en", Choice("en", "bob0000000000000")),
        ("bob0000000000000", None, Choice("en", "bob0000000000000")),
        ("eva0000000000000", None, Choice("es", "eva0000000000000")),
        ("eva0000000000000", "en-GB", Choice("en", "ann0000000000000")),
        ("Adrian", "en", Choice("en", "bob0000000000000")),
        ("maya", "EN", Choice("en", "ann0000000000000")),
        ("Adrian", "es", Choice("es", "eva0000000000000")),
        ("maya", "en", Choice("en", "ann0000000000000")),
        ("Somebody", None, Choice("en", "ann0000000000000")),
        (None, "es", Choice("es")),
        (None, None, Choice("en")),
    ],
)
async def test_who_speaks(name: str | None, language: str | None, chosen: Choice) -> None:
    assert voices().choose(name, language) == chosen


async def test_languages_that_nobody_speaks() -> None:
    with pytest.raises(NoVoice):
        voices().choose("Maya", "cy")
    with pytest.raises(NoVoice):
        voices().choose(None, "cy")
    with pytest.raises(BadMessage, match="language 'klingon' is not a supported language code"):
        voices().choose("Maya", "klingon")


async def test_another_voice_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        one = voices()
        for number in range(3):
            one.choose(f"Maya {number}", "en")
    assert [record.getMessage() for record in caplog.records] == [
        "a voice that is not here was asked for: 'ann0000000000000' speaks en instead"
    ]


def test_names_are_written_small() -> None:
    assert all(name == name.lower() for name in GENDERS)
