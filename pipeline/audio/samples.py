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


def mix_down(interleaved: Samples, channels: int) -> Samples:
    """Mono by the mean of the channels; `interleaved` has shape (n * channels,), the result (n,)."""
    if channels == 1:
        return interleaved
    # Channel by channel: faster than mean() over a short axis, and the same in every chunk to the last bit.
    frames = interleaved.reshape(-1, channels)
    mono: Samples = frames[:, 0].copy()
    for channel in range(1, channels):
        mono += frames[:, channel]
    mono *= np.float32(1 / channels)
    return mono


def bounded(samples: NDArray[np.floating[Any]]) -> Samples:
    """A float32 copy within [-1, 1], where NaN has become 0: safe to filter and to convert to integers."""
    with np.errstate(invalid="ignore"):  # a signalling NaN would warn here
        clipped: Samples = np.clip(samples, -1.0, 1.0).astype(np.float32, copy=False)
    if np.isnan(clipped).any():
        np.nan_to_num(clipped, copy=False)
    return clipped


def clipped(samples: Samples) -> Samples:
    """`samples` themselves, brought within [-1, 1] where they lie. They must hold no NaN: none of integers do."""
    return samples.clip(-1.0, 1.0, out=samples)


def to_int16(samples: Samples) -> NDArray[np.int16]:
    """Nearest 16-bit values, full scale 32768, clipped."""
    scaled = bounded(samples)
    scaled *= 32_768.0
    np.rint(scaled, out=scaled)
    np.minimum(scaled, 32_767.0, out=scaled)
    return scaled.astype(np.int16)
