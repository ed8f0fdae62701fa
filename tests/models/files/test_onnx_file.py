"""Telling a whole ONNX model from other files without loading it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models.files.onnx_file import check_onnx_file
from tests.fakes.piper_voice import network


def fault(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    try:
        check_onnx_file(path)
    except ValueError as error:
        return str(error)
    return ""


def test_a_whole_model_passes(tmp_path: Path) -> None:
    assert fault(tmp_path / "a.onnx", network()) == ""


@pytest.mark.parametrize("kept", [0.02, 0.3, 0.9, 0.99])
def test_half_a_model_does_not(tmp_path: Path, kept: float) -> None:
    told = fault(tmp_path / "a.onnx", network()[: int(len(network()) * kept)])
    assert told in {"its a.onnx is not whole", "its a.onnx is not an ONNX model"}
    assert kept < 0.1 or told == "its a.onnx is not whole"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 64,
        b"PK\x03\x04" * 30,
        b"<!DOCTYPE html><html>",
        b'{"a": 1}',
        b"\xff" * 40,
        b"\x08\x07",
        b"\x3a\x00x",
    ],
)
def test_other_files_do_not(tmp_path: Path, data: bytes) -> None:
    assert fault(tmp_path / "a.onnx", data).startswith("its a.onnx is not ")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"it has no a\.onnx"):
        check_onnx_file(tmp_path / "a.onnx")
    with pytest.raises(ValueError, match="cannot be read"):
        check_onnx_file(tmp_path)


@given(st.binary(max_size=60))
def test_any_bytes_are_judged(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    fault(tmp_path_factory.getbasetemp() / "any.onnx", data)
