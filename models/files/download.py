"""One file from a server: resumed where it broke off, checked, and only then called by its name."""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from dragoman.models.files.errors import DownloadFailed, NotPublished
from dragoman.models.files.http import Again, HttpClient, Patience, root_cause
from dragoman.models.files.manifest import FileRecord, digests

_CHUNK_BYTES = 1 << 15  # what a broken connection loses at most
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_END = re.compile(r"bytes \*/(\d+)")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of a file before it is pulled. `git` is the name that git gives its content."""

    size: int | None = None
    sha256: str = ""
    md5: str = ""
    git: str = ""

    @property
    def has_sum(self) -> bool:
        return bool(self.sha256 or self.md5 or self.git)


@dataclass(slots=True)
class Watch:
    """Whom a pull tells how it goes: `moved` of bytes (less than none when it starts again), `said` in words."""

    moved: Callable[[int], None] = lambda _: None
    said: Callable[[str], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class _Mark:
    """What the server said of the file that a partial one is the beginning of."""

    url: str
    validator: str = ""
    total: int | None = None
    sha256: str = ""


def size_of(client: HttpClient, url: str, watch: Watch) -> int | None:
    """The size that the server gives for a file, in bytes, or None where it gives none. Raises DownloadFailed."""
    patience = Patience(client.clock, watch.said)
    while True:
        try:
            with client.open(url, method="HEAD") as answer:
                linked = next((one.headers["X-Linked-Size"] for one in _chain(answer, "X-Linked-Size")), "")
                length = linked or answer.headers.get("Content-Length", "")
                return int(length) if length.isdigit() else None
        except Again as failure:
            patience.wait(url, failure)
        except NotPublished:
            raise
        except DownloadFailed:  # a server may refuse this question and still give the file
            return None


def download(client: HttpClient, url: str, target: Path, expected: Expected, watch: Watch) -> FileRecord:
    """Pull `url` into `target` and check it. What an interrupted pull left beside `target` is gone on with.

    Raises DownloadFailed, also where the file is not the expected one, and OSError where it cannot be written.
    """
    part, mark_file = _beside(target, ".part"), _beside(target, ".part.json")
    patience = Patience(client.clock, watch.said)
    while True:
        before = _size(part)
        try:
            mark = _get(client, url, part, mark_file, expected, watch)
            break
        except Again as failure:
            if _size(part) > before:
                patience.progressed()
            patience.wait(url, failure)
    if not expected.has_sum and mark.sha256:
        expected = Expected(expected.size, sha256=mark.sha256)
    try:
        record = _checked(url, part, target.name, expected)
    except DownloadFailed:
        part.unlink(missing_ok=True)
        mark_file.unlink(missing_ok=True)
        raise
    part.replace(target)
    mark_file.unlink(missing_ok=True)
    return record


def pulled_bytes(target: Path) -> int:
    """How much of `target` is here already, whole or in part."""
    return _size(target) or _size(_beside(target, ".part"))


def _get(client: HttpClient, url: str, part: Path, mark_file: Path, expected: Expected, watch: Watch) -> _Mark:
    """Append to `part` what it lacks. Raises Again where more can be had, DownloadFailed and OSError."""
    have, mark = _size(part), _read_mark(mark_file, url)
    usable = expected.has_sum or bool(mark.validator)  # else nothing would tell a mixture of two files
    if have and (not usable or (expected.size is not None and have > expected.size)):
        have = _restart(part, have, watch)
    if have and have in (expected.size, mark.total):
        return mark
    headers = {}
    if have:
        headers["Range"] = f"bytes={have}-"
        if mark.validator:
            headers["If-Range"] = mark.validator
    with client.open(url, headers) as answer:
        if answer.status_code == 416:
            end = _END.fullmatch(answer.headers.get("Content-Range", ""))
            if end and int(end[1]) == have:
                return mark
            _restart(part, have, watch)
            raise Again("the server does not know the rest of what was begun; starting again")
        start, total = _extent(answer)
        if start not in (0, have):
            raise Again("the server sent another part than it was asked for")
        if start != have:
            have = _restart(part, have, watch)
        if expected.size is not None and total not in (None, expected.size):
            raise DownloadFailed(url, _other(f"{total:,} bytes instead of {expected.size:,}"))
        mark = _Mark(url, _validator(answer), total, _linked_sum(answer))
        _write_mark(mark_file, mark)
        _append(answer, part, url, watch)
    wanted = total if total is not None else expected.size
    if wanted is not None and _size(part) < wanted:
        raise Again(f"the connection to {urlsplit(url).netloc} ended {wanted - _size(part):,} bytes early")
    return mark


def _append(answer: requests.Response, part: Path, url: str, watch: Watch) -> None:
    with part.open("ab") as file:
        try:
            for chunk in answer.iter_content(_CHUNK_BYTES):
                file.write(chunk)
                watch.moved(len(chunk))
        except requests.RequestException as error:
            raise Again(f"the connection to {urlsplit(url).netloc} broke ({root_cause(error)})") from error
        finally:
            file.flush()
            os.fsync(file.fileno())


def _checked(url: str, part: Path, name: str, expected: Expected) -> FileRecord:
    size = _size(part)
    if expected.size is not None and size != expected.size:
        raise DownloadFailed(url, _other(f"{size:,} bytes instead of {expected.size:,}"))
    wanted = {"sha256": expected.sha256, "md5": expected.md5, "git": expected.git}
    kinds = [kind for kind, value in wanted.items() if value]
    found = digests(part, list(dict.fromkeys(["sha256", *kinds])))
    for kind in kinds:
        if found[kind] != wanted[kind]:
            raise DownloadFailed(url, _other(f"its {kind} is {found[kind]} instead of {wanted[kind]}"))
    return FileRecord(name, size, found["sha256"], kinds[0] if kinds else "")


def _other(difference: str) -> str:
    return (
        f"it is not the expected file: {difference}. It was thrown away; pull it again, and if that gives the same, "
        "the mirror (hub_url, argos_url, firefox_url) has another file than the catalogue knows"
    )


def _extent(answer: requests.Response) -> tuple[int, int | None]:
    """Where in the file the answer's body begins, and the size of the whole file if it is told."""
    if answer.status_code == 206:
        told = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if told is None:
            raise Again("the server sent a part and does not say which")
        return int(told[1]), int(told[2])
    length = answer.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() and "Content-Encoding" not in answer.headers else None


def _validator(answer: requests.Response) -> str:
    """What a later request must name to get the rest of the same file. A weak tag does not promise the same bytes."""
    tag = answer.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")


def _linked_sum(answer: requests.Response) -> str:
    """The SHA-256 that the hub puts into the head of the answer which leads to a large file."""
    for one in _chain(answer, "X-Linked-Etag"):
        value = one.headers["X-Linked-Etag"].strip('"')
        if _SHA256.fullmatch(value):
            return value
    return ""


def _chain(answer: requests.Response, header: str) -> list[requests.Response]:
    return [one for one in (*answer.history, answer) if header in one.headers]


def _restart(part: Path, have: int, watch: Watch) -> int:
    part.unlink(missing_ok=True)
    watch.moved(-have)
    return 0


def _read_mark(path: Path, url: str) -> _Mark:
    try:
        mark = _Mark(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return _Mark(url)
    return mark if mark.url == url else _Mark(url)


def _write_mark(path: Path, mark: _Mark) -> None:
    table = {"url": mark.url, "validator": mark.validator, "total": mark.total, "sha256": mark.sha256}
    path.write_text(json.dumps(table), encoding="utf-8")


def _beside(target: Path, ending: str) -> Path:
    return target.with_name(target.name + ending)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
