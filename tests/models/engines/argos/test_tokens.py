"""Byte pair encoding as subword-nmt does it, and packages that use it."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from dragoman.models.base import LanguagePair
from dragoman.models.engines.argos.tokens import Merges
from dragoman.models.engines.argos.translator import ArgosTranslator
from tests.fakes.argos import package_files, unpacked

EN_DE = LanguagePair("en", "de")
CODES = "l o\nlo w</w>\ne r</w>\nn e\n"


@pytest.mark.parametrize(
    ("word", "tokens"),
    [
        ("low", ["low"]),
        ("lower", ["lo@@", "w@@", "er"]),
        ("newer", ["ne@@", "w@@", "er"]),
        ("a", ["a"]),
        ("xyz", ["x@@", "y@@", "z"]),
        ("lolo", ["lo@@", "l@@", "o"]),
        ("lolow", ["lo@@", "low"]),
    ],
)
def test_merges(word: str, tokens: list[str]) -> None:
    assert list(Merges("#version: 0.2\n" + CODES).tokens(word)) == tokens


def test_merges_of_the_first_version_have_the_end_as_a_symbol() -> None:
    merges = Merges("l o\nlo w\nlow </w>\ne r\n")
    assert [list(merges.tokens(word)) for word in ("low", "lower", "lo")] == [["low"], ["low@@", "er"], ["lo"]]


@pytest.mark.parametrize("text", ["", "#version: 0.2\n", "a b c\n", "a\n", "a b\n\nc d"])
def test_what_is_no_list_of_merges(text: str) -> None:
    with pytest.raises(ValueError, match="not a list of merges"):
        Merges(text)


class FakeMoses:
    """Splits at blanks, joins with blanks; remembers the languages it was made for."""

    languages: list[str] = []  # noqa: RUF012  (shared on purpose)

    def __init__(self, language: str) -> None:
        self.languages.append(language)

    def normalize(self, text: str) -> str:
        return text.replace("“", '"')

    def tokenize(self, text: str) -> list[str]:
        return text.split()

    def detokenize(self, tokens: list[str]) -> str:
        return " ".join(tokens)


def bpe_package(tmp_path: Path) -> Path:
    files = {**package_files(), "bpe.model": b"#version: 0.2\nb e\nbe s\nbes t</w>\n"}
    del files["sentencepiece.model"]
    unpacked(tmp_path / "en_de", files)
    return tmp_path


def test_a_package_with_a_bpe_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moses = ModuleType("sacremoses")
    for name in ("MosesPunctNormalizer", "MosesTokenizer", "MosesDetokenizer"):
        setattr(moses, name, FakeMoses)
    monkeypatch.setitem(sys.modules, "sacremoses", moses)
    translator = ArgosTranslator(bpe_package(tmp_path))
    (text,) = translator.translate(EN_DE, ["the best “times”"])
    assert text
    assert "@@ " not in text
    assert FakeMoses.languages == ["en", "en", "de"]
    translator.close()


def test_a_bpe_model_without_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sacremoses", None)
    translator = ArgosTranslator(bpe_package(tmp_path))
    translator.warm([EN_DE])
    assert translator.pairs == frozenset()
    (error,) = translator.broken
    assert str(error).endswith("its bpe.model needs the Python package sacremoses: pip install sacremoses")
    translator.close()
