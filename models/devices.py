"""Where CTranslate2 computes, and with which numbers: what the settings say, against what this machine has."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from dragoman.models.cuda_libraries import CUBLAS, REMEDY, load_cublas
from dragoman.models.errors import EngineUnavailable

PREFERRED: Mapping[str, tuple[str, ...]] = {"cpu": ("int8", "float32"), "cuda": ("float16", "float32")}
"""What the compute type "auto" takes: the first that the device computes well. On a processor int8 needs a quarter of
the memory of float32 and is faster; on CUDA float16 is, but only devices of compute capability 7 and above do it well.
"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Device:
    """A processor or one CUDA device; `index` counts the CUDA devices that CTranslate2 sees, from 0."""

    kind: Literal["cpu", "cuda"]
    index: int = 0

    def __str__(self) -> str:
        return self.kind if self.kind == "cpu" else f"{self.kind}:{self.index}"


def cuda_devices() -> int:
    """How many CUDA devices can be used; 0 also where there is no driver, or one too old for this CTranslate2, or no
    cuBLAS, without which CTranslate2 could load models there and not run them."""
    import ctranslate2  # noqa: PLC0415  (0.1 s and 16 MB that only its engines should pay)

    try:
        count = int(ctranslate2.get_cuda_device_count())
    except RuntimeError:
        return 0
    if count and not load_cublas():
        _log.warning("a CUDA device is here and cannot be used without %s. %s", CUBLAS, REMEDY)
        return 0
    return count


def choose_device(wanted: str, engine: str) -> Device:
    """The device for "auto", "cpu", "cuda" or "cuda:N", for the engine called `engine`.

    "auto" is the first CUDA device where there is one. Raises EngineUnavailable for a device that is not here.
    """
    kind, _, number = wanted.partition(":")
    if kind == "cpu":
        return Device("cpu")
    count = cuda_devices()
    if kind == "auto":
        return Device("cuda" if count else "cpu")
    index = int(number or 0)
    if index < count:
        return Device("cuda", index)
    if not count:
        reason = "no CUDA device can be used here (none present, its driver missing or too old, or no cuBLAS 12)"
    else:
        reason = f"there is no device {wanted}: CUDA devices here are numbered 0 to {count - 1}"
    raise EngineUnavailable(engine, reason, f"Set engines.{engine}.device to auto or cpu")


def choose_compute_type(
    wanted: str, device: Device, engine: str, preferred: Mapping[str, tuple[str, ...]] = PREFERRED
) -> str:
    """The compute type to load a model of `engine` with: `wanted`, or for "auto" the first of `preferred` that
    `device` supports, and CTranslate2's own "auto" where none is.

    Raises EngineUnavailable for a type that is unknown or that the device does not compute.
    """
    import ctranslate2  # noqa: PLC0415

    try:
        supported = set(ctranslate2.get_supported_compute_types(device.kind, device.index))
    except RuntimeError as error:
        raise EngineUnavailable(engine, f"{device} cannot be used ({' '.join(str(error).split())})") from error
    if wanted == "auto":
        return next((name for name in preferred.get(device.kind, ()) if name in supported), "auto")
    if wanted in supported or wanted == "default":
        return wanted
    remedy = f"Set engines.{engine}.compute_type to auto, {', '.join(sorted(supported))}"
    raise EngineUnavailable(engine, f"{device} does not compute with {wanted!r}", remedy)
