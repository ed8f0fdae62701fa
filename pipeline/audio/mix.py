"""Several channels to one.

The mean is right for all that people record, but for one thing: where a channel is wired or converted the wrong way
round, the mean of a voice is nothing. There the louder channel is taken.
"""

from math import exp

import numpy as np
from numpy.typing import NDArray

from dragoman.models.base import Samples

_BLOCK_S = 0.02
_MEMORY_S = 0.1
"""How long a block counts."""
_QUIET = 0.1
_QUIET_MEMORY_S = 3.0
"""But it does not count at all where its power is less than this share of what was loud a while ago: in pauses there is
only noise, which may cancel out where voices do not, and the reverse."""

_ENOUGH_HZ = 8_000
"""Power is told from so many samples a second, whatever is heard between them."""

_CANCELLED = 0.25
_RESTORED = 0.5
"""Power of the mean as a share of what it would be of channels that have nothing in common: 0 for a channel and its
inverse, 1 for a channel alone, their number for equal ones. There are two: what lies between must not flicker."""

_LOUDER = 2.0
"""Another channel is taken in place of the chosen one where its power is so many times greater."""

_FADE, _FADE_OF_LOUD = exp(-_BLOCK_S / _MEMORY_S), exp(-_BLOCK_S / _QUIET_MEMORY_S)


class Downmix:
    """One stream's channels to mono.

    What a block of 20 ms of the stream sounds like decides about the blocks behind it, and the change is spread over
    one block. So nothing waits, nothing clicks, and where the bytes were cut makes no difference; but where channels
    begin to cancel out, 20 ms are not heard, and a quarter of a second if they did not do so just before.
    """

    def __init__(self, channels: int, rate_hz: int) -> None:
        self._channels = channels
        self._block = round(_BLOCK_S * rate_hz)
        self._step = max(1, rate_hz // _ENOUGH_HZ)
        self._fade = np.arange(1, self._block + 1, dtype=np.float32) / np.float32(self._block)
        self._loud = 0.0
        self._power = [0.0] * channels
        self._mean_power = 0.0
        self._chosen: int | None = None
        self._before: int | None = None
        """What was chosen for the block before this one; None is the mean, as for `_chosen`."""
        self._begun = np.zeros((0, channels), np.float32)
        """What there is of this block."""

    def mix(self, interleaved: Samples) -> Samples:
        """Mono, shape (n,), of shape (n * channels,)."""
        if self._channels == 1:
            return interleaved
        frames = interleaved.reshape(-1, self._channels)
        mono = _mean(frames)
        place = -len(self._begun)
        block = np.concatenate([self._begun, frames])
        whole = len(block) - len(block) % self._block
        self._begun = block[whole:].copy()
        for powers, mean_power in self._powers(block[:whole]):
            self._choose(mono, frames, place)
            self._judge(powers, mean_power)
            place += self._block
        self._choose(mono, frames, place)
        return mono

    def _choose(self, mono: Samples, frames: NDArray[np.float32], place: int) -> None:
        """Put the chosen channel in place of the mean in the block that begins at `place`, which may be before 0."""
        if self._chosen is None and self._before is None:
            return
        start, stop = max(place, 0), min(place + self._block, len(mono))
        fade = self._fade[start - place : stop - place]
        old, new = (
            mono[start:stop] if channel is None else frames[start:stop, channel]
            for channel in (self._before, self._chosen)
        )
        mono[start:stop] = new if self._before == self._chosen else old + (new - old) * fade

    def _judge(self, powers: list[float], mean_power: float) -> None:
        """A block is over: what is to be chosen from the next one on."""
        self._before = self._chosen
        total = sum(powers)
        self._loud = max(self._loud * _FADE_OF_LOUD, total)
        if total <= _QUIET * self._loud:
            return
        self._power = [_FADE * old + new for old, new in zip(self._power, powers, strict=True)]
        self._mean_power = _FADE * self._mean_power + mean_power
        loudest = max(self._power)
        unrelated = sum(self._power) / self._channels**2
        if self._mean_power >= _RESTORED * unrelated:
            self._chosen = None
        elif self._chosen is not None:
            if loudest > _LOUDER * self._power[self._chosen]:
                self._chosen = self._power.index(loudest)
        elif self._mean_power < _CANCELLED * unrelated:
            self._chosen = self._power.index(loudest)

    def _powers(self, block: NDArray[np.float32]) -> list[tuple[list[float], float]]:
        """Of whole blocks: the power of each channel, and of their mean, without constant offsets."""
        if not len(block):
            return []
        looked_at = block.reshape(-1, self._block, self._channels)[:, :: self._step]
        # Each channel in a row of its own: then a block's sum does not depend on how many blocks there are.
        rows = np.ascontiguousarray(np.moveaxis(looked_at, 2, 0))
        powers, mean_powers = rows.var(axis=2).T.tolist(), rows.mean(axis=0).var(axis=1).tolist()
        return list(zip(powers, mean_powers, strict=True))


def _mean(frames: NDArray[np.float32]) -> Samples:
    # Channel by channel: faster than mean() over a short axis, and the same in every chunk to the last bit.
    mono: Samples = frames[:, 0].copy()
    for channel in range(1, frames.shape[1]):
        mono += frames[:, channel]
    mono *= np.float32(1 / frames.shape[1])
    return mono
