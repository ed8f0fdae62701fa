"""Finding and loading model files."""

import importlib.util
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from dragoman.models.embedded import onnx_session, package_file
from dragoman.models.errors import EngineUnavailable


def test_a_file_is_found_in_its_package() -> None:
    assert package_file("any", "pytest", "py.typed", "").is_file()


@pytest.mark.parametrize(
    ("package", "name", "reason"),
    [("no_such_package", "x", "no_such_package is not installed"), ("pytest", "no.onnx", "pytest has no no.onnx")],
)
def test_what_is_missing_is_said_with_the_remedy(package: str, name: str, reason: str) -> None:
    with pytest.raises(EngineUnavailable, match=f"any is not available: .*{reason}. Do this"):
        package_file("any", package, name, "Do this")


def test_a_module_that_is_no_package_has_no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: ModuleSpec(name, None))
    with pytest.raises(EngineUnavailable, match="not installed"):
        package_file("any", "single", "x", "")


def test_a_damaged_model_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(EngineUnavailable, match=r"broken\.onnx cannot be loaded .*Do this"):
        onnx_session("any", path, threads=1, remedy="Do this")
