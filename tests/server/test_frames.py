import pytest
from websockets.frames import Frame, Opcode

from dragoman.server.frames import FrameHeader, read_header

LENGTHS = (0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000)


@pytest.mark.parametrize(
    ("opcode", "length"), [(opcode, length) for opcode in Opcode for length in LENGTHS[: 3 if opcode >= 8 else None]]
)
@pytest.mark.parametrize("masked", [True, False])
def test_headers_as_another_library_writes_them(length: int, masked: bool, opcode: Opcode) -> None:
    written = bytes(Frame(opcode, bytes(length), fin=opcode >= 8).serialize(mask=masked))
    header = read_header(written)
    assert header == FrameHeader(opcode, opcode >= 8, len(written) - length, length)
    assert header.is_control is (opcode >= 8)
    assert all(read_header(written[:size]) is None for size in range(header.header_bytes))
    assert read_header(bytearray(written[: header.header_bytes])) == header
