#!/usr/bin/env python3
"""Ask Mozilla which translation models there are now, and print those that the catalogue has not, or not so new.

    python scripts/firefox_models.py >> ~/.local/share/dragoman/models/models.toml
    python scripts/firefox_models.py --records records.json

The lines are entries for a file `models.toml` in the folder of models (docs/models.md); then they can be pulled. The
records are those of Mozilla's Remote Settings, collection translations-models: one for each file, with its place,
its size and its SHA-256. Of each pair the newest version is taken that is released to all and whole. Run it where the
service can be reached; nothing but the records is asked for.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dragoman.models.files.catalogue import Catalogue, Entry, is_name
from dragoman.models.files.http import HttpClient, body_of

RECORDS = "https://firefox.settings.services.mozilla.com/v1/buckets/main/collections/translations-models/records"
MOST_BYTES = 32 << 20
WRITTEN = {"zh-Hans": "zh"}
"""Languages that Mozilla tells apart by their script; others of that kind have no code of two letters."""

SHARED, APART = {"model", "lex", "vocab"}, {"model", "lex", "srcvocab", "trgvocab"}

Record = Mapping[str, Any]
Version = tuple[int, ...]


def entries(records: Iterable[Record], catalogue: Catalogue) -> Iterator[str]:
    """Entries in TOML for what is newer than the catalogue, or not in it, by name."""
    found: dict[str, dict[Version, dict[str, Record]]] = {}
    for record in records:
        name = _name(record)
        if (version := _version(record)) and is_name("firefox", name) and not record.get("filter_expression"):
            found.setdefault(name, {}).setdefault(version, {})[record["fileType"]] = record
    for name, versions in sorted(found.items()):
        whole = [version for version, files in versions.items() if set(files) in (SHARED, APART)]
        if whole and max(whole) > _known(catalogue.find(name)):
            yield _entry(name, versions[max(whole)])


def _name(record: Record) -> str:
    source, target = (WRITTEN.get(record[key], record[key]) for key in ("sourceLanguage", "targetLanguage"))
    return f"firefox-{source}_{target}"


def _version(record: Record) -> Version:
    """2.1 as (2, 1); nothing for what is not released yet (2.1a1)."""
    version = str(record.get("version", ""))
    return tuple(map(int, version.split("."))) if re.fullmatch(r"[0-9]+(\.[0-9]+)+", version) else ()


def _known(entry: Entry | None) -> Version:
    return tuple(map(int, entry.version.split("."))) if entry is not None and entry.version else ()


def _entry(name: str, files: Mapping[str, Record]) -> str:
    source, target = name.removeprefix("firefox-").split("_")
    lines = ["[[firefox]]", f'name = "{name}"', f'languages = ["{source}", "{target}"]', 'licence = "MPL-2.0"']
    lines += [f'version = "{files["model"]["version"]}"', "files = ["]
    for kind in sorted(files, key=lambda kind: (kind != "model", kind)):
        attachment = files[kind]["attachment"]
        facts = {"path": attachment["location"], "called": attachment["filename"]}
        facts |= {"size": int(attachment["size"]), "sha256": attachment["hash"]}
        lines.append(f"    {{ {', '.join(f'{key} = {json.dumps(value)}' for key, value in facts.items())} }},")
    return "\n".join([*lines, "]", ""])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", default=RECORDS, help="where the records are: an address or a file")
    place = parser.parse_args().records
    if Path(place).is_file():
        text = Path(place).read_bytes()
    else:
        client = HttpClient()
        with client.open(place) as answer:
            text = body_of(answer, MOST_BYTES)
        client.close()
    for entry in entries(json.loads(text)["data"], Catalogue.load()):
        print(entry)
    return 0


if __name__ == "__main__":
    sys.exit(main())
