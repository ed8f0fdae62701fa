"""Finding cuBLAS. No GPU and no cuBLAS are needed: a copy of the C library's mathematics stands in for it."""

import ctypes
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragoman.models import cuda_libraries, devices
from dragoman.models.cuda_libraries import CUBLAS, load_cublas
from dragoman.models.devices import Device, choose_device, cuda_devices
from dragoman.models.errors import EngineUnavailable


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    load_cublas.cache_clear()
    yield
    load_cublas.cache_clear()


@pytest.fixture
def unknown_to_the_system(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The loader knows no cuBLAS; gives the paths that it was asked for."""
    asked: list[str] = []
    load = ctypes.CDLL

    def without(path: str, mode: int = 0) -> object:
        asked.append(path)
        if path == CUBLAS:
            raise OSError("no such file")
        return load(path, mode=mode)

    monkeypatch.setattr(ctypes, "CDLL", without)
    return asked


def package(folder: Path) -> Path:
    """A package nvidia-cublas-cu12, as pip leaves it."""
    mapped = re.findall(r"(/\S*/libm\.so\.6|/\S*/libm-\S+\.so)$", Path("/proc/self/maps").read_text(), re.MULTILINE)
    library = folder / "nvidia" / "cublas" / "lib" / CUBLAS
    library.parent.mkdir(parents=True)
    shutil.copy(mapped[0], library)
    return library


def test_from_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unknown_to_the_system: list[str]) -> None:
    library = package(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load_cublas()
    assert unknown_to_the_system == [CUBLAS, str(library)]
    assert str(library) in Path("/proc/self/maps").read_text()


def test_from_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(ctypes, "CDLL", lambda path, mode=0: asked.append(path))
    assert load_cublas()
    assert asked[-1] == CUBLAS


def test_a_broken_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unknown_to_the_system: list[str]) -> None:
    package(tmp_path).write_bytes(b"no library")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert not load_cublas()
    assert len(unknown_to_the_system) == 2


def test_a_device_without_cublas_is_none(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    import ctranslate2

    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 1)
    monkeypatch.setattr(devices, "load_cublas", lambda: False)
    assert cuda_devices() == 0
    assert choose_device("auto", "argos") == Device("cpu")
    assert cuda_libraries.REMEDY in caplog.text
    with pytest.raises(EngineUnavailable, match="cuBLAS"):
        choose_device("cuda", "argos")
    monkeypatch.setattr(devices, "load_cublas", lambda: True)
    assert choose_device("auto", "argos") == Device("cuda")
