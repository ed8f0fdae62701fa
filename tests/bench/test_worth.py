"""Measuring ways of translating."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from dragoman.bench import worth
from dragoman.bench.worth import Measure, read_sentences
from dragoman.models.base import LanguagePair
from dragoman.models.worth import read_table
from tests.fakes.engines import FakeTranslator


class FakeDictionary(FakeTranslator):
    """Knows one sentence in each language, and counts what it is asked."""

    name = "dictionary"

    def __init__(self, *languages: str) -> None:
        super().__init__(*languages)
        self.asked: list[tuple[LanguagePair, list[str]]] = []

    def translate(self, pair: LanguagePair, texts: Sequence[str]) -> list[str]:
        self.asked.append((pair, list(texts)))
        return [{"es": "Hola, mundo.", "pt": "Olá, mundo."}.get(pair.target, "?") for _ in texts]


class FakeEcho(FakeTranslator):
    name = "echo"

    def translate(self, pair: LanguagePair, texts: Sequence[str]) -> list[str]:
        return list(texts)


SENTENCES = [{"en": "Hello, world.", "es": "Hola, mundo.", "pt": "Olá, mundo."}]


def test_sentences_in_both_forms() -> None:
    plain = read_sentences(json.dumps(SENTENCES))
    assert plain == read_sentences(json.dumps([{"audio": "a.ogg", "references": SENTENCES[0]}]))
    assert plain == {"en": ["Hello, world."], "es": ["Hola, mundo."], "pt": ["Olá, mundo."]}


@pytest.mark.parametrize("text", ["{}", "[]", "[1]", '[{"en": 1}]', '[{"en": "a"}, {"es": "b"}]', "nonsense"])
def test_other_files_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_sentences(text)


def test_every_way_is_measured_and_each_beginning_translated_once() -> None:
    dictionary = FakeDictionary("en", "es", "pt")
    ways = dict(Measure([dictionary, FakeEcho("en", "es")], read_sentences(json.dumps(SENTENCES))).ways())
    assert ways["en dictionary es"] == pytest.approx(100)
    assert ways["en dictionary es dictionary pt"] == pytest.approx(100)
    assert ways["en echo es"] < 50
    assert set(ways) == {
        "en dictionary es", "en echo es", "es dictionary pt",
        "en dictionary es dictionary pt", "en echo es dictionary pt",
    }  # fmt: skip
    assert len(dictionary.asked) == 4  # en→es, and es→pt of two translations and of the source


def test_what_it_prints_is_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sentences.json"
    file.write_text(json.dumps(SENTENCES))
    monkeypatch.setattr(worth, "load_translators", lambda settings, missing: [FakeDictionary("en", "es")])
    monkeypatch.setattr("sys.argv", ["worth", str(file)])
    assert worth.main() == 0
    head = "[estimate]\nkept = 0.9\nother = 1\nown_english_margin = 1\n[estimate.engines]\n[routes]\n"
    assert read_table(head + capsys.readouterr().out).routes == {"en dictionary es": pytest.approx(100)}
    file.write_text("no")
    assert worth.main() == 1
