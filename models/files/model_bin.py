"""Which network a CTranslate2 `model.bin` holds: its architecture and the shapes of its weights, without loading it.

`ct2_file.py` describes the form of the file and tells whether it is whole.
"""

import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO

from dragoman.models.files.ct2_file import check_model_file

_OLDEST_VERSION = 4
"""Of the form, as far as it is read here. Whisper has come in version 6 from its beginning."""


@dataclass(frozen=True, slots=True)
class ModelBin:
    """The network. `architecture` is the name of CTranslate2's specification, such as "WhisperSpec"; `shapes` are those
    of all variables, by name, without those that are another one's alias."""

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
    """Read the table of variables. Raises OSError, NewerModel, or ValueError for what is no model or only a part."""
    check_model_file(path)
    with path.open("rb") as file:
        if _number(file, "<I") < _OLDEST_VERSION:
            raise ValueError("is of a form that is too old")
        architecture, revision = _text(file), _number(file, "<I")
        shapes = {}
        for _ in range(_number(file, "<I")):
            name, rank = _text(file), _number(file, "<B")
            shapes[name] = struct.unpack(f"<{rank}I", file.read(4 * rank))
            _number(file, "<B")
            file.seek(_number(file, "<I"), 1)
    return ModelBin(architecture, revision, shapes)


def _number(file: BinaryIO, form: str) -> int:
    return int(struct.unpack(form, file.read(struct.calcsize(form)))[0])


def _text(file: BinaryIO) -> str:
    return file.read(_number(file, "<H")).rstrip(b"\0").decode(errors="replace")
