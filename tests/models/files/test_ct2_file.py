"""Reading which network a CTranslate2 file holds, and whether it is whole, without loading it."""

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.models.files.ct2_file import NewerModel, read_model_bin
from tests.fakes.argos import model_files
from tests.models.engines.whisper.whispers import model

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
    table = read_model_bin(path)
    assert (table.architecture, table.layers("encoder"), table.layers("nothing")) == ("TransformerSpec", 1, 0)


def test_a_whisper() -> None:
    table = read_model_bin(model("turbo") / "model.bin")
    assert (table.architecture, table.revision) == ("WhisperSpec", 3)
    assert (table.layers("encoder"), table.layers("decoder")) == (8, 4)
    assert table.shapes["encoder/conv1/weight"] == (32, 80, 3)
    assert table.shapes["decoder/embeddings/weight"] == (51_866, 32)
    words = 2 * 51_866 * 32
    assert words < table.parameters < 1.1 * words


@pytest.mark.parametrize("version", [1, 2, 3])
def test_older_forms(path: Path, version: int) -> None:
    path.write_bytes(older(version))
    assert read_model_bin(path).shapes == {"encoder/weight": (3, 5)}
    path.write_bytes(older(version)[:-1])
    with pytest.raises(ValueError, match="is cut off"):
        read_model_bin(path)


@given(st.integers(4, len(WHOLE) - 1))
@settings(max_examples=60, deadline=None)
def test_any_beginning_of_a_model_is_cut_off(path: Path, length: int) -> None:
    path.write_bytes(WHOLE[:length])
    with pytest.raises(ValueError, match=f"is cut off: it ends at {length:,} bytes"):
        read_model_bin(path)


@given(st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_nothing_else_is_a_model(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(ValueError, match="is "):
        read_model_bin(path)


def test_a_later_form_is_told_apart(path: Path) -> None:
    path.write_bytes(struct.pack("<I", 7) + WHOLE[4:])
    with pytest.raises(NewerModel, match="is of binary version 7, and this CTranslate2 reads up to 6"):
        read_model_bin(path)


def test_no_file(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_model_bin(path.with_name("none"))
