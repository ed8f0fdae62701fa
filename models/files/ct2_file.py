"""The form of a CTranslate2 model file, `model.bin`, as far as one can see that it is whole without loading it.

Little-endian: version of the form; name and revision of the network (from version 2); for each variable its name,
shape, type and size, and its data; from version 3 other names for some of them. A string has its length in 16 bits
and ends with a NUL. Source: the writer and the reader in https://github.com/OpenNMT/CTranslate2 (`model_spec.py`,
`model.cc`).
"""

import struct
from pathlib import Path
from typing import BinaryIO

NEWEST_VERSION = 6
"""The newest version of the form that CTranslate2 4 reads (its `CURRENT_BINARY_VERSION`)."""

_MAX_VARIABLES = 100_000


class NewerModel(ValueError):
    """The file is of a later version of the form than this CTranslate2 reads."""


def check_model_file(path: Path) -> None:
    """Look at every header in the file, skipping the data: a millisecond, whatever the size.

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
            _skip_variables(file, version, size)
        except struct.error as error:
            raise ValueError(f"is cut off: it ends at {size:,} bytes, before the model does") from error


def _skip_variables(file: BinaryIO, version: int, size: int) -> None:
    if version >= 2:
        _skip_string(file)
        _number(file, "<I")
    count = _number(file, "<I")
    if not 1 <= count <= _MAX_VARIABLES:
        raise ValueError("is not a CTranslate2 model")
    for _ in range(count):
        _skip_string(file)
        file.seek(4 * _number(file, "<B"), 1)
        # Since version 4 the type and the bytes, before it the bytes of one item and how many items.
        kind_or_width, length = _number(file, "<B"), _number(file, "<I")
        file.seek(length if version >= 4 else length * kind_or_width, 1)
        if file.tell() > size:
            raise struct.error
    if version >= 3:
        for _ in range(min(_number(file, "<I"), count)):
            _skip_string(file)
            _skip_string(file)
        if file.tell() > size:
            raise struct.error


def _skip_string(file: BinaryIO) -> None:
    file.seek(_number(file, "<H"), 1)


def _number(file: BinaryIO, form: str) -> int:
    (number,) = struct.unpack(form, file.read(struct.calcsize(form)))
    return int(number)
