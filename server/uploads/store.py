"""What is to become of uploaded files, and what came of it: the queue of transcriptions, of all vendors."""

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dragoman.server.uploads.files import Files
from dragoman.server.uploads.shelf import (
    BROKEN,
    COMPLETED,
    FETCHING,
    PROCESSING,
    QUEUED,
    TO_FETCH,
    NotOver,
    StoreFull,
    below_of,
    number_of,
)

MAX_TRANSCRIPTIONS, MAX_PENDING = 2_000, 100
"""Of one owner, as with Soniox; pending are those that are not over."""
FETCHED = " fetched"
"""Files that the server fetched belong to an owner's name with this behind it, which nobody has."""


@dataclass(frozen=True, slots=True)
class Transcription:
    """A file that is or was to be transcribed. `request` is what the client asked for; `call_status` what its webhook
    answered last."""

    number: int
    id: str
    owner: str
    file_id: str
    filename: str
    created: float
    status: str
    vendor: str
    request: Mapping[str, Any]
    audio_ms: int | None = None
    error_type: str | None = None
    error_message: str | None = None
    call_status: int | None = None


def _select(rest: str, more: str = "") -> str:
    """A query for transcriptions, all of whose parts are written here."""
    return f"""SELECT number, id, owner, file_id, filename, created, status, vendor, request, audio_ms, error_type,
        error_message, call_status{more} FROM transcriptions {rest}"""  # noqa: S608


_ONE = _select("WHERE owner = ? AND id = ?")
_PAGE = _select("WHERE owner = ? AND number < ? ORDER BY number DESC LIMIT ?")
_OLDEST = _select("WHERE status = ? GROUP BY owner", ", MIN(number)")
_DUE = _select("WHERE status IN (?, ?) AND calls_left > 0 AND call_due <= ? GROUP BY owner", ", MIN(number)")
_NEXT_DUE = "SELECT MIN(call_due) FROM transcriptions WHERE status IN (?, ?) AND calls_left > 0"
_OF_BATCH = _select("WHERE owner = ? AND batch = ? ORDER BY number")
_COUNT = "SELECT COUNT(*) FROM transcriptions WHERE owner = ?"
_COUNT_PENDING = "SELECT COUNT(*) FROM transcriptions WHERE owner = ? AND status IN (?, ?, ?, ?)"
_COUNT_QUEUED = "SELECT COUNT(*) FROM transcriptions WHERE status IN (?, ?)"
_OVER = """UPDATE transcriptions SET status = ?, audio_ms = ?, error_type = ?, error_message = ?, transcript = ?
    WHERE id = ?"""
_INSERT = """INSERT INTO transcriptions
    (id, owner, file_id, filename, created, status, request, vendor, batch, calls_left)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


PENDING = (TO_FETCH, FETCHING, QUEUED, PROCESSING)


class Store(Files):
    """The files of a folder and their transcriptions."""

    def resume(self) -> bool:
        """What another run left: what it worked on is queued again, what it had not finished writing is deleted.

        Returns whether anything waits.
        """
        if not (self._folder / "index.sqlite").exists():
            return False
        with self.transaction() as database:
            for before, after in ((PROCESSING, QUEUED), (FETCHING, TO_FETCH)):
                database.execute("UPDATE transcriptions SET status = ? WHERE status = ?", (after, before))
            database.execute("UPDATE transcriptions SET call_due = 0 WHERE calls_left > 0")
            known = {row[0] for row in database.execute("SELECT id FROM files")}
            there = {path.name: path for path in self._folder.glob("*.audio")}
            for lost in known - {name.removesuffix(".audio") for name in there}:
                database.execute("DELETE FROM files WHERE id = ?", (lost,))
            for name, path in there.items():
                if name.removesuffix(".audio") not in known:
                    path.unlink(missing_ok=True)
            for path in self._folder.glob("*.part"):
                path.unlink(missing_ok=True)
            return number_of(database, _COUNT_QUEUED, QUEUED, TO_FETCH) > 0

    # Transcriptions.

    def order(
        self, owner: str, file_id: str, request: Mapping[str, Any], *, vendor: str = "soniox", calls: int = 0
    ) -> Transcription | None:
        """Put a file into the queue; None where the owner has no such file. `calls`: how often to try to tell its
        webhook when it is over. Raises StoreFull.
        """
        file = self.file(owner, file_id)
        if file is None:
            return None
        (uid,) = self._insert(owner, [(file_id, file.filename)], QUEUED, request, vendor=vendor, calls=calls)
        return self.transcription(owner, uid)

    def order_fetched(
        self, owner: str, filename: str, request: Mapping[str, Any], *, calls: int = 0
    ) -> Transcription | None:
        """Put a file that is elsewhere into the queue. Raises StoreFull."""
        (uid,) = self._insert(owner, [("", filename)], TO_FETCH, request, vendor="soniox", calls=calls)
        return self.transcription(owner, uid)

    def _insert(
        self,
        owner: str,
        files: Sequence[tuple[str, str]],
        status: str,
        request: Mapping[str, Any],
        *,
        vendor: str,
        batch: str | None = None,
        calls: int = 0,
    ) -> list[str]:
        uids = [str(uuid.uuid4()) for _ in files]
        with self.transaction() as database:
            if number_of(database, _COUNT, owner) + len(files) > MAX_TRANSCRIPTIONS:
                raise StoreFull(f"there are {MAX_TRANSCRIPTIONS} transcriptions of this key: delete some")
            pending = number_of(database, _COUNT_PENDING, owner, *PENDING)
            if pending + len(files) > MAX_PENDING:
                raise StoreFull(f"{MAX_PENDING} transcriptions of this key are not over: try again later")
            now, wanted = self.now(), json.dumps(request)
            rows = [
                (uid, owner, file_id, name, now, status, wanted, vendor, batch, calls)
                for uid, (file_id, name) in zip(uids, files, strict=True)
            ]
            database.executemany(_INSERT, rows)
        return uids

    def transcription(self, owner: str, uid: str) -> Transcription | None:
        """One of an owner's transcriptions."""
        rows = self.select(_ONE, owner, uid)
        return _transcription(rows[0]) if rows else None

    def transcriptions(self, owner: str, limit: int, below: int | None = None) -> list[Transcription]:
        """An owner's transcriptions, the newest first, from below a number on."""
        return [_transcription(row) for row in self.select(_PAGE, owner, below_of(below), limit)]

    def count_transcriptions(self, owner: str) -> int:
        """How many transcriptions an owner has."""
        return int(self.select(_COUNT, owner)[0][0]) if self.there else 0

    def transcript(self, owner: str, uid: str) -> str | None:
        """What was recognised, as JSON; None where that is not known."""
        rows = self.select("SELECT transcript FROM transcriptions WHERE owner = ? AND id = ?", owner, uid)
        return rows[0][0] if rows else None

    def delete_transcription(self, owner: str, uid: str) -> bool:
        """Delete a transcription, never its file; whether there was one. Raises NotOver."""
        found = self.transcription(owner, uid)
        if found is None:
            return False
        if found.status == PROCESSING:
            raise NotOver("the transcription is being worked on: delete it when it is over")
        with self.transaction() as database:
            database.execute("DELETE FROM transcriptions WHERE owner = ? AND id = ?", (owner, uid))
        return True

    # The queue.

    def next(self, served: Mapping[str, int], status: str = QUEUED) -> Transcription | None:
        """Take the next one to be worked on, or to be fetched: of the owner who was served longest ago the oldest."""
        if not self.there:
            return None
        with self.transaction() as database:
            found = _longest_ago(database.execute(_OLDEST, (status,)).fetchall(), served)
            if found is not None:
                taken = PROCESSING if status == QUEUED else FETCHING
                database.execute("UPDATE transcriptions SET status = ? WHERE id = ?", (taken, found.id))
        return found

    def fetched(self, uid: str, file_id: str) -> bool:
        """Its file is here now; whether anybody still wants it."""
        with self.transaction() as database:
            values = (file_id, QUEUED, uid)
            return (
                database.execute("UPDATE transcriptions SET file_id = ?, status = ? WHERE id = ?", values).rowcount > 0
            )

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
        with self.transaction() as database:
            database.execute(_OVER, (status, audio_ms, *error, transcript, uid))

    # Webhooks.

    def next_call(self, served: Mapping[str, int], busy: Collection[str], lease_s: float) -> Transcription | None:
        """Take the next one whose webhook is to be told that it is over; it is not given again for `lease_s`."""
        if not self.there:
            return None
        with self.transaction() as database:
            rows = database.execute(_DUE, (COMPLETED, BROKEN, self.now())).fetchall()
            found = _longest_ago([row for row in rows if row[2] not in busy], served)
            if found is not None:
                due = self.now() + lease_s
                database.execute("UPDATE transcriptions SET call_due = ? WHERE id = ?", (due, found.id))
        return found

    def next_call_at(self) -> float | None:
        """When a webhook is to be told something, None: not as far as is known."""
        rows = self.select(_NEXT_DUE, COMPLETED, BROKEN)
        return rows[0][0] if rows else None

    def called(self, uid: str, status: int | None, pauses_s: Sequence[float], *, done: bool) -> None:
        """A webhook was tried, and answered with `status` or not at all. `pauses_s` stand between the tries."""
        with self.transaction() as database:
            rows = database.execute("SELECT calls_left FROM transcriptions WHERE id = ?", (uid,)).fetchall()
            left = 0 if done or not rows else rows[0][0] - 1
            due = self.now() + (pauses_s[-left] if left else 0.0)
            database.execute(
                "UPDATE transcriptions SET calls_left = ?, call_due = ?, call_status = ? WHERE id = ?",
                (left, due, status, uid),
            )


def _longest_ago(rows: list[Any], served: Mapping[str, int]) -> Transcription | None:
    found = (_transcription(row[:-1]) for row in rows)
    return min(found, key=lambda one: (served.get(one.owner, 0), one.number), default=None)


def _transcription(row: tuple[Any, ...]) -> Transcription:
    number, uid, owner, file_id, filename, created, status, vendor, request, *rest = row
    return Transcription(number, uid, owner, file_id, filename, created, status, vendor, json.loads(request), *rest)
