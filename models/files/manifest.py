"""What a model's folder should hold: the manifest that is written into it when it is pulled, imported or installed.

With it `dragoman models verify` needs neither network nor catalogue.
"""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from dragoman.models.files.catalogue import is_name
from dragoman.models.files.errors import BrokenModel

MANIFEST = ".dragoman.json"
MAX_FILES = 1000
_MAX_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PART = re.compile(r"\w[\w.+-]{0,200}")

Progress = Callable[[int], None]
"""Told after each piece of work how many bytes it was."""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file: `path` in the model's folder with '/' between its parts, `size` in bytes.

    `checked` says what its content was compared with when it came: "sha256", "md5" or "git" as published, or nothing.
    """

    path: str
    size: int
    sha256: str
    checked: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Where a model came from and what it consists of."""

    name: str
    kind: str
    source: str
    revision: str
    licence: str
    files: tuple[FileRecord, ...]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def unchecked(self) -> list[str]:
        """The files for which no published checksum was found when they came."""
        return [file.path for file in self.files if not file.checked]

    def as_table(self) -> dict[str, Any]:
        """What `from_table` reads."""
        return asdict(self)

    @classmethod
    def from_table(cls, table: object) -> "Manifest":
        """Read what somebody else may have written. Raises ValueError for anything that is not a plain manifest."""
        if not isinstance(table, dict):
            raise ValueError("it is not a table")
        texts = [table.get(key) for key in ("name", "kind", "source", "revision", "licence")]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("a text is missing")
        name, kind = str(table["name"]), str(table["kind"])
        if not is_name(kind, name):
            raise ValueError(f"{name!r} cannot be the name of a model of kind {kind!r}")
        files = table.get("files")
        if not isinstance(files, list) or not 0 < len(files) <= MAX_FILES:
            raise ValueError("its list of files is missing, empty or too long")
        records = tuple(_record(file) for file in files)
        if len({record.path.lower() for record in records}) < len(records):
            raise ValueError("two files have the same name")
        return cls(name, kind, str(table["source"]), str(table["revision"]), str(table["licence"]), records)

    def write(self, folder: Path) -> None:
        """Write it into the model's folder."""
        text = json.dumps(self.as_table(), indent=1, ensure_ascii=False) + "\n"
        (folder / MANIFEST).write_text(text, encoding="utf-8")


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest in a model's folder, or None where there is none. Raises BrokenModel for one that is damaged."""
    try:
        with (folder / MANIFEST).open("rb") as file:
            return Manifest.from_table(json.loads(file.read(_MAX_BYTES)))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise BrokenModel(folder.name, f"its manifest {MANIFEST} cannot be read ({error})") from error


def records_of(folder: Path, progress: Progress = lambda _: None) -> tuple[FileRecord, ...]:
    """A record of every file in a folder, by reading it. Files whose name begins with a full stop are left out.

    Raises BrokenModel for a name that a manifest cannot hold, and OSError.
    """
    records = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if any(part.startswith(".") for part in PurePosixPath(name).parts):
            continue
        if not is_plain_path(name):
            raise BrokenModel(folder.name, f"the name of its file {name!r} is not a plain one")
        records.append(FileRecord(name, path.stat().st_size, digests(path, ["sha256"], progress)["sha256"]))
    return tuple(records)


def digests(path: Path, kinds: Sequence[str], progress: Progress = lambda _: None) -> dict[str, str]:
    """Checksums of a file in hexadecimal: "sha256", "md5", and "git", the name that git gives its content."""
    size = path.stat().st_size
    hashes = {kind: _hash(kind, size) for kind in kinds}
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            for one in hashes.values():
                one.update(chunk)
            progress(len(chunk))
    return {kind: one.hexdigest() for kind, one in hashes.items()}


def is_plain_path(path: str) -> bool:
    """Whether a relative path stays where it is put: no part is empty, hidden, or leads upwards."""
    return len(path) <= 400 and all(_PART.fullmatch(part) for part in path.split("/"))


def _hash(kind: str, size: int) -> "hashlib._Hash":
    # Neither MD5 nor SHA-1 protects from malice; they are what some hubs publish, and they find damage.
    if kind == "git":
        return hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    return hashlib.md5(usedforsecurity=False) if kind == "md5" else hashlib.sha256()


def _record(table: object) -> FileRecord:
    if not isinstance(table, dict):
        raise ValueError("a file is not a table")
    path, size, sha256 = table.get("path"), table.get("size"), table.get("sha256")
    if not isinstance(path, str) or not is_plain_path(path):
        raise ValueError(f"{path!r} is not a plain relative path")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ValueError(f"the size of {path} is not a number of bytes")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise ValueError(f"the sha256 of {path} is not one")
    checked = table.get("checked", "")
    return FileRecord(path, size, sha256, checked if checked in {"sha256", "md5", "git"} else "")
