#!/usr/bin/env python3
"""Ask the hub and Argos whether the catalogue of models is still right. Run it where they can be reached.

    python scripts/check_catalogue.py            every model
    python scripts/check_catalogue.py small      these

For every file: is it there (a HEAD request), has it the size of the catalogue, and the checksum where one is published?
For Argos also: does the index know a newer package, or pairs that the catalogue lacks? Nothing is downloaded but lists.
Ends with 1 if something is wrong; newer packages are only told. The settings apply, DRAGOMAN_HUB_URL for example.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

from dragoman.config.settings import load_settings
from dragoman.models.files.catalogue import Catalogue, Entry, RemoteFile
from dragoman.models.files.download import Watch, published
from dragoman.models.files.errors import DownloadFailed
from dragoman.models.files.http import HttpClient, body_of
from dragoman.models.files.hub import Sources

INDEX = "https://raw.githubusercontent.com/argosopentech/argospm-index/main/index.json"
VOICES = "voices.json"
MOST_BYTES = 32 << 20


class Check:
    """What the servers say, beside what the catalogue says."""

    def __init__(self, sources: Sources, client: HttpClient, index: str) -> None:
        self.sources = sources
        self.client = client
        self.index = index
        self.voices = cache(self._voices)

    def faults(self, entry: Entry) -> Iterator[str]:
        """What is wrong with one entry."""
        for file in entry.files:
            try:
                told = published(self.client, self.sources.url(entry, file), Watch())
            except DownloadFailed as error:
                yield str(error)
                continue
            if told.size is not None and file.size is not None and told.size != file.size:
                yield f"{file.name} has {told.size:,} bytes, the catalogue says {file.size:,}"
            if file.sha256 and told.sha256 not in {"", file.sha256}:
                yield f"{file.name} has the SHA-256 {told.sha256}, the catalogue says {file.sha256}"
            if file.md5 and (md5 := self._md5(entry, file)) not in {"", file.md5}:
                yield f"{file.name} has the MD5 {md5}, the catalogue says {file.md5}"

    def news(self, catalogue: Catalogue) -> Iterator[str]:
        """What the index of Argos has and the catalogue has not."""
        for row in self._json(self.index, []):
            name, version = str(row.get("code")), str(row.get("package_version"))
            entry = catalogue.find(name)
            if entry is None:
                yield f"{name} {version} is in the index of Argos, and not in the catalogue"
            elif entry.version != version:
                yield f"{name} is {version} in the index of Argos, and {entry.version} in the catalogue"

    def _md5(self, entry: Entry, file: RemoteFile) -> str:
        files = self.voices(entry.repo, entry.revision).get(entry.name, {}).get("files", {})
        return str(files.get(file.path, {}).get("md5_digest", ""))

    def _voices(self, repo: str, revision: str) -> dict[str, Any]:
        found = self._json(f"{self.sources.hub}/{repo}/resolve/{revision}/{VOICES}", {})
        return found if isinstance(found, dict) else {}

    def _json(self, url: str, otherwise: Any) -> Any:
        try:
            with self.client.open(url) as answer:
                return json.loads(body_of(answer, MOST_BYTES))
        except Exception as error:  # noqa: BLE001  (whatever it is, the other checks go on)
            print(f"note: {url} cannot be read: {error}")
            return otherwise


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="models to check; without any, all of them")
    parser.add_argument("--index", default=INDEX, help="where the index of Argos is")
    chosen = parser.parse_args()
    settings = load_settings()
    sources = Sources.of(settings)
    catalogue = Catalogue.load(settings.models_path)
    entries = [catalogue.get(name) for name in chosen.names] or list(catalogue)
    client = HttpClient(hub=sources.hub, token=sources.token)
    check, wrong = Check(sources, client, chosen.index), 0
    for entry in entries:
        faults = list(check.faults(entry))
        wrong += bool(faults)
        for fault in faults:
            print(f"wrong: {entry.name}: {fault}")
        if not faults:
            print(f"right: {entry.name}")
    for line in check.news(catalogue):
        print(f"news: {line}")
    client.close()
    print(f"{len(entries) - wrong} of {len(entries)} models are as the catalogue says")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
