"""Which folders are models, and what is said of those that are not."""

from pathlib import Path

import pytest

from dragoman.models.base import LanguagePair
from dragoman.models.engines.firefox.files import packaged_models, pulled_folders, read_model
from dragoman.models.errors import EngineUnavailable


def make(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_bytes(b"x")
    return folder


def test_a_model_with_one_vocabulary(tmp_path: Path) -> None:
    names = ("model.enes.intgemm.alphas.bin", "lex.50.50.enes.s2t.bin", "vocab.enes.spm")
    model = read_model(make(tmp_path / "firefox-en_es", *names))
    assert model.pair == LanguagePair("en", "es")
    assert [Path(path).name for path in model.paths] == [names[0], names[2], names[2], names[1]]


def test_a_model_with_two_vocabularies_and_no_shortlist(tmp_path: Path) -> None:
    folder = make(tmp_path / "firefox-en_ja", "model.enja.intgemm.alphas.bin", "srcvocab.enja.spm", "trgvocab.enja.spm")
    paths = read_model(folder).paths
    assert [Path(path).name for path in paths[:3]] == [
        "model.enja.intgemm.alphas.bin",
        "srcvocab.enja.spm",
        "trgvocab.enja.spm",
    ]
    assert paths[3] == ""


@pytest.mark.parametrize(
    ("name", "files", "reason"),
    [
        ("en-es", ["model.x.bin", "vocab.x.spm"], "its name is not of the form"),
        ("firefox-en_es", ["vocab.x.spm"], r"it has no model\.….bin"),
        ("firefox-en_es", ["model.x.bin", "srcvocab.x.spm"], "it has no vocabularies"),
    ],
)
def test_what_is_wrong_is_told_with_a_remedy(tmp_path: Path, name: str, files: list[str], reason: str) -> None:
    with pytest.raises(EngineUnavailable, match=reason) as told:
        read_model(make(tmp_path / name, *files))
    assert "pull it again" in told.value.remedy or name == "en-es"


def test_an_empty_file_is_no_model(tmp_path: Path) -> None:
    folder = make(tmp_path / "firefox-en_es", "model.x.bin", "vocab.x.spm")
    (folder / "model.x.bin").write_bytes(b"")
    with pytest.raises(EngineUnavailable, match=r"model\.x\.bin is empty"):
        read_model(folder)


def test_what_is_being_pulled_is_not_looked_at(tmp_path: Path) -> None:
    make(tmp_path / ".firefox-en_es.partial")
    make(tmp_path / "firefox-en_fr")
    assert [path.name for path in pulled_folders(tmp_path)] == ["firefox-en_fr"]
    assert pulled_folders(tmp_path / "none") == []


def test_a_package_that_is_not_there_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert packaged_models() == ([], [])


def test_packaged_files_that_are_not_the_ones_we_know_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Spec:
        submodule_search_locations = (str(tmp_path),)

    monkeypatch.setattr("importlib.util.find_spec", lambda name: Spec())
    found, faults = packaged_models()
    assert found == []
    assert "cannot be read" in str(faults[0])
    make(tmp_path / "resources/models/enpt-1693087644", "model.enpt.intgemm.alphas.bin")
    assert "is not the file that Dragoman knows" in str(packaged_models()[1][0])
