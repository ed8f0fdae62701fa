"""The folder of models: what is in it, whether it is whole, and how models get in and out."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from dragoman.models.files.catalogue import Catalogue
from dragoman.models.files.errors import UnknownModel
from dragoman.models.files.manifest import MANIFEST, Manifest, records_of
from dragoman.models.files.store import Installed, Store, form_fault
from tests.fakes.argos import package_files, unpacked
from tests.fakes.model_files import voice_files, whisper_files
from tests.waiting import PATIENCE_S

VOICE = "es_ES-davefx-medium"
CATALOGUE = Catalogue.load()


def put(store: Store, kind: str, name: str, *, manifest: bool = True) -> Path:
    """A small model in the store."""
    files = {"whisper": whisper_files, "argos": package_files, "piper": lambda: voice_files(name)}[kind]()
    folder = unpacked(store.folder(kind, name), files)
    if manifest:
        checked = tuple(records_of(folder))
        Manifest(name, kind, "https://hub/us/x", "main", "MIT", checked).write(folder)
    return folder


def look(store: Store, kind: str, name: str) -> Installed:
    found = store.find(kind, name)
    assert found is not None
    return found


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "models")
    for kind, name in (("whisper", "small"), ("argos", "translate-en_de"), ("piper", VOICE)):
        put(store, kind, name)
    return store


def test_nothing_is_installed_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    store = Store(tmp_path / "none")
    assert (store.installed(), store.partials(), store.find("whisper", "small")) == ([], [], None)
    assert not store.root.exists()


def test_what_is_installed(store: Store) -> None:
    (store.folder("whisper", "x").parent / ".small.partial").mkdir()
    (store.folder("whisper", "x").parent / "stray.txt").touch()
    found = store.installed()
    assert [(model.kind, model.name, model.fault) for model in found] == [
        ("whisper", "small", ""),
        ("argos", "translate-en_de", ""),
        ("piper", VOICE, ""),
    ]
    assert all(model.manifest is not None and model.size == model.manifest.size for model in found)
    assert [store.verify(model) for model in found] == [[], [], []]


def test_models_are_found_by_their_names_and_aliases(store: Store) -> None:
    store.folder("whisper", "small").rename(store.folder("whisper", "turbo"))
    assert store.get("large-v3-turbo", CATALOGUE).name == "turbo"
    with pytest.raises(UnknownModel, match=r"no 'turbos' in the models installed in .*did you mean 'turbo'"):
        store.get("turbos", CATALOGUE)


@pytest.mark.parametrize(
    ("file", "fault"),
    [
        ("model.bin", "its model.bin is missing"),
        ("tokenizer.json", "its tokenizer.json is missing"),
        (MANIFEST, ""),
    ],
)
def test_what_is_missing_is_seen_at_a_look(store: Store, file: str, fault: str) -> None:
    (store.folder("whisper", "small") / file).unlink()
    model = look(store, "whisper", "small")
    assert model.fault == fault
    assert store.verify(model) == ([fault] if fault else [])


def test_a_cut_off_file_is_seen_at_a_look(store: Store) -> None:
    path = store.folder("piper", VOICE) / f"{VOICE}.onnx"
    os.truncate(path, 10)
    assert look(store, "piper", VOICE).fault == f"its {VOICE}.onnx has 10 bytes instead of 60,000"


@pytest.mark.parametrize(
    ("kind", "file", "data", "fault"),
    [
        ("whisper", "model.bin", None, "it has no model.bin"),
        ("whisper", "config.json", None, "it has no config.json"),
        ("whisper", "tokenizer.json", None, "it has no tokenizer.json"),
        ("whisper", "vocabulary.txt", None, "it has no vocabulary.json or vocabulary.txt"),
        ("whisper", "model.bin", b"PK\3\4 a zip", "its model.bin is not a CTranslate2 model"),
        (
            "whisper",
            "model.bin",
            b"\7\0\0\0",
            "its model.bin is of binary version 7, and this CTranslate2 reads up to 6",
        ),
        ("whisper", "model.bin", whisper_files()["model.bin"][:5000], "its model.bin is cut off"),
        ("argos", "metadata.json", None, "it has no metadata.json"),
        ("argos", "model/model.bin", b"\7\0\0\0", "its model is of binary version 7"),
        ("piper", f"{VOICE}.onnx", None, f"it has no {VOICE}.onnx"),
        ("piper", f"{VOICE}.onnx", b"", f"it has no {VOICE}.onnx"),
        ("piper", f"{VOICE}.onnx.json", None, f"it has no {VOICE}.onnx.json, without which a voice cannot be used"),
        ("piper", f"{VOICE}.onnx.json", b"<html>", f"its {VOICE}.onnx.json does not describe a Piper voice"),
        ("piper", f"{VOICE}.onnx.json", b"{}", f"its {VOICE}.onnx.json does not describe a Piper voice"),
    ],
)
def test_what_is_no_model_by_its_form(tmp_path: Path, kind: str, file: str, data: bytes | None, fault: str) -> None:
    name = {"whisper": "ours", "argos": "translate-en_de", "piper": VOICE}[kind]
    folder = put(Store(tmp_path), kind, name, manifest=False)
    assert form_fault(kind, folder) == ""
    if data is None:
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(data)
    assert form_fault(kind, folder).startswith(fault)
    model = look(Store(tmp_path), kind, name)
    assert model.fault.startswith(fault)
    assert "\n" not in model.fault


def test_foreign_folders(tmp_path: Path) -> None:
    (tmp_path / "piper" / "holiday pictures").mkdir(parents=True)
    (tmp_path / "whisper" / "small").mkdir(parents=True)
    (tmp_path / "whisper" / "small" / MANIFEST).write_text("{}")
    found = {model.name: model.fault for model in Store(tmp_path).installed()}
    assert found["holiday pictures"] == "a folder of this name is no piper model"
    assert found["small"].startswith("its manifest .dragoman.json cannot be read")


def test_a_flipped_byte_is_found_by_reading(store: Store) -> None:
    path = store.folder("whisper", "small") / "model.bin"
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(data)
    model = look(store, "whisper", "small")
    assert model.fault == ""
    moved: list[int] = []
    assert store.verify(model, progress=moved.append) == ["the content of model.bin has changed (sha256 differs)"]
    assert sum(moved) == model.size


def test_what_was_put_there_by_hand_is_compared_with_the_catalogue(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put(store, "piper", VOICE, manifest=False)
    model = look(store, "piper", VOICE)
    assert (model.manifest, model.fault) == (None, "")
    assert store.verify(model) == []
    assert store.verify(model, CATALOGUE.get(VOICE)) == [
        f"{VOICE}.onnx has 60,000 bytes instead of 63,201,294",
        f"{VOICE}.onnx.json has 52 bytes instead of 4,817",
    ]


def test_removing_takes_what_was_begun_too(store: Store) -> None:
    partial = store.partial("whisper", "small")
    partial.mkdir()
    (partial / "model.bin.part").write_bytes(bytes(500))
    assert [(part.name, part.size) for part in store.partials()] == [("small", 500)]
    size = look(store, "whisper", "small").size
    assert store.remove("whisper", "small") == size + 500
    assert (store.find("whisper", "small"), store.partials()) == (None, [])
    assert store.remove("whisper", "small") == 0


def test_a_model_takes_the_place_of_an_older_one(store: Store, tmp_path: Path) -> None:
    new = shutil.copytree(store.folder("whisper", "small"), tmp_path / "new")
    (new / "config.json").write_text("{}")
    store.settle(new, "whisper", "small")
    assert (store.folder("whisper", "small") / "config.json").read_text() == "{}"
    assert [path.name for path in store.folder("whisper", "x").parent.iterdir()] == ["small"]


def test_the_older_one_comes_back_if_the_new_one_cannot_be_put_there(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def broken(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError(5, "Input/output error")
        return rename(self, target)

    (tmp_path / "new").mkdir()
    monkeypatch.setattr(Path, "rename", broken)
    with pytest.raises(OSError, match="Input/output"):
        store.settle(tmp_path / "new", "whisper", "small")
    assert look(store, "whisper", "small").fault == ""


def test_one_at_a_time(store: Store) -> None:
    waiting, held = Event(), []

    def second() -> None:
        with store.lock("whisper", "small", waiting.set):
            held.append("second")

    with ThreadPoolExecutor() as pool:
        with store.lock("whisper", "small"):
            done = pool.submit(second)
            assert waiting.wait(PATIENCE_S)
            held.append("first")
            with store.lock("whisper", "base"):  # another model is not held
                pass
        done.result(PATIENCE_S)
    assert held == ["first", "second"]
