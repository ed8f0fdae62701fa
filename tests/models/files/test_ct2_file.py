"""Looking at CTranslate2 model files without loading them."""

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.models.files.ct2_file import NewerModel, check_model_file
from tests.fakes.argos import model_files

WHOLE = model_files()["model.bin"]


def string(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


def older(version: int) -> bytes:
    """A file of an older form: the bytes of an item and the number of items in place of type and bytes."""
    named = string("TransformerSpec") + struct.pack("<I", 3) if version >= 2 else b""
    variable = string("encoder/weight") + struct.pack("<BIIBI", 2, 3, 5, 4, 15) + bytes(60)
    aliases = struct.pack("<I", 1) + string("a") + string("encoder/weight") if version >= 3 else b""
    return struct.pack("<I", version) + named + struct.pack("<I", 1) + variable + aliases


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("model") / "model.bin"


def test_a_whole_model(path: Path) -> None:
    path.write_bytes(WHOLE)
    check_model_file(path)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_older_forms(path: Path, version: int) -> None:
    path.write_bytes(older(version))
    check_model_file(path)
    path.write_bytes(older(version)[:-1])
    with pytest.raises(ValueError, match="is cut off"):
        check_model_file(path)


@given(st.integers(4, len(WHOLE) - 1))
@settings(max_examples=60, deadline=None)
def test_any_beginning_of_a_model_is_cut_off(path: Path, length: int) -> None:
    path.write_bytes(WHOLE[:length])
    with pytest.raises(ValueError, match=f"is cut off: it ends at {length:,} bytes"):
        check_model_file(path)


@given(st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_nothing_else_is_a_model(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(ValueError, match="is "):
        check_model_file(path)


def test_a_later_form_is_told_apart(path: Path) -> None:
    path.write_bytes(struct.pack("<I", 7) + WHOLE[4:])
    with pytest.raises(NewerModel, match="is of binary version 7, and this CTranslate2 reads up to 6"):
        check_model_file(path)


def test_no_file(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        check_model_file(path.with_name("none"))
