"""Where the frames of a WebSocket client begin and end (RFC 6455, 5.2). What is in them is read elsewhere."""

from typing import NamedTuple

CONTINUATION, TEXT, BINARY = 0, 1, 2
CONTROL = 8
"""Opcodes from here on are pings and the like, which are no part of any message."""
CONTROL_BYTES = 125
"""No such frame may have a longer payload."""


class FrameHeader(NamedTuple):
    """What stands before a frame's payload."""

    opcode: int
    is_last: bool
    """Whether its message ends with it."""
    header_bytes: int
    payload_bytes: int

    @property
    def is_control(self) -> bool:
        """Whether it is no part of a message."""
        return self.opcode >= CONTROL


def read_header(data: bytes | bytearray) -> FrameHeader | None:
    """The header that `data` begins with; None where it is not all here yet."""
    if len(data) < 2:
        return None
    length = data[1] & 0x7F
    extended = {126: 2, 127: 8}.get(length, 0)
    masked = 4 if data[1] & 0x80 else 0
    size = 2 + extended + masked
    if len(data) < size:
        return None
    if extended:
        length = int.from_bytes(data[2 : 2 + extended], "big")
    return FrameHeader(data[0] & 0x0F, bool(data[0] & 0x80), size, length)
