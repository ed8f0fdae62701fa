"""Finds cuBLAS, the one library of CUDA that CTranslate2 does not bring along and takes from the machine.

CTranslate2 asks the system's loader for `libcublas.so.12` when it first multiplies matrices on a GPU, and the loader
does not look into Python packages. A library that is loaded already is found by its name, so that loading it from the
package nvidia-cublas-cu12 (the extra `gpu`) is enough, without LD_LIBRARY_PATH. Before version 4.7 CTranslate2 needed
cuDNN too (https://github.com/OpenNMT/CTranslate2/pull/1949).
"""

import ctypes
import importlib.util
import logging
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

CUBLAS = "libcublas.so.12"

REMEDY = "Install it: pip install 'dragoman[gpu]'"

_NVRTC = "libnvrtc.so.12"
"""The compiler that cuBLAS uses for a few kernels, where it finds it."""

_log = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def load_cublas() -> bool:
    """Load cuBLAS from the system, or else from its Python package, and keep it; False where neither has it."""
    for path in _files("nvidia.cuda_nvrtc", _NVRTC):
        _load(str(path))
    return any(_load(str(path)) for path in (CUBLAS, *_files("nvidia.cublas", CUBLAS)))


def _load(path: str) -> bool:
    try:
        ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        _log.debug("%s cannot be loaded: %s", path, error)
        return False
    return True


def _files(package: str, name: str) -> Iterator[Path]:
    """The library in the package's folder `lib`."""
    try:
        found = importlib.util.find_spec(package)
    except ModuleNotFoundError:
        return
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder) / "lib" / name
        if path.is_file():
            yield path
