"""Small things done to arrays of samples. Mono float32 everywhere, shape (n,), unless it says interleaved."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragoman.models.base import Samples

EMPTY: Samples = np.zeros(0, np.float32)
"""No samples. One object for all: there is nothing in it to change."""


def join(blocks: Sequence[Samples]) -> Samples:
    """The blocks one after another, copied only if there are several."""
    if len(blocks) == 1:
        return blocks[0]
    return np.concatenate(blocks) if blocks else EMPTY


def bounded(samples: NDArray[np.floating[Any]]) -> Samples:
    """A float32 copy within [-1, 1], where NaN has become 0: safe to filter and to convert to integers."""
    with np.errstate(invalid="ignore"):  # a signalling NaN would warn here
        clipped: Samples = np.clip(samples, -1.0, 1.0).astype(np.float32, copy=False)
    if np.isnan(clipped).any():
        np.nan_to_num(clipped, copy=False)
    return clipped


def to_int16(samples: Samples) -> NDArray[np.int16]:
    """Nearest 16-bit values, full scale 32768, clipped."""
    scaled = bounded(samples)
    scaled *= 32_768.0
    np.rint(scaled, out=scaled)
    np.minimum(scaled, 32_767.0, out=scaled)
    return scaled.astype(np.int16)
