"""Argos packages: small real ones through CTranslate2 and SentencePiece."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.models.base import LanguagePair
from dragoman.models.engines.argos.model import MAX_TOKENS, ArgosModel, pieces
from dragoman.models.engines.argos.translator import ArgosTranslator
from dragoman.models.errors import EngineFailed
from dragoman.models.registry import Engines
from dragoman.models.remedies import for_translation
from dragoman.models.voices import VoiceCatalogue
from tests.fakes.argos import PREFIX, argos_settings, package_files, unpacked
from tests.fakes.engines import FakeDetector

EN_DE = LanguagePair("en", "de")
DE_FR = LanguagePair("de", "fr")
TEXTS = ["Ever tried.", "", "The house of my friend is big", "  ", "Ever failed. No matter.", "ünknown Ω 漢字"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("argos")
    unpacked(place / "translate-en_de")
    unpacked(place / "de_fr", package_files("de", "fr", seed=1, target_prefix=PREFIX))
    return place


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[ArgosTranslator]:
    translator = ArgosTranslator(folder)
    yield translator
    translator.close()


def test_pairs_come_from_the_metadata(engine: ArgosTranslator) -> None:
    assert engine.pairs == {EN_DE, DE_FR}
    assert engine.broken == ()


def test_a_batch_says_what_its_texts_say_one_by_one(engine: ArgosTranslator) -> None:
    together = engine.translate(EN_DE, TEXTS)
    assert together == [engine.translate(EN_DE, [text])[0] for text in TEXTS]
    assert [bool(text) for text in together] == [bool(text.strip()) for text in TEXTS]
    assert together == [text.strip() for text in together]
    assert engine.translate(EN_DE, []) == []


def test_the_same_text_gives_the_same_words_after_a_new_start(engine: ArgosTranslator, folder: Path) -> None:
    again = ArgosTranslator(folder)
    assert again.translate(EN_DE, TEXTS) == engine.translate(EN_DE, TEXTS)
    again.close()


def test_blanks_and_newlines_inside_do_not_matter(engine: ArgosTranslator) -> None:
    assert engine.translate(EN_DE, [" ever \n tried\t"]) == engine.translate(EN_DE, ["ever tried"])


def test_the_target_prefix_leads_and_does_not_show(engine: ArgosTranslator, tmp_path: Path) -> None:
    unpacked(tmp_path / "de_fr", package_files("de", "fr", seed=1))
    without = ArgosTranslator(tmp_path)
    texts = [text for text in TEXTS if text.strip()]
    led = engine.translate(DE_FR, texts)
    assert all(text and PREFIX not in text for text in led)
    assert led != without.translate(DE_FR, texts)
    without.close()


def test_every_sentence_of_a_text_is_translated(engine: ArgosTranslator) -> None:
    sentences = ["Ever tried.", "No matter.", "Dr. Who said: try again."]
    (together,) = engine.translate(EN_DE, [" ".join(sentences)])
    apart = engine.translate(EN_DE, sentences)
    assert together.replace(" ", "") == "".join(apart).replace(" ", "")
    (led,) = engine.translate(DE_FR, [" ".join(sentences)])
    assert PREFIX not in led


def test_a_long_text_is_translated_to_its_end(engine: ArgosTranslator) -> None:
    sentence = "it was the best of times, it was the worst of times, "
    short, long, longer = engine.translate(EN_DE, [sentence, sentence * 40, "a" * 5000])
    assert len(long) > 4 * len(short)
    assert longer


@given(st.text(st.sampled_from("ab ,.。é") | st.characters(), max_size=900))
@settings(max_examples=40, deadline=None)
def test_pieces_lose_nothing(text: str) -> None:
    class Letters:
        def encode(self, text: str) -> list[str]:
            return list(text)

        def decode(self, tokens: list[str]) -> str:
            return "".join(tokens)

    cut = pieces(Letters(), text)
    assert all(0 < len(piece) <= MAX_TOKENS for piece in cut)
    assert [letter for piece in cut for letter in piece if not letter.isspace()] == list("".join(text.split()))


def test_long_texts_are_cut_behind_punctuation_or_between_words() -> None:
    class Words:
        def encode(self, text: str) -> list[str]:
            return text.split()

        def decode(self, tokens: list[str]) -> str:
            return " ".join(tokens)

    text = "one two three, " * 60
    assert [piece[-1] for piece in pieces(Words(), text.strip())] == ["three,", "three,"]


@given(st.text(max_size=40))
@settings(max_examples=60, deadline=None)
def test_no_text_breaks_the_engine(engine: ArgosTranslator, text: str) -> None:
    assert len(engine.translate(EN_DE, [text, "\ud800"])) == 2


def test_a_pair_that_is_not_installed(engine: ArgosTranslator) -> None:
    with pytest.raises(EngineFailed, match="en→es is not installed"):
        engine.translate(LanguagePair("en", "es"), ["a"])


def test_a_closed_engine(folder: Path) -> None:
    translator = ArgosTranslator(folder)
    translator.warm([EN_DE])
    translator.close()
    translator.close()
    with pytest.raises(EngineFailed, match="closed"):
        translator.translate(EN_DE, ["a"])


def test_the_newest_package_of_a_pair_is_used_and_the_plain_language_before_a_variant(tmp_path: Path) -> None:
    for number, (target, version) in enumerate([("pt", "1.9"), ("pt", "1.10"), ("pt", "1.2"), ("pb", "2.0")]):
        unpacked(tmp_path / f"{number}", package_files("en", target, seed=number, package_version=version))
    for name in (".installing-x", ".hidden"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").touch()
    translator = ArgosTranslator(tmp_path)
    assert translator.pairs == {LanguagePair("en", "pt")}
    assert translator.broken == ()
    assert translator._places[LanguagePair("en", "pt")].package.folder.name == "1"
    translator.close()


def behind_a_registry(engine: ArgosTranslator) -> Engines:
    return Engines(
        name="fake",
        detector=FakeDetector(),
        recognizers=[],
        translators=[engine],
        synthesizers=[],
        catalogue=VoiceCatalogue([]),
    )


def test_pivots_are_the_registrys_business(engine: ArgosTranslator) -> None:
    engines = behind_a_registry(engine)
    said = asyncio.run(engines.translate("en", "fr", "ever tried", "session"))
    (german,) = engine.translate(EN_DE, ["ever tried"])
    assert [said] == engine.translate(DE_FR, [german])
    close_owners(engines)


def close_owners(engines: Engines) -> None:
    for owner in engines._turn.values():
        owner.close()


def test_texts_of_many_sessions_are_one_call(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    translator = ArgosTranslator(folder, argos_settings(batch=6, batch_wait_ms=2000))
    calls = []

    def counted(self: ArgosModel, texts: list[str]) -> list[str]:
        calls.append(list(texts))
        return translate(self, texts)

    translate = ArgosModel.translate
    monkeypatch.setattr(ArgosModel, "translate", counted)
    engines = behind_a_registry(translator)

    async def talk() -> list[str]:
        asked = [("en", "de", text) for text in ("one", "two", "three", "four")] + [("de", "fr", "fünf")] * 2
        return await asyncio.gather(
            *(engines.translate(*pair, text, f"session {index}") for index, (*pair, text) in enumerate(asked))
        )

    said = asyncio.run(talk())
    assert [sorted(call) for call in calls] == [["four", "one", "three", "two"], ["fünf", "fünf"]]
    monkeypatch.undo()
    assert said[:4] == translator.translate(EN_DE, ["one", "two", "three", "four"])
    assert said[4:] == translator.translate(DE_FR, ["fünf", "fünf"])
    engines.close()


def test_importing_is_cheap() -> None:
    code = (
        "import sys, dragoman.models.engines.argos.translator; "
        "sys.exit('ctranslate2' in sys.modules or 'sentencepiece' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_remedy_names_the_packages() -> None:
    assert "the Argos package translate-en_tlh, which the catalogue lacks" in for_translation(LanguagePair("en", "tlh"))
    assert "translate-tlh_en and translate-en_it," in for_translation(LanguagePair("tlh", "it"))
