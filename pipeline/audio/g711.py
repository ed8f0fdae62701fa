"""ITU-T G.711, mu-law and A-law, by table.

A code is a sign, a segment of three bits and a place in the segment of four. Both laws are computed once from
that description; negative values are folded by one's complement, as ITU-T G.191 does.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from dragoman.models.base import Samples

_ULAW_BIAS = 33
"""Added to the 13-bit magnitude, so that every segment starts at a power of two."""


def decode_ulaw(codes: NDArray[np.uint8]) -> Samples:
    """Mu-law codes to samples, same shape."""
    return _ulaw_values()[codes]


def decode_alaw(codes: NDArray[np.uint8]) -> Samples:
    """A-law codes to samples, same shape."""
    return _alaw_values()[codes]


def encode_ulaw(linear: NDArray[np.int16]) -> NDArray[np.uint8]:
    """16-bit samples to mu-law codes, same shape."""
    return _ulaw_codes()[linear.view(np.uint16)]


def encode_alaw(linear: NDArray[np.int16]) -> NDArray[np.uint8]:
    """16-bit samples to A-law codes, same shape."""
    return _alaw_codes()[linear.view(np.uint16)]


@cache
def _ulaw_values() -> Samples:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    segment, place = code >> 4 & 7, code & 15
    magnitude = ((2 * place + _ULAW_BIAS) << segment) - _ULAW_BIAS
    return _as_samples(np.where(code & 0x80, -magnitude, magnitude) * 4)


@cache
def _alaw_values() -> Samples:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment, place = code >> 4 & 7, code & 15
    # Segments 0 and 1 share one step; from 1 on, the leading bit is implied.
    magnitude = np.where(segment == 0, 2 * place + 1, (2 * place + 33) << np.maximum(segment - 1, 0))
    return _as_samples(np.where(code & 0x80, magnitude, -magnitude) * 8)


@cache
def _ulaw_codes() -> NDArray[np.uint8]:
    linear = _every_int16()
    magnitude = np.minimum((_folded(linear) >> 2) + _ULAW_BIAS, 0x1FFF)
    segment = _bit_length(magnitude) - 6
    sign = np.where(linear < 0, 0x80, 0)
    codes: NDArray[np.uint8] = (~(sign | segment << 4 | magnitude >> (segment + 1) & 15)).astype(np.uint8)
    return codes


@cache
def _alaw_codes() -> NDArray[np.uint8]:
    linear = _every_int16()
    magnitude = _folded(linear) >> 4
    segment = np.maximum(_bit_length(magnitude) - 4, 0)
    sign = np.where(linear < 0, 0, 0x80)
    code = sign | segment << 4 | magnitude >> np.maximum(segment - 1, 0) & 15
    codes: NDArray[np.uint8] = (code ^ 0x55).astype(np.uint8)
    return codes


def _every_int16() -> NDArray[np.int32]:
    """All 16-bit values, in the order of their unsigned bit patterns."""
    return np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)


def _folded(linear: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.where(linear < 0, ~linear, linear)


def _bit_length(values: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.frexp(values)[1].astype(np.int32)


def _as_samples(linear: NDArray[np.int32]) -> Samples:
    return (linear / 32_768).astype(np.float32)
