"""The manifest in a model's folder, and checksums."""

import json
from pathlib import Path
from typing import Any

import pytest

from dragoman.models.files.errors import BrokenModel
from dragoman.models.files.manifest import (
    MANIFEST,
    FileRecord,
    Manifest,
    digests,
    is_plain_path,
    read_manifest,
    records_of,
)

SUM = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
GOOD = Manifest("small", "whisper", "https://hub/us/small", "main", "MIT", (FileRecord("model.bin", 3, SUM, "sha256"),))


def table(**changes: object) -> dict[str, Any]:
    return GOOD.as_table() | changes


def test_it_comes_back_as_it_was_written(tmp_path: Path) -> None:
    GOOD.write(tmp_path)
    assert read_manifest(tmp_path) == GOOD
    assert set(json.loads((tmp_path / MANIFEST).read_text())) >= {"name", "kind", "source", "revision", "licence"}
    assert GOOD.size == 3
    assert GOOD.unchecked == []


def test_a_folder_without_one(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, '{"name": "small"}'])
def test_a_damaged_one_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(BrokenModel, match=r"manifest .* cannot be read"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        table(name="../small"),
        table(name=1),
        table(kind="vosk"),
        table(kind="argos"),
        table(licence=None),
        table(files=[]),
        table(files=None),
        table(files=["model.bin"]),
        table(files=[{"path": "a", "size": 1, "sha256": SUM}] * 2),
        table(files=[{"path": "a", "size": 1, "sha256": SUM}, {"path": "A", "size": 1, "sha256": SUM}]),
        table(files=[{"path": "../a", "size": 1, "sha256": SUM}]),
        table(files=[{"path": "/a", "size": 1, "sha256": SUM}]),
        table(files=[{"path": ".dragoman.json", "size": 1, "sha256": SUM}]),
        table(files=[{"path": "a", "size": -1, "sha256": SUM}]),
        table(files=[{"path": "a", "size": True, "sha256": SUM}]),
        table(files=[{"path": "a", "size": 1, "sha256": SUM.upper()}]),
        table(files=[{"path": "a", "size": 1}]),
        table(files=[{"path": f"a{number}", "size": 1, "sha256": SUM} for number in range(1001)]),
    ],
)
def test_what_is_no_plain_manifest_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Manifest.from_table(wrong)


def test_what_it_says_of_checking_is_not_believed_blindly() -> None:
    read = Manifest.from_table(table(files=[{"path": "a", "size": 1, "sha256": SUM, "checked": "by an oracle"}]))
    assert read.unchecked == ["a"]


def test_checksums_are_those_that_others_compute(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    moved: list[int] = []
    assert digests(path, ["sha256", "md5", "git"], moved.append) == {
        "sha256": SUM,
        "md5": "900150983cd24fb0d6963f7d28e17f72",
        "git": "f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f",  # git hash-object
    }
    assert moved == [3]


def test_records_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.bin").write_bytes(b"abc")
    (tmp_path / MANIFEST).write_text("{}")
    assert records_of(tmp_path) == (FileRecord("model/model.bin", 3, SUM),)
    (tmp_path / "a:b").touch()
    with pytest.raises(BrokenModel, match="not a plain one"):
        records_of(tmp_path)


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("model/model.bin", True),
        ("pt_PT-tugão-medium.onnx.json", True),
        ("vocab.zh+en.txt", True),
        ("", False),
        ("a//b", False),
        ("a/", False),
        ("a/../b", False),
        ("..", False),
        (".hidden", False),
        ("a\\b", False),
        ("c:b", False),
        ("a\0b", False),
        ("-o", False),
        ("a/" * 300 + "b", False),
    ],
)
def test_plain_paths(path: str, plain: bool) -> None:
    assert is_plain_path(path) is plain
