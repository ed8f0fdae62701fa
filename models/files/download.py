"""One file from a server: resumed where it broke off, checked, and only then called by its name."""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from dragoman.models.files.errors import DownloadFailed, NotPublished, Unreachable
from dragoman.models.files.http import Again, HttpClient, Patience, root_cause
from dragoman.models.files.manifest import FileRecord, digests

_CHUNK_BYTES = 1 << 15  # what a broken connection loses at most
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_END = re.compile(r"bytes \*/(\d+)")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_GIT = re.compile(r"[0-9a-f]{40}")


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


def published(client: HttpClient, url: str, watch: Watch) -> Expected:
    """What the server says of a file: its size, where it does, and its sum, where it is a hub.

    Raises NotPublished and Unreachable.
    """
    patience = Patience(client.clock, watch.said)
    while True:
        try:
            with client.open(url, method="HEAD") as answer:
                return _told_by(answer)
        except Again as failure:
            patience.wait(url, failure)
        except (NotPublished, Unreachable):
            raise
        except DownloadFailed:  # a server may refuse this question and still give the file
            return Expected()


def download(client: HttpClient, url: str, target: Path, expected: Expected, watch: Watch) -> FileRecord:
    """Pull `url` into `target` and check it. What an interrupted pull left beside `target` is gone on with.

    Raises DownloadFailed, also where the file is not the expected one, and OSError where it cannot be written.
    """
    part, mark_file = _beside(target, ".part"), _beside(target, ".part.json")
    patience = Patience(client.clock, watch.said)
    while True:
        before = _size(part)
        try:
            _get(client, url, part, mark_file, expected, watch)
            break
        except Again as failure:
            if _size(part) > before:
                patience.progressed()
            patience.wait(url, failure)
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


def _get(client: HttpClient, url: str, part: Path, mark_file: Path, expected: Expected, watch: Watch) -> None:
    """Append to `part` what it lacks. Raises Again where more can be had, DownloadFailed and OSError."""
    have, mark = _size(part), _read_mark(mark_file, url)
    usable = expected.has_sum or bool(mark.validator)  # else nothing would tell a mixture of two files
    if have and (not usable or (expected.size is not None and have > expected.size)):
        have = _restart(part, have, watch)
    if have and have in (expected.size, mark.total):
        return
    headers = {}
    if have:
        headers["Range"] = f"bytes={have}-"
        if mark.validator:
            headers["If-Range"] = mark.validator
    with client.open(url, headers) as answer:
        if answer.status_code == 416:
            end = _END.fullmatch(answer.headers.get("Content-Range", ""))
            if end and int(end[1]) == have:
                return
            _restart(part, have, watch)
            raise Again("the server does not know the rest of what was begun; starting again")
        start, total = _extent(answer)
        if start not in (0, have):
            raise Again("the server sent another part than it was asked for")
        if start != have:
            have = _restart(part, have, watch)
        if expected.size is not None and total not in (None, expected.size):
            raise DownloadFailed(url, _other(f"{total:,} bytes instead of {expected.size:,}"))
        mark = _Mark(url, _validator(answer), total)
        _write_mark(mark_file, mark)
        _append(answer, part, url, watch)
    wanted = total if total is not None else expected.size
    if wanted is not None and _size(part) < wanted:
        raise Again(f"the connection to {urlsplit(url).netloc} ended {wanted - _size(part):,} bytes early")


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


def _told_by(answer: requests.Response) -> Expected:
    """A hub gives large files a SHA-256 and leads to them, and tags the others with the name that git gives them."""
    heads = [*answer.history, answer]
    linked = next((head.headers for head in heads if "X-Linked-Etag" in head.headers), None)
    headers = answer.headers if linked is None else linked
    length = headers.get("Content-Length" if linked is None else "X-Linked-Size", "")
    size = int(length) if length.isdigit() else None
    tag = headers.get("ETag" if linked is None else "X-Linked-Etag", "").removeprefix("W/").strip('"')
    if _SHA256.fullmatch(tag) and linked is not None:
        return Expected(size, sha256=tag)
    from_hub = any("X-Repo-Commit" in head.headers for head in heads)
    return Expected(size, git=tag if from_hub and _GIT.fullmatch(tag) else "")


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
    table = {"url": mark.url, "validator": mark.validator, "total": mark.total}
    path.write_text(json.dumps(table), encoding="utf-8")


def _beside(target: Path, ending: str) -> Path:
    return target.with_name(target.name + ending)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
