"""WAV files put together by hand, the wrong ones too."""

import struct

import numpy as np

GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
VALUES = [0.5, -0.25, 0.125, 0.0]
PACKED = {
    (1, 8): (np.array(VALUES) * 128 + 128).astype("u1").tobytes(),
    (1, 16): (np.array(VALUES) * 2**15).astype("<i2").tobytes(),
    (1, 24): b"".join((int(v * 2**23)).to_bytes(3, "little", signed=True) for v in VALUES),
    (1, 32): (np.array(VALUES) * 2**31).astype("<i4").tobytes(),
    (3, 32): np.array(VALUES, "<f4").tobytes(),
    (3, 64): np.array(VALUES, "<f8").tobytes(),
}
"""VALUES by format tag and bits."""


def chunk(name: bytes, body: bytes, size: int | None = None, *, padded: bool = True) -> bytes:
    """`size` is what the header says; an odd chunk is `padded` unless its writer forgot it."""
    head = struct.pack("<4sI", name, len(body) if size is None else size)
    return head + body + b"\0" * (len(body) % 2 if padded else 0)


def fmt(tag: int, bits: int, channels: int = 1, rate_hz: int = 16_000, *, extensible: bool = False) -> bytes:
    """A chunk that says how samples are written."""
    block = channels * ((bits + 7) // 8)
    body = struct.pack("<HHIIHH", 0xFFFE if extensible else tag, channels, rate_hz, rate_hz * block, block, bits)
    if extensible:
        body += struct.pack("<HHIH", 22, bits, 0, tag) + GUID_TAIL
    return chunk(b"fmt ", body)


def riff(*chunks: bytes, magic: bytes = b"RIFF", size: int | None = None) -> bytes:
    """A whole file; `size` is what the header says."""
    body = b"WAVE" + b"".join(chunks)
    known = 0xFFFFFFFF if magic != b"RIFF" else len(body)
    return struct.pack("<4sI", magic, known if size is None else size) + body


def s16(*values: float) -> bytes:
    """16-bit samples."""
    return (np.array(values) * 2**15).astype("<i2").tobytes()
