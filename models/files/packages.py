"""Installing and removing Argos packages: an .argosmodel file becomes a folder that `models/engines/argos` reads.

The file comes from elsewhere and is not trusted: what it says of its own names and sizes is checked first, and
nothing is seen under the package's name before all of it is there and looks right.
"""

import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from dragoman.models.engines.argos.package import PACKAGE_NAME, read_package
from dragoman.models.errors import EngineUnavailable

MAX_BYTES = 2 << 30
"""The largest package that is unpacked, in bytes; several times what the largest real ones have."""

MAX_MEMBERS = 10_000

_CHUNK_BYTES = 1 << 20
_ENCRYPTED = 0x1
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, UnicodeError)


class NoSpace(ValueError):
    """The disk is too full for a package, which is otherwise all right as far as was seen."""


Seal = Callable[[Path, str], None]
"""Called with an unpacked package and its name before it is seen; may add to the folder, or raise ValueError."""


def install_argos(file: Path, folder: Path, seal: Seal | None = None) -> str:
    """Unpack an .argosmodel file into `folder`, in the place of an older version; gives the name, translate-en_de.

    Raises ValueError, saying what is wrong with the file, and OSError where it cannot be read or written; what was
    installed before is then still there.
    """
    with file.open("rb") as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                members = archive.infolist()
                root = _check(file, members)
                folder.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryDirectory(dir=folder, prefix=".installing-") as place:
                    _check_space(file, members, folder)
                    _unpack(archive, members, root, Path(place) / "new")
                    return _settle(file, Path(place), folder, seal)
        except _DAMAGE as error:
            raise ValueError(f"{file} is not an Argos package: not a whole zip file ({error})") from error


def remove_argos(name: str, folder: Path) -> None:
    """Remove an installed package by its name. Raises ValueError where there is none of that name, and OSError."""
    place = folder / name
    if not PACKAGE_NAME.fullmatch(name) or not place.is_dir():
        raise ValueError(f"no package {name!r} is installed in {folder}")
    shutil.rmtree(place)


def _check(file: Path, members: Sequence[zipfile.ZipInfo]) -> PurePosixPath:
    """The folder of the package inside the archive. Raises ValueError for an archive that must not be unpacked."""
    if len(members) > MAX_MEMBERS:
        raise ValueError(f"{file} is not an Argos package: it has {len(members)} members")
    for member in members:
        kind = stat.S_IFMT(member.external_attr >> 16)
        parts = PurePosixPath(member.filename).parts
        if member.filename.startswith("/") or ".." in parts or "\\" in member.filename or ":" in member.filename:
            raise ValueError(f"{file} is refused: its member {member.filename!r} would leave the package's folder")
        if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
            raise ValueError(f"{file} is refused: its member {member.filename!r} is a link or a special file")
        if member.flag_bits & _ENCRYPTED:
            raise ValueError(f"{file} is refused: its member {member.filename!r} is encrypted")
    if len({member.filename for member in members}) < len(members):
        raise ValueError(f"{file} is refused: two of its members have the same name")
    size = sum(member.file_size for member in members)
    if size > MAX_BYTES:
        raise ValueError(f"{file} is refused: unpacked it would take {size:,} bytes, more than {MAX_BYTES:,}")
    paths = [PurePosixPath(member.filename) for member in members]
    roots = {path.parent for path in paths if path.name == "metadata.json" and len(path.parts) <= 2}
    if not roots:
        raise ValueError(f"{file} is not an Argos package: it has no metadata.json")
    return min(roots, key=lambda root: len(root.parts))


def _check_space(file: Path, members: Sequence[zipfile.ZipInfo], folder: Path) -> None:
    size, free = sum(member.file_size for member in members), shutil.disk_usage(folder).free
    if size > free:
        raise NoSpace(f"{file} needs {size:,} bytes in {folder}, where {free:,} are free")


def _unpack(
    archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo], root: PurePosixPath, destination: Path
) -> None:
    destination.mkdir()
    written = 0
    for member in members:
        path = PurePosixPath(member.filename)
        if not path.is_relative_to(root) or path == root:
            continue
        place = destination / path.relative_to(root)
        if member.is_dir():
            place.mkdir(parents=True, exist_ok=True)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, place.open("xb") as target:
            while chunk := source.read(_CHUNK_BYTES):
                written += len(chunk)
                if written > MAX_BYTES:
                    raise zipfile.BadZipFile("it holds more than it says")
                target.write(chunk)


def _settle(file: Path, place: Path, folder: Path, seal: Seal | None) -> str:
    """Put the unpacked package where it belongs. The older one waits in `place`, which goes away with it."""
    try:
        name = read_package(place / "new").name
    except EngineUnavailable as error:
        raise ValueError(f"{file} is not an Argos package that can be used here: {error.reason}") from error
    if seal is not None:
        seal(place / "new", name)
    target = folder / name
    older = place / "old"
    if target.exists():
        target.rename(older)
    try:
        (place / "new").rename(target)
    except OSError:
        if older.exists():
            older.rename(target)
        raise
    return name
