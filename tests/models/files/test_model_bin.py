"""Reading which network a CTranslate2 model holds."""

import struct
from pathlib import Path

import pytest

from dragoman.models.files.ct2_file import NewerModel
from dragoman.models.files.model_bin import read_model_bin
from tests.fakes.argos import model_files
from tests.models.engines.whisper.whispers import model


def test_a_whisper() -> None:
    table = read_model_bin(model("turbo") / "model.bin")
    assert (table.architecture, table.revision) == ("WhisperSpec", 3)
    assert (table.layers("encoder"), table.layers("decoder")) == (8, 4)
    assert table.shapes["encoder/conv1/weight"] == (32, 80, 3)
    assert table.shapes["decoder/embeddings/weight"] == (51_866, 32)
    words = 2 * 51_866 * 32
    assert words < table.parameters < 1.1 * words


def test_a_translator(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(model_files()["model.bin"])
    table = read_model_bin(tmp_path / "model.bin")
    assert (table.architecture, table.layers("encoder"), table.layers("nothing")) == ("TransformerSpec", 1, 0)


def test_what_is_no_whole_model(tmp_path: Path) -> None:
    whole, path = model_files()["model.bin"], tmp_path / "model.bin"
    for data in (b"", whole[:1000], whole[:-1000], b"version https://git-lfs.github.com/spec/v1\n", bytes(1000)):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"is not a CTranslate2 model|is cut off"):
            read_model_bin(path)
    path.write_bytes(struct.pack("<I", 7) + whole[4:])
    with pytest.raises(NewerModel, match="reads up to 6"):
        read_model_bin(path)
    with pytest.raises(OSError, match="nothing"):
        read_model_bin(tmp_path / "nothing")


def test_an_old_form(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    name = struct.pack("<H", 2) + b"a\0"
    path.write_bytes(struct.pack("<II", 1, 1) + name + struct.pack("<BIBI", 1, 1, 4, 1) + bytes(4))
    with pytest.raises(ValueError, match="too old"):
        read_model_bin(path)
