"""The folder of what clients uploaded: bytes in files, everything else in an SQLite database beside them.

Whatever a client sends is only ever a value in the database: files are named by ids that are made here. Nothing is
older than `files_s`. All of it blocks, and may be called from any thread.

    StoreError
    ├── StoreFull     there is no room for one more
    ├── StoreBroken   the folder cannot be written or read
    └── NotOver       a transcription is being worked on
"""

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

log = logging.getLogger("dragoman.server.uploads")

TO_FETCH, FETCHING, QUEUED, PROCESSING, COMPLETED, BROKEN = (
    "to_fetch", "fetching", "queued", "processing", "completed", "error",
)  # fmt: skip
"""What becomes of a transcription, in this order; the first two only where its file is elsewhere."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, owner TEXT NOT NULL, filename TEXT NOT NULL,
    size INTEGER NOT NULL, created REAL NOT NULL, reference TEXT);
CREATE TABLE IF NOT EXISTS transcriptions (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, owner TEXT NOT NULL, file_id TEXT NOT NULL,
    filename TEXT NOT NULL, created REAL NOT NULL, status TEXT NOT NULL, request TEXT NOT NULL, audio_ms INTEGER,
    error_type TEXT, error_message TEXT, transcript TEXT);
CREATE TABLE IF NOT EXISTS batches (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, kind TEXT NOT NULL, created REAL NOT NULL, started REAL,
    request TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS files_of ON files (owner, number);
CREATE INDEX IF NOT EXISTS transcriptions_of ON transcriptions (owner, number);
CREATE INDEX IF NOT EXISTS transcriptions_by ON transcriptions (status);
CREATE INDEX IF NOT EXISTS batches_of ON batches (owner);
"""
_ADDED = {
    "vendor": "TEXT NOT NULL DEFAULT 'soniox'",
    "batch": "TEXT",
    "calls_left": "INTEGER NOT NULL DEFAULT 0",
    "call_due": "REAL NOT NULL DEFAULT 0",
    "call_status": "INTEGER",
}
"""Columns of transcriptions that older folders lack."""


class StoreError(Exception):
    """The store cannot do what it is asked to; the message is one sentence for the client."""


class StoreFull(StoreError):
    """There is no room for one more."""


class StoreBroken(StoreError):
    """The folder cannot be written or read; the operator must look."""


class NotOver(StoreError):
    """A transcription is being worked on."""


class Shelf:
    """The folder; it is made when something is kept for the first time."""

    def __init__(self, folder: Path, *, files_bytes: int, files_s: float, now: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._files_bytes = files_bytes
        self._files_s = files_s
        self.now = now
        """Seconds since 1970."""
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._claim = FileLock(folder / "index.lock", thread_local=False)
        """Held while the database is open: another server would take up this one's work."""

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
            with self.transaction():
                pass

    def path(self, file_id: str) -> Path:
        """Where the bytes of a file are; the id is one of ours."""
        return self._folder / f"{file_id}.audio"

    @property
    def there(self) -> bool:
        """Whether anything was ever kept."""
        return self._connection is not None or (self._folder / "index.sqlite").exists()

    def select(self, query: str, *values: object) -> list[Any]:
        """The rows of a query."""
        if not self.there:
            return []
        with self.transaction() as database:
            return database.execute(query, values).fetchall()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One transaction, in which nothing is too old. Raises StoreBroken."""
        with self._lock:
            try:
                database = self._connection = self._connection or self._open()
                with database:
                    self._delete_old(database)
                    yield database
            except (sqlite3.Error, OSError) as error:
                raise broken(error) from error

    def _open(self) -> sqlite3.Connection:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._claim.acquire(timeout=0)
        except Timeout as error:
            raise broken(OSError(f"another server uses {self._folder}: give each a files_dir of its own")) from error
        connection = sqlite3.connect(self._folder / "index.sqlite", check_same_thread=False)
        try:
            (self._folder / "index.sqlite").chmod(0o600)
            connection.executescript(_SCHEMA)
            there = {row[1] for row in connection.execute("PRAGMA table_info(transcriptions)")}
            for name, kind in _ADDED.items():
                if name not in there:
                    connection.execute(f"ALTER TABLE transcriptions ADD COLUMN {name} {kind}")
        except BaseException:
            connection.close()
            self._claim.release()
            raise
        return connection

    def _delete_old(self, database: sqlite3.Connection) -> None:
        before = self.now() - self._files_s
        for (file_id,) in database.execute("SELECT id FROM files WHERE created < ?", (before,)).fetchall():
            self.path(file_id).unlink(missing_ok=True)
        database.execute("DELETE FROM files WHERE created < ?", (before,))
        database.execute("DELETE FROM transcriptions WHERE created < ? AND status != ?", (before, PROCESSING))
        database.execute("DELETE FROM batches WHERE created < ?", (before,))


def number_of(database: sqlite3.Connection, query: str, *values: object) -> int:
    """The only value of a query's only row."""
    (found,) = database.execute(query, values).fetchone()
    return int(found)


def below_of(number: int | None) -> int:
    """Where a page begins; None: at the newest."""
    return number if number is not None else (1 << 62)


def broken(error: Exception) -> StoreBroken:
    """The log says what is wrong, the client that something is."""
    log.error("the folder of uploaded files cannot be used: %s", error)
    return StoreBroken("the server cannot keep files now")
