"""Mozilla's records as entries of the catalogue."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from dragoman.models.files.catalogue import Catalogue, read_entries
from scripts.firefox_models import entries
from tests.fakes.hub import FakeHub

ROOT = Path(__file__).resolve().parents[2]


def record(source: str, target: str, kind: str, version: str = "3.0", **changes: Any) -> dict[str, Any]:
    """A record in the form of Mozilla's, with made-up facts."""
    ending = "spm" if "vocab" in kind else "bin"
    name = f"{kind}.{source}{target}.{ending}"
    attachment = {
        "hash": (f"{len(name):02x}" * 32),
        "size": 1_000_000,
        "filename": name,
        "location": f"main-workspace/translations-models/{source}-{target}-{kind}-{version}.{ending}",
        "mimetype": "application/octet-stream",
    }
    said = {"name": name, "version": version, "fileType": kind, "sourceLanguage": source, "targetLanguage": target}
    return {**said, "filter_expression": "", "attachment": attachment, **changes}


def model(source: str, target: str, version: str = "3.0", *kinds: str, **changes: Any) -> list[dict[str, Any]]:
    return [record(source, target, kind, version, **changes) for kind in kinds or ("model", "lex", "vocab")]


def read(records: list[dict[str, Any]]) -> dict[str, tuple[str, list[str]]]:
    """Version and names of the files, by the name of the entry."""
    text = "\n".join(entries(records, Catalogue.load()))
    return {entry.name: (entry.version, [file.name for file in entry.files]) for entry in read_entries(text, "printed")}


def test_the_newest_whole_version_that_is_released_to_all() -> None:
    records = [
        *model("en", "sv", "1.0"), *model("en", "sv", "1.10"), *model("en", "sv", "1.9"), *model("en", "sv", "2.0a1"),
        *model("en", "sv", "2.0", "model", "lex"),
        *model("en", "sv", "3.0", filter_expression="env.channel == 'nightly'"),
    ]  # fmt: skip
    assert read(records) == {"firefox-en_sv": ("1.10", ["model.ensv.bin", "lex.ensv.bin", "vocab.ensv.spm"])}


def test_two_vocabularies_and_languages_by_script() -> None:
    apart = ("model", "lex", "srcvocab", "trgvocab")
    records = [*model("en", "zh-Hans", "3.0", *apart), *model("en", "zh-Hant", "3.0", *apart)]
    assert list(read(records)) == ["firefox-en_zh"]
    assert len(read(records)["firefox-en_zh"][1]) == 4


def test_what_the_catalogue_has_is_left_out_unless_it_is_newer() -> None:
    known = Catalogue.load().get("firefox-en_es").version
    assert read([*model("en", "es", known), *model("en", "fr", "9.0")]).keys() == {"firefox-en_fr"}


def test_it_asks_a_server_and_prints(tmp_path: Path) -> None:
    text = json.dumps({"data": model("sv", "en")}).encode()
    with FakeHub() as hub:
        hub.add("v1/records", text)
        command = [sys.executable, "scripts/firefox_models.py", "--records", f"{hub.url}/v1/records"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    (tmp_path / "models.toml").write_text(done.stdout)
    entry = Catalogue.load(tmp_path).get("firefox-sv_en")
    assert (entry.serves, entry.licence, entry.size) == ("sv→en", "MPL-2.0", 3_000_000)
