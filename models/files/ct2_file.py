"""Which network a CTranslate2 `model.bin` holds: its name, the shapes of its weights, and that it is whole.

Little-endian: version of the form; name and revision of the network (from version 2); for each variable its name,
shape, type and size, and its data; from version 3 other names for some of them. A string has its length in 16 bits
and ends with a NUL. Source: the writer and the reader in https://github.com/OpenNMT/CTranslate2 (`model_spec.py`,
`model.cc`). The loader says the same of a broken one, but it takes seconds, and memory as the file asks for it.
"""

import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO

NEWEST_VERSION = 6
"""The newest version of the form that CTranslate2 4 reads (its `CURRENT_BINARY_VERSION`)."""

_MAX_VARIABLES = 100_000


class NewerModel(ValueError):
    """The file is of a later version of the form than this CTranslate2 reads."""


@dataclass(frozen=True, slots=True)
class ModelBin:
    """The network. `architecture` is the name of CTranslate2's specification, such as "WhisperSpec" (the oldest has
    none); `shapes` are those of all variables, by name, without those that are another one's alias."""

    architecture: str
    revision: int
    shapes: dict[str, tuple[int, ...]]

    @property
    def parameters(self) -> int:
        """How many numbers the matrices hold."""
        return sum(prod(shape) for shape in self.shapes.values() if len(shape) > 1)

    def layers(self, side: str) -> int:
        """How many layers the "encoder" or the "decoder" has."""
        begins = f"{side}/layer_"
        numbers = {name[len(begins) :].partition("/")[0] for name in self.shapes if name.startswith(begins)}
        return sum(number.isdigit() for number in numbers)


def read_model_bin(path: Path) -> ModelBin:
    """Read every header in the file, skipping the data: a millisecond, whatever the size.

    Raises OSError, NewerModel, or ValueError for what is no model or only the beginning of one.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        version = _number(file, "<I") if size >= 4 else 0
        if NEWEST_VERSION < version < 256:
            raise NewerModel(f"is of binary version {version}, and this CTranslate2 reads up to {NEWEST_VERSION}")
        if not 1 <= version <= NEWEST_VERSION:
            raise ValueError("is not a CTranslate2 model")
        try:
            return _read(file, version, size)
        except struct.error as error:
            raise ValueError(f"is cut off: it ends at {size:,} bytes, before the model does") from error


def _read(file: BinaryIO, version: int, size: int) -> ModelBin:
    architecture, revision = (_text(file), _number(file, "<I")) if version >= 2 else ("", 0)
    count = _number(file, "<I")
    if not 1 <= count <= _MAX_VARIABLES:
        raise ValueError("is not a CTranslate2 model")
    shapes = {}
    for _ in range(count):
        name, rank = _text(file), _number(file, "<B")
        shapes[name] = struct.unpack(f"<{rank}I", file.read(4 * rank))
        # Since version 4 the type and the bytes, before it the bytes of one item and how many items.
        kind_or_width, length = _number(file, "<B"), _number(file, "<I")
        file.seek(length if version >= 4 else length * kind_or_width, 1)
        if file.tell() > size:
            raise struct.error
    for _ in range(min(_number(file, "<I"), count) if version >= 3 else 0):
        _text(file)
        _text(file)
    return ModelBin(architecture, revision, shapes)


def _number(file: BinaryIO, form: str) -> int:
    return int(struct.unpack(form, file.read(struct.calcsize(form)))[0])


def _text(file: BinaryIO) -> str:
    length = _number(file, "<H")
    data = file.read(length)
    if len(data) < length:
        raise struct.error
    return data.rstrip(b"\0").decode(errors="replace")
