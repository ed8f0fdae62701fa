"""Whether a file can be a whole ONNX model, found without loading it.

An ONNX model is one Protobuf message (`ModelProto` of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto): fields,
one behind the other, each with its length. Their ends are followed to the end of the file, which finds what a broken
download leaves and takes no time whatever the size.
"""

from pathlib import Path
from typing import BinaryIO

_GRAPH = 7  # the number of the field that holds the network
_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
_MOST_FIELDS = 10_000


def check_onnx_file(path: Path) -> None:
    """Raises ValueError, in words that follow a colon, where `path` is no whole ONNX model."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if not _has_graph(file, size):
                raise ValueError(f"its {path.name} is not an ONNX model")
    except FileNotFoundError as error:
        raise ValueError(f"it has no {path.name}") from error
    except OSError as error:
        raise ValueError(f"its {path.name} cannot be read ({error.strerror})") from error
    except EOFError as error:
        raise ValueError(f"its {path.name} is not whole") from error


def _has_graph(file: BinaryIO, size: int) -> bool:
    """Whether the message has a graph. Raises EOFError where a graph ends behind the file."""
    found = False
    for _ in range(_MOST_FIELDS):
        if file.tell() == size:
            return found
        tag = _varint(file)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            _varint(file)
            continue
        if kind not in (_EIGHT_BYTES, _LENGTH, _FOUR_BYTES) or not number:
            return False
        length = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}.get(kind) or _varint(file)
        if file.tell() + length > size:
            if number == _GRAPH:
                raise EOFError
            return False
        found |= number == _GRAPH
        file.seek(length, 1)
    return False


def _varint(file: BinaryIO) -> int:
    value = 0
    for position in range(10):
        byte = file.read(1)
        if not byte:
            raise EOFError
        value |= (byte[0] & 0x7F) << (7 * position)
        if byte[0] < 0x80:
            return value
    return 0
