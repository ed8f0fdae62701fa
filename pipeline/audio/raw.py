"""Headerless audio: interleaved samples of one encoding. WAV's data chunk is read here too."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dragoman.models.base import Samples
from dragoman.pipeline.audio import g711
from dragoman.pipeline.audio.errors import UnsupportedFormat
from dragoman.pipeline.audio.formats import Encoding, check_rate_and_channels
from dragoman.pipeline.audio.mix import Downmix
from dragoman.pipeline.audio.resample import Block
from dragoman.pipeline.audio.samples import bounded


@dataclass(frozen=True, slots=True)
class _Integers:
    """Integers of `dtype`; `bits` of 24 are padded to the 32 of the dtype. Unsigned ones have their zero midway."""

    dtype: str
    bits: int

    @property
    def width(self) -> int:
        return self.bits // 8

    def unpack(self, data: bytes, count: int) -> Samples:
        if self.bits == 24:
            padded = np.zeros((count, 4), np.uint8)
            low = 1 if self.dtype[0] == "<" else 0
            padded[:, low : low + 3] = np.frombuffer(data, np.uint8, count * 3).reshape(count, 3)
            integers = padded.view(self.dtype).reshape(count)
        else:
            integers = np.frombuffer(data, self.dtype, count)
        samples = integers.astype(np.float32)
        samples *= np.float32(2.0 ** (1 - 8 * integers.itemsize))
        if integers.dtype.kind == "u":
            samples -= np.float32(1)
        return samples


@dataclass(frozen=True, slots=True)
class _Floats:
    dtype: str
    width: int

    def unpack(self, data: bytes, count: int) -> Samples:
        return bounded(np.frombuffer(data, self.dtype, count))


@dataclass(frozen=True, slots=True)
class _Companded:
    expand: Callable[[NDArray[np.uint8]], Samples]
    width: int = 1

    def unpack(self, data: bytes, count: int) -> Samples:
        return self.expand(np.frombuffer(data, np.uint8, count))


_LAYOUTS: Mapping[Encoding, _Integers | _Floats | _Companded] = {
    Encoding.S8: _Integers("|i1", 8),
    Encoding.U8: _Integers("|u1", 8),
    Encoding.S16LE: _Integers("<i2", 16),
    Encoding.S16BE: _Integers(">i2", 16),
    Encoding.U16LE: _Integers("<u2", 16),
    Encoding.U16BE: _Integers(">u2", 16),
    Encoding.S24LE: _Integers("<i4", 24),
    Encoding.S24BE: _Integers(">i4", 24),
    Encoding.U24LE: _Integers("<u4", 24),
    Encoding.U24BE: _Integers(">u4", 24),
    Encoding.S32LE: _Integers("<i4", 32),
    Encoding.S32BE: _Integers(">i4", 32),
    Encoding.U32LE: _Integers("<u4", 32),
    Encoding.U32BE: _Integers(">u4", 32),
    Encoding.F32LE: _Floats("<f4", 4),
    Encoding.F32BE: _Floats(">f4", 4),
    Encoding.F64LE: _Floats("<f8", 8),
    Encoding.F64BE: _Floats(">f8", 8),
    Encoding.ULAW: _Companded(g711.decode_ulaw),
    Encoding.ALAW: _Companded(g711.decode_alaw),
}


class RawSource:
    """Mono samples from interleaved ones, however the bytes are cut.

    Raises BadAudio for an impossible rate or number of channels, UnsupportedFormat for what is not plain samples.
    """

    def __init__(self, encoding: Encoding, rate_hz: int, channels: int = 1) -> None:
        check_rate_and_channels(rate_hz, channels)
        layout = _LAYOUTS.get(encoding)
        if layout is None:
            raise UnsupportedFormat(encoding, list(_LAYOUTS))
        self._rate_hz = rate_hz
        self._channels = channels
        self._downmix = Downmix(channels, rate_hz)
        self._layout = layout
        self._frame_bytes = layout.width * channels
        self._carry = b""

    def whole(self, length: int) -> int:
        """The most bytes within `length` that are complete frames (a sample of each channel)."""
        return length - length % self._frame_bytes

    def decode(self, data: bytes) -> list[Block]:
        """What the bytes hold."""
        if self._carry:
            data = self._carry + data
        frames, odd = divmod(len(data), self._frame_bytes)
        self._carry = data[len(data) - odd :]
        if not frames:
            return []
        return [(self._rate_hz, self._downmix.mix(self._layout.unpack(data, frames * self._channels)))]

    def finish(self) -> list[Block]:
        """Nothing: part of a frame at the end is dropped."""
        self._carry = b""
        return []
