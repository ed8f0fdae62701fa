"""The part of a piece of speech that a text leaves out.

Whisper writes in one go and sometimes ends at a full stop though more was said; it also writes so many tokens and no
more. Nothing in the text tells. But its last word has a time, and if somebody goes on speaking behind it for long, the
rest is worth another look.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dragoman.models.base import SAMPLE_RATE_HZ, Samples, Word

LEAST_S = 1.0
"""Less sound than this behind the last word is its own end, or a breath."""

_LEVEL = 0.1
"""Sound counts that is at most 20 dB under the loudest of what was written down."""
_FRAME = SAMPLE_RATE_HZ * 30 // 1000
_LOUDEST = 0.9
"""Of the frames in rising order, where the level of speech is read."""
_SEARCH_S = 0.4
"""So far behind the last word the quietest place is looked for, to begin there."""


def rest_from(speech: Samples, words: Sequence[Word]) -> float | None:
    """Where the rest begins, in seconds; None where all of the speech was written down, as far as one can tell."""
    if not words:
        return None
    levels = _levels(speech)
    last = min(len(levels), round(words[-1].stop_s * SAMPLE_RATE_HZ / _FRAME))
    if not last or last == len(levels):
        return None
    loud = levels[last:] >= _LEVEL * float(np.quantile(levels[:last], _LOUDEST))
    if int(loud.sum()) * _FRAME < LEAST_S * SAMPLE_RATE_HZ:
        return None
    reach = round(_SEARCH_S * SAMPLE_RATE_HZ / _FRAME)
    return (last + int(np.argmin(levels[last : last + reach])) + 0.5) * _FRAME / SAMPLE_RATE_HZ


def _levels(speech: Samples) -> NDArray[np.float32]:
    """The root mean square of each whole frame."""
    count = len(speech) // _FRAME
    frames = speech[: count * _FRAME].reshape(count, _FRAME)
    levels: NDArray[np.float32] = np.sqrt(np.square(frames).mean(axis=1))
    return levels
