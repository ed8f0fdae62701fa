"""Files that were uploaded: each belongs to an owner, and nobody sees what another one's is."""

import contextlib
import shutil
import uuid
from dataclasses import dataclass
from typing import IO

from dragoman.server.uploads.shelf import Shelf, StoreBroken, StoreFull, below_of, broken, number_of

MAX_FILES = 10_000
"""Of one owner, as with Soniox."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that was uploaded. `created` is seconds since 1970."""

    number: int
    id: str
    owner: str
    filename: str
    size: int
    created: float
    reference: str | None


_FILE = "SELECT number, id, owner, filename, size, created, reference FROM files WHERE owner = ? AND id = ?"
_FILES = """SELECT number, id, owner, filename, size, created, reference FROM files
    WHERE owner = ? AND number < ? ORDER BY number DESC LIMIT ?"""
_COUNT_FILES = "SELECT COUNT(*) FROM files WHERE owner = ?"
_SIZE = "SELECT COALESCE(SUM(size), 0) FROM files"


class Files(Shelf):
    """The files of a folder."""

    def put(self, owner: str, filename: str, reference: str | None, source: IO[bytes], size: int) -> StoredFile:
        """Keep the bytes of `source`. Raises StoreFull or StoreBroken, and keeps nothing."""
        file_id = str(uuid.uuid4())
        with self.transaction() as database:
            if number_of(database, _COUNT_FILES, owner) >= MAX_FILES:
                raise StoreFull(f"there are {MAX_FILES} files of this key: delete some")
            if number_of(database, _SIZE) + size > self._files_bytes:
                raise StoreFull("the server has no room for this file now: delete others, or try again later")
            values = (file_id, owner, filename, size, self.now(), reference)
            database.execute(
                "INSERT INTO files (id, owner, filename, size, created, reference) VALUES (?, ?, ?, ?, ?, ?)", values
            )
        part = self._folder / f"{file_id}.part"
        try:
            with part.open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
            part.replace(self.path(file_id))
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            with self.transaction() as database:
                database.execute("DELETE FROM files WHERE id = ?", (file_id,))
            raise broken(error) from error
        found = self.file(owner, file_id)
        if found is None:
            raise StoreBroken("the file was too old before it was kept")
        return found

    def file(self, owner: str, file_id: str) -> StoredFile | None:
        """One of an owner's files."""
        rows = self.select(_FILE, owner, file_id)
        return StoredFile(*rows[0]) if rows else None

    def files(self, owner: str, limit: int, below: int | None = None) -> list[StoredFile]:
        """An owner's files, the newest first, from below a number on."""
        return [StoredFile(*row) for row in self.select(_FILES, owner, below_of(below), limit)]

    def count_files(self, owner: str) -> int:
        """How many files an owner has."""
        return int(self.select(_COUNT_FILES, owner)[0][0]) if self.there else 0

    def delete_file(self, owner: str, file_id: str) -> bool:
        """Delete a file; whether there was one. Whoever reads it now reads on."""
        if not self.there:
            return False
        with self.transaction() as database:
            gone = database.execute("DELETE FROM files WHERE owner = ? AND id = ?", (owner, file_id)).rowcount > 0
            if gone:
                self.path(file_id).unlink(missing_ok=True)
        return gone
