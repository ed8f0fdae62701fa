"""Models in one tar file, for machines without a network.

The first member is an index: the manifest of every model, with size and SHA-256 of each file. Then come the files, as
`whisper/small/model.bin`. Nothing is compressed: networks do not get smaller. What is imported comes from elsewhere and
is not trusted: only plain files that the index names are read, and nothing is seen in the store before all of them have
the size and the checksum that the index gives them.
"""

import hashlib
import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from dragoman.models.files.errors import BrokenModel, ModelFileError, NoRoom
from dragoman.models.files.manifest import FileRecord, Manifest, Progress, is_plain_path, records_of
from dragoman.models.files.store import Installed, Store, form_fault

INDEX = "dragoman-models.json"
_FORMAT = 1
_MAX_INDEX_BYTES = 8 << 20
_MAX_MODELS = 1000
_MAX_HEADER_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 20
_DAMAGE = (tarfile.TarError, EOFError, UnicodeError, ValueError, OverflowError)


class BadBundle(ModelFileError):
    """A tar file is not what `dragoman models export` writes."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(f"{file} is not imported: {reason}")


def export_models(models: Sequence[Installed], file: Path, progress: Progress = lambda _: None) -> None:
    """Write models into a tar file, which is there only when it is whole.

    Raises BrokenModel where one is not whole itself, and OSError.
    """
    manifests = [_manifest(model, progress) for model in models]
    index = json.dumps({"format": _FORMAT, "models": [manifest.as_table() for manifest in manifests]}, indent=1)
    unfinished = file.with_name(f".{file.name}.partial")
    try:
        with tarfile.open(unfinished, "w", format=tarfile.PAX_FORMAT) as archive:
            _add(archive, INDEX, io.BytesIO(index.encode()), len(index.encode()))
            for model, manifest in zip(models, manifests, strict=True):
                for record in manifest.files:
                    _add_file(archive, model, record, progress)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def import_models(
    store: Store,
    file: Path,
    progress: Progress = lambda _: None,
    said: Callable[[str], None] = lambda _: None,
) -> list[Manifest]:
    """Put the models of a tar file into the store, in the place of older ones; gives what was in it.

    Raises BadBundle for a file that must not be imported, NoRoom, and OSError; the store is then as it was before.
    """
    store.root.mkdir(parents=True, exist_ok=True)
    with file.open("rb") as stream, tempfile.TemporaryDirectory(dir=store.root, prefix=".importing-") as place:
        try:
            with tarfile.open(fileobj=_Guarded(stream), mode="r:") as archive:
                manifests = _read_index(archive, file)
                _check_room(store.root, manifests)
                _extract(archive, manifests, Path(place), file, progress)
        except _DAMAGE as error:
            raise BadBundle(file, f"it is damaged, or no tar file of 'dragoman models export' ({error})") from error
        for manifest in manifests:
            folder = Path(place) / manifest.kind / manifest.name
            if fault := form_fault(manifest.kind, folder):
                raise BadBundle(file, f"its {manifest.kind}/{manifest.name} is no such model: {fault}")
            manifest.write(folder)
        for manifest in manifests:
            with store.lock(manifest.kind, manifest.name, lambda: said("another process is at work; waiting")):
                store.settle(Path(place) / manifest.kind / manifest.name, manifest.kind, manifest.name)
    return manifests


def _manifest(model: Installed, progress: Progress) -> Manifest:
    if model.fault:
        raise BrokenModel(model.name, model.fault, f"pull it again before exporting: dragoman models pull {model.name}")
    if model.manifest is not None:
        return model.manifest
    files = records_of(model.folder, progress)
    return Manifest(model.name, model.kind, "installed by hand", "", "unknown", files)


def _add_file(archive: tarfile.TarFile, model: Installed, record: FileRecord, progress: Progress) -> None:
    path = model.folder / record.path
    with path.open("rb") as stream:
        reader = _Hashing(stream, progress)
        if path.stat().st_size == record.size:
            _add(archive, f"{model.kind}/{model.name}/{record.path}", reader, record.size)
    if reader.sum.hexdigest() != record.sha256:
        raise BrokenModel(model.name, f"the content of {record.path} has changed", "'dragoman models verify' says more")


def _add(archive: tarfile.TarFile, name: str, stream: "IO[bytes] | _Hashing", size: int) -> None:
    member = tarfile.TarInfo(name)  # without times and owners, so that the same models give the same file
    member.size = size
    member.mode = 0o644
    archive.addfile(member, stream)


def _read_index(archive: tarfile.TarFile, file: Path) -> list[Manifest]:
    first = archive.next()
    if first is None or first.name != INDEX or not _is_plain(first) or first.size > _MAX_INDEX_BYTES:
        raise BadBundle(file, "it does not begin with the index that 'dragoman models export' writes")
    stream = archive.extractfile(first)
    try:
        table = json.loads(stream.read() if stream is not None else b"")
        if table["format"] != _FORMAT:
            raise BadBundle(file, f"its format is {table['format']!r}, and this Dragoman knows {_FORMAT}")
        rows = table["models"]
        if not isinstance(rows, list) or not 0 < len(rows) <= _MAX_MODELS:
            raise ValueError("it names no models, or too many")
        manifests = [Manifest.from_table(row) for row in rows]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadBundle(file, f"its index is wrong: {error}") from error
    if len({(manifest.kind, manifest.name) for manifest in manifests}) < len(manifests):
        raise BadBundle(file, "its index names a model twice")
    return manifests


def _check_room(folder: Path, manifests: Sequence[Manifest]) -> None:
    needed, free = sum(manifest.size for manifest in manifests), shutil.disk_usage(folder).free
    if needed > free:
        raise NoRoom(folder, needed, free)


def _extract(
    archive: tarfile.TarFile, manifests: Sequence[Manifest], place: Path, file: Path, progress: Progress
) -> None:
    expected = {
        f"{manifest.kind}/{manifest.name}/{record.path}": record for manifest in manifests for record in manifest.files
    }
    while (member := archive.next()) is not None:
        if not _is_plain(member):
            raise BadBundle(file, f"its member {member.name!r} is a link or a special file")
        record = expected.pop(member.name, None)
        if record is None or not is_plain_path(record.path):
            raise BadBundle(file, f"its member {member.name!r} is not in the index, or is there twice")
        if member.size != record.size:
            raise BadBundle(file, f"{member.name} has {member.size:,} bytes instead of {record.size:,}")
        stream = archive.extractfile(member)
        target = place / member.name
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as output:
            reader = _Hashing(stream, progress) if stream is not None else None
            while reader is not None and (chunk := reader.read(_CHUNK_BYTES)):
                output.write(chunk)
        if reader is None or reader.sum.hexdigest() != record.sha256 or target.stat().st_size != record.size:
            raise BadBundle(file, f"the checksum of {member.name} is wrong: it was damaged on its way")
    if expected:
        raise BadBundle(file, f"it is not whole: {next(iter(expected))} is missing")


def _is_plain(member: tarfile.TarInfo) -> bool:
    return member.type in {tarfile.REGTYPE, tarfile.AREGTYPE} and not member.issparse()


class _Hashing:
    """A stream that is hashed as it is read."""

    def __init__(self, stream: IO[bytes], progress: Progress) -> None:
        self.sum = hashlib.sha256()
        self._stream = stream
        self._progress = progress

    def read(self, size: int = -1) -> bytes:
        chunk = self._stream.read(size)
        self.sum.update(chunk)
        self._progress(len(chunk))
        return chunk


class _Guarded(io.RawIOBase):
    """A file of which no more is read at once than a header may have; a forged length must not fill the memory."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= max(_MAX_HEADER_BYTES, _MAX_INDEX_BYTES):
            raise tarfile.ReadError("a header in it is too long")
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True
