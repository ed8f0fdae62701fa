"""What clients uploaded and what came of it: bytes in a folder, everything else in an SQLite file beside them.

Whatever a client sends is only ever a value in the database: files are named by ids that are made here. Everything
belongs to an owner, and nobody sees what another one's is. Nothing is older than `files_s`. All of it blocks, and may
be called from any thread.
"""

import contextlib
import json
import logging
import shutil
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout

log = logging.getLogger("dragoman.server.soniox")

MAX_FILES, MAX_TRANSCRIPTIONS, MAX_PENDING = 10_000, 2_000, 100
"""Of one owner, as with the vendor; pending are those that are not over."""

QUEUED, PROCESSING, COMPLETED, BROKEN = "queued", "processing", "completed", "error"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, owner TEXT NOT NULL, filename TEXT NOT NULL,
    size INTEGER NOT NULL, created REAL NOT NULL, reference TEXT);
CREATE TABLE IF NOT EXISTS transcriptions (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, owner TEXT NOT NULL, file_id TEXT NOT NULL,
    filename TEXT NOT NULL, created REAL NOT NULL, status TEXT NOT NULL, request TEXT NOT NULL, audio_ms INTEGER,
    error_type TEXT, error_message TEXT, transcript TEXT);
CREATE INDEX IF NOT EXISTS files_of ON files (owner, number);
CREATE INDEX IF NOT EXISTS transcriptions_of ON transcriptions (owner, number);
CREATE INDEX IF NOT EXISTS transcriptions_by ON transcriptions (status);
"""


class StoreError(Exception):
    """The store cannot do what it is asked to; the message is one sentence for the client."""


class StoreFull(StoreError):
    """There is no room for one more."""


class StoreBroken(StoreError):
    """The folder cannot be written or read; the operator must look."""


class NotOver(StoreError):
    """A transcription is being worked on."""


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


@dataclass(frozen=True, slots=True)
class Transcription:
    """A file that is or was to be transcribed. `request` is what the client asked for."""

    number: int
    id: str
    owner: str
    file_id: str
    filename: str
    created: float
    status: str
    request: Mapping[str, Any]
    audio_ms: int | None = None
    error_type: str | None = None
    error_message: str | None = None


_FILE = "SELECT number, id, owner, filename, size, created, reference FROM files WHERE owner = ? AND id = ?"
_FILES = """SELECT number, id, owner, filename, size, created, reference FROM files
    WHERE owner = ? AND number < ? ORDER BY number DESC LIMIT ?"""
_COUNT_FILES = "SELECT COUNT(*) FROM files WHERE owner = ?"
_SIZE = "SELECT COALESCE(SUM(size), 0) FROM files"

_ONE = """SELECT number, id, owner, file_id, filename, created, status, request, audio_ms, error_type, error_message
    FROM transcriptions WHERE owner = ? AND id = ?"""
_PAGE = """SELECT number, id, owner, file_id, filename, created, status, request, audio_ms, error_type, error_message
    FROM transcriptions WHERE owner = ? AND number < ? ORDER BY number DESC LIMIT ?"""
_OLDEST = """SELECT number, id, owner, file_id, filename, created, status, request, audio_ms, error_type, error_message,
    MIN(number) FROM transcriptions WHERE status = ? GROUP BY owner"""
_COUNT = "SELECT COUNT(*) FROM transcriptions WHERE owner = ?"
_COUNT_PENDING = "SELECT COUNT(*) FROM transcriptions WHERE owner = ? AND status IN (?, ?)"
_COUNT_QUEUED = "SELECT COUNT(*) FROM transcriptions WHERE status = ?"
_OVER = """UPDATE transcriptions SET status = ?, audio_ms = ?, error_type = ?, error_message = ?, transcript = ?
    WHERE id = ?"""


class Store:
    """The folder; it is made when the first file comes."""

    def __init__(self, folder: Path, *, files_bytes: int, files_s: float, now: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._files_bytes = files_bytes
        self._files_s = files_s
        self._now = now
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._claim = FileLock(folder / "index.lock", thread_local=False)
        """Held while the database is open: another server would take up this one's work."""

    def resume(self) -> bool:
        """What another run left: what it worked on is queued again, what it had not finished writing is deleted.

        Returns whether anything waits.
        """
        if not (self._folder / "index.sqlite").exists():
            return False
        with self._database() as database:
            database.execute("UPDATE transcriptions SET status = ? WHERE status = ?", (QUEUED, PROCESSING))
            known = {row[0] for row in database.execute("SELECT id FROM files")}
            there = {path.name: path for path in self._folder.glob("*.audio")}
            for lost in known - {name.removesuffix(".audio") for name in there}:
                database.execute("DELETE FROM files WHERE id = ?", (lost,))
            for name, path in there.items():
                if name.removesuffix(".audio") not in known:
                    path.unlink(missing_ok=True)
            for path in self._folder.glob("*.part"):
                path.unlink(missing_ok=True)
            return _number(database, _COUNT_QUEUED, QUEUED) > 0

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
                self._claim.release()

    def expire(self) -> None:
        """Delete what is too old, if there is a folder."""
        if (self._folder / "index.sqlite").exists():
            with self._database():
                pass

    # Files.

    def put(self, owner: str, filename: str, reference: str | None, source: IO[bytes], size: int) -> StoredFile:
        """Keep the bytes of `source`. Raises StoreFull or StoreBroken, and keeps nothing."""
        file_id = str(uuid.uuid4())
        with self._database() as database:
            if _number(database, _COUNT_FILES, owner) >= MAX_FILES:
                raise StoreFull(f"there are {MAX_FILES} files of this key: delete some")
            if _number(database, _SIZE) + size > self._files_bytes:
                raise StoreFull("the server has no room for this file now: delete others, or try again later")
            values = (file_id, owner, filename, size, self._now(), reference)
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
            with self._database() as database:
                database.execute("DELETE FROM files WHERE id = ?", (file_id,))
            raise _broken(error) from error
        found = self.file(owner, file_id)
        if found is None:
            raise StoreBroken("the file was too old before it was kept")
        return found

    def path(self, file_id: str) -> Path:
        """Where the bytes of a file are; the id is one of ours."""
        return self._folder / f"{file_id}.audio"

    def file(self, owner: str, file_id: str) -> StoredFile | None:
        """One of an owner's files."""
        rows = self._select(_FILE, owner, file_id)
        return StoredFile(*rows[0]) if rows else None

    def files(self, owner: str, limit: int, below: int | None = None) -> list[StoredFile]:
        """An owner's files, the newest first, from below a number on."""
        return [StoredFile(*row) for row in self._select(_FILES, owner, _below(below), limit)]

    def count_files(self, owner: str) -> int:
        """How many files an owner has."""
        return int(self._select(_COUNT_FILES, owner)[0][0]) if self._there else 0

    def delete_file(self, owner: str, file_id: str) -> bool:
        """Delete a file; whether there was one. Whoever reads it now reads on."""
        if not self._there:
            return False
        with self._database() as database:
            gone = database.execute("DELETE FROM files WHERE owner = ? AND id = ?", (owner, file_id)).rowcount > 0
            if gone:
                self.path(file_id).unlink(missing_ok=True)
        return gone

    # Transcriptions.

    def order(self, owner: str, file_id: str, request: Mapping[str, Any]) -> Transcription | None:
        """Put a file into the queue; None where the owner has no such file. Raises StoreFull."""
        file = self.file(owner, file_id)
        if file is None:
            return None
        with self._database() as database:
            if _number(database, _COUNT, owner) >= MAX_TRANSCRIPTIONS:
                raise StoreFull(f"there are {MAX_TRANSCRIPTIONS} transcriptions of this key: delete some")
            if _number(database, _COUNT_PENDING, owner, QUEUED, PROCESSING) >= MAX_PENDING:
                raise StoreFull(f"{MAX_PENDING} transcriptions of this key are not over: try again later")
            uid = str(uuid.uuid4())
            values = (uid, owner, file_id, file.filename, self._now(), QUEUED, json.dumps(request))
            database.execute(
                "INSERT INTO transcriptions (id, owner, file_id, filename, created, status, request)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                values,
            )
        return self.transcription(owner, uid)

    def transcription(self, owner: str, uid: str) -> Transcription | None:
        """One of an owner's transcriptions."""
        rows = self._select(_ONE, owner, uid)
        return _transcription(rows[0]) if rows else None

    def transcriptions(self, owner: str, limit: int, below: int | None = None) -> list[Transcription]:
        """An owner's transcriptions, the newest first, from below a number on."""
        return [_transcription(row) for row in self._select(_PAGE, owner, _below(below), limit)]

    def count_transcriptions(self, owner: str) -> int:
        """How many transcriptions an owner has."""
        return int(self._select(_COUNT, owner)[0][0]) if self._there else 0

    def transcript(self, owner: str, uid: str) -> str | None:
        """What was recognised, as JSON; None where that is not known."""
        rows = self._select("SELECT transcript FROM transcriptions WHERE owner = ? AND id = ?", owner, uid)
        return rows[0][0] if rows else None

    def delete_transcription(self, owner: str, uid: str) -> bool:
        """Delete a transcription, never its file; whether there was one. Raises NotOver."""
        found = self.transcription(owner, uid)
        if found is None:
            return False
        if found.status == PROCESSING:
            raise NotOver("the transcription is being worked on: delete it when it is over")
        with self._database() as database:
            database.execute("DELETE FROM transcriptions WHERE owner = ? AND id = ?", (owner, uid))
        return True

    # The queue.

    def next(self, served: Mapping[str, int]) -> Transcription | None:
        """Take the next one to be worked on: of the owner who was served longest ago the oldest one."""
        if not self._there:
            return None
        with self._database() as database:
            rows = database.execute(_OLDEST, (QUEUED,)).fetchall()
            if not rows:
                return None
            found = min(
                (_transcription(row[:-1]) for row in rows), key=lambda one: (served.get(one.owner, 0), one.number)
            )
            database.execute("UPDATE transcriptions SET status = ? WHERE id = ?", (PROCESSING, found.id))
        return found

    def put_back(self, uid: str) -> None:
        """It is to be worked on later."""
        self._over(uid, QUEUED)

    def complete(self, uid: str, audio_ms: int, transcript: str) -> None:
        """It is over, and this was recognised."""
        self._over(uid, COMPLETED, audio_ms=audio_ms, transcript=transcript)

    def fail(self, uid: str, kind: str, message: str) -> None:
        """It is over, and nothing came of it."""
        self._over(uid, BROKEN, error=(kind, message))

    def _over(
        self,
        uid: str,
        status: str,
        *,
        audio_ms: int | None = None,
        error: tuple[str | None, str | None] = (None, None),
        transcript: str | None = None,
    ) -> None:
        with self._database() as database:
            database.execute(_OVER, (status, audio_ms, *error, transcript, uid))

    # The database.

    @property
    def _there(self) -> bool:
        return self._connection is not None or (self._folder / "index.sqlite").exists()

    def _select(self, query: str, *values: object) -> list[Any]:
        if not self._there:
            return []
        with self._database() as database:
            return database.execute(query, values).fetchall()

    @contextlib.contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """One transaction, in which nothing is too old. Raises StoreBroken."""
        with self._lock:
            try:
                database = self._connection = self._connection or self._open()
                with database:
                    self._delete_old(database)
                    yield database
            except (sqlite3.Error, OSError) as error:
                raise _broken(error) from error

    def _open(self) -> sqlite3.Connection:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._claim.acquire(timeout=0)
        except Timeout as error:
            raise _broken(OSError(f"another server uses {self._folder}: give each a files_dir of its own")) from error
        connection = sqlite3.connect(self._folder / "index.sqlite", check_same_thread=False)
        try:
            (self._folder / "index.sqlite").chmod(0o600)
            connection.executescript(_SCHEMA)
        except BaseException:
            connection.close()
            self._claim.release()
            raise
        return connection

    def _delete_old(self, database: sqlite3.Connection) -> None:
        before = self._now() - self._files_s
        for (file_id,) in database.execute("SELECT id FROM files WHERE created < ?", (before,)).fetchall():
            self.path(file_id).unlink(missing_ok=True)
        database.execute("DELETE FROM files WHERE created < ?", (before,))
        database.execute("DELETE FROM transcriptions WHERE created < ? AND status != ?", (before, PROCESSING))


def _transcription(row: tuple[Any, ...]) -> Transcription:
    number, uid, owner, file_id, filename, created, status, request, *rest = row
    return Transcription(number, uid, owner, file_id, filename, created, status, json.loads(request), *rest)


def _number(database: sqlite3.Connection, query: str, *values: object) -> int:
    (found,) = database.execute(query, values).fetchone()
    return int(found)


def _below(number: int | None) -> int:
    return number if number is not None else (1 << 62)


def _broken(error: Exception) -> StoreBroken:
    log.error("the folder of uploaded files cannot be used: %s", error)
    return StoreBroken("the server cannot keep files now")
