"""What the child does with its models; fxtranslate is faked."""

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from dragoman.models.engines.firefox.child import Models


class FakeTranslator:
    """Says which model it is. Counts how often one was loaded."""

    loaded: list[bytes]

    def __init__(self, weights: bytes, source: bytes, target: bytes, shortlist: bytes | None) -> None:
        self.loaded.append(weights)
        self._says = b" ".join([weights, source, target, shortlist or b"-"]).decode()

    def translate(self, text: str) -> str:
        return f"{self._says}: {text}"


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    fake = ModuleType("fxtranslate")
    FakeTranslator.loaded = []
    fake.Translator = FakeTranslator  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fxtranslate", fake)
    return FakeTranslator.loaded


def paths(folder: Path, *names: str) -> list[str]:
    for name in names:
        (folder / name).write_text(name)
    return [str(folder / name) if name else "" for name in names]


def test_answers(tmp_path: Path, loaded: list[bytes]) -> None:
    models = Models(2)
    shared = [*paths(tmp_path, "weights", "words"), str(tmp_path / "words"), ""]
    assert json.loads(models.answer([shared, ["one", "zwölf"]])) == [
        "weights words words -: one",
        "weights words words -: zwölf",
    ]
    apart = paths(tmp_path, "w", "s", "t", "l")
    assert json.loads(models.answer([apart, ["a"]])) == ["w s t l: a"]
    assert json.loads(models.answer([apart, []])) == []


def test_the_model_that_was_not_used_for_longest_makes_room(tmp_path: Path, loaded: list[bytes]) -> None:
    models = Models(2)
    a, b, c = ([*paths(tmp_path, name, "s", "t"), ""] for name in "abc")
    for model in (a, b, a, c, a, b):
        models.answer([model, ["x"]])
    assert loaded == [b"a", b"b", b"c", b"b"]
