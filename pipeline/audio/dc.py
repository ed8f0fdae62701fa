"""What no ear hears is taken away: a constant offset, and the rumble near it.

Cheap sound cards and some drivers add a constant to every sample. A voice detector takes quiet speech on top of it for
silence, and who brings a peak to some level brings the offset there.
"""

from math import exp, pi

import numpy as np
from numpy.typing import NDArray

from dragoman.models.base import Samples
from dragoman.pipeline.audio.samples import EMPTY

CUTOFF_HZ = 20.0
"""3 dB down here, a quarter of a dB at 85 Hz, where the lowest voices begin."""

_BLOCK_S = 0.25
"""The powers of the pole begin anew at the multiples of this place: within it they fall to e^-31."""


class DcBlocker:
    """A high-pass of the first order over one stream, without delay: y[n] = g (x[n] - x[n-1]) + r y[n-1].

    It is computed as x less its low-passed self, for which a running sum of x[n] / r^n stands in for a loop. The sum
    goes sample by sample, in float64, from places that are fixed in the stream: chunk borders change no bit.
    """

    def __init__(self, rate_hz: int) -> None:
        self._pole = pole = exp(-2 * pi * CUTOFF_HZ / rate_hz)
        self._shrink = pole ** np.arange(round(_BLOCK_S * rate_hz))
        self._grow = (1 - pole) / self._shrink
        self._gain = np.float32((1 + pole) / (2 * pole))
        self._place = 0
        """Where in the block the next sample is."""
        self._sum: float | None = None

    def process(self, samples: Samples) -> Samples:
        """As many samples as went in, within [-1, 1]."""
        if not samples.size:
            return EMPTY
        if self._sum is None:
            # As if the first sample had always been there: an offset does not begin with a step.
            self._sum = self._pole * float(samples[0])
        blocked = np.empty(samples.size, np.float32)
        at = 0
        while at < samples.size:
            piece = samples[at : at + len(self._shrink) - self._place]
            blocked[at : at + len(piece)] = piece - self._low(piece, self._sum)
            at += len(piece)
        blocked *= self._gain
        return np.clip(blocked, -1.0, 1.0, out=blocked)

    def _low(self, piece: Samples, before: float) -> NDArray[np.float64]:
        """The low-passed samples of a piece that lies within one block."""
        places = slice(self._place, self._place + len(piece))
        sums = piece * self._grow[places]
        sums[0] += before
        np.cumsum(sums, out=sums)
        self._sum = float(sums[-1])
        self._place = places.stop
        low: NDArray[np.float64] = sums * self._shrink[places]
        if self._place == len(self._shrink):
            self._sum, self._place = self._pole * float(low[-1]), 0
        return low
