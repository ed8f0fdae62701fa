"""Models in a tar file: out, in, and what is refused on the way in."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dragoman.models.files.bundle import INDEX, BadBundle, export_models, import_models
from dragoman.models.files.errors import BrokenModel, NoRoom
from dragoman.models.files.manifest import MANIFEST, FileRecord, Manifest
from dragoman.models.files.store import Store
from tests.fakes.model_files import whisper_files
from tests.models.files.test_store import VOICE, put

FILES = whisper_files(2000)
RECORDS = tuple(FileRecord(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in FILES.items())
SMALL = Manifest("small", "whisper", "https://hub", "main", "MIT", RECORDS)
Member = tuple[tarfile.TarInfo, bytes]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "models")
    put(store, "whisper", "small")
    put(store, "argos", "translate-en_de")
    put(store, "piper", VOICE, manifest=False)
    return store


def contents(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file() and path.suffix != ".lock"}


def test_out_and_in(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "models.tar"
    moved: list[int] = []
    export_models(store.installed(), file, moved.append)
    other = Store(tmp_path / "other")
    manifests = import_models(other, file, moved.append)
    assert [manifest.name for manifest in manifests] == ["small", "translate-en_de", VOICE]
    assert all(other.verify(model) == [] for model in other.installed())
    assert contents(other.root) == contents(store.root) | {f"piper/{VOICE}/{MANIFEST}"}
    assert [path.name for path in other.root.iterdir() if path.name.startswith(".")] == []
    export_models(other.installed(), tmp_path / "again.tar")
    assert (tmp_path / "again.tar").read_bytes() == file.read_bytes()


def test_it_takes_the_place_of_what_is_there(store: Store, tmp_path: Path) -> None:
    export_models(store.installed()[:1], tmp_path / "models.tar")
    (store.folder("whisper", "small") / "model.bin").unlink()
    import_models(store, tmp_path / "models.tar")
    assert all(store.verify(model) == [] for model in store.installed())


def test_what_is_broken_is_not_exported(store: Store, tmp_path: Path) -> None:
    path = store.folder("whisper", "small") / "model.bin"
    good = path.read_bytes()
    path.write_bytes(bytes(len(good)))
    with pytest.raises(BrokenModel, match=r"small: the content of model\.bin has changed|not a CTranslate2 model"):
        export_models(store.installed(), tmp_path / "models.tar")
    path.write_bytes(good[:1000] + bytes([good[1000] ^ 1]) + good[1001:])
    with pytest.raises(BrokenModel, match=r"small: the content of model\.bin has changed"):
        export_models(store.installed(), tmp_path / "models.tar")
    path.unlink()
    with pytest.raises(BrokenModel, match="pull it again before exporting"):
        export_models(store.installed(), tmp_path / "models.tar")
    assert list(tmp_path.iterdir()) == [store.root]


# --- what is refused


def member(name: str, data: bytes = b"", **changes: Any) -> Member:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in changes.items():
        setattr(info, key, value)
    return info, data


def index(manifests: object = None, form: object = 1) -> Member:
    table = {"format": form, "models": [SMALL.as_table()] if manifests is None else manifests}
    return member(INDEX, json.dumps(table).encode())


def whole() -> list[Member]:
    return [index(), *[member(f"whisper/small/{name}", data) for name, data in FILES.items()]]


def bundle(path: Path, members: list[Member]) -> Path:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return path


def replaced(number: int, one: Member) -> list[Member]:
    members = whole()
    members[number] = one
    return members


def table(**changes: object) -> dict[str, Any]:
    return SMALL.as_table() | changes


def files(**changes: object) -> list[dict[str, Any]]:
    return [SMALL.as_table()["files"][0] | changes]


MODEL = "whisper/small/model.bin"
WRONG: dict[str, tuple[Callable[[], list[Member]], str]] = {
    "no index": (lambda: whole()[1:], "does not begin with the index"),
    "index that is a link": (lambda: [member(INDEX, type=tarfile.SYMTYPE, linkname="/etc/passwd")], "does not begin"),
    "index that is too long": (lambda: [member(INDEX, bytes(9 << 20))], "does not begin|too long"),
    "index that is no JSON": (lambda: [member(INDEX, b"{")], "its index is wrong"),
    "index that is a list": (lambda: [member(INDEX, b"[]")], "its index is wrong"),
    "index too deep": (lambda: [member(INDEX, b"[" * 100_000)], "its index is wrong"),
    "another format": (lambda: [index(form=2)], "its format is 2, and this Dragoman knows 1"),
    "no models": (lambda: [index([])], "names no models"),
    "a model twice": (lambda: [index([table(), table()])], "names a model twice"),
    "a name that leaves": (lambda: [index([table(name="../../small")])], "cannot be the name of a model"),
    "an unknown kind": (lambda: [index([table(kind="..")])], "cannot be the name of a model"),
    "a path that leaves": (lambda: [index([table(files=files(path="../../x"))])], "not a plain relative path"),
    "an absolute path": (lambda: [index([table(files=files(path="/etc/x"))])], "not a plain relative path"),
    "a hidden path": (lambda: [index([table(files=files(path=".ssh/x"))])], "not a plain relative path"),
    "a size below nothing": (lambda: [index([table(files=files(size=-1))])], "not a number of bytes"),
    "a member that leaves": (lambda: [*whole(), member("../../evil", b"x")], "'../../evil' is not in the index"),
    "an absolute member": (lambda: [*whole(), member("/tmp/evil", b"x")], "is not in the index"),
    "a member that nobody named": (lambda: [*whole(), member("whisper/small/evil.py", b"x")], "is not in the index"),
    "a manifest of its own": (lambda: [*whole(), member(f"whisper/small/{MANIFEST}", b"x")], "is not in the index"),
    "a member twice": (lambda: [*whole(), whole()[1]], "or is there twice"),
    "a symbolic link": (lambda: replaced(2, member(MODEL, type=tarfile.SYMTYPE, linkname="/etc/passwd")), "is a link"),
    "a hard link": (lambda: replaced(2, member(MODEL, type=tarfile.LNKTYPE, linkname="x")), "is a link"),
    "a device": (lambda: replaced(2, member(MODEL, type=tarfile.CHRTYPE)), "a special file"),
    "a pipe": (lambda: replaced(2, member(MODEL, type=tarfile.FIFOTYPE)), "a special file"),
    "a folder": (lambda: [index(), member("whisper/small", type=tarfile.DIRTYPE)], "a special file"),
    "another size": (lambda: replaced(2, member(MODEL, b"short")), "has 5 bytes instead of"),
    "another content": (lambda: replaced(2, member(MODEL, bytes(len(FILES["model.bin"])))), "the checksum of"),
    "a file is missing": (lambda: whole()[:-1], r"it is not whole: whisper/small/vocabulary\.txt is missing"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_must_not_be_imported_is_refused(store: Store, tmp_path: Path, name: str) -> None:
    make, told = WRONG[name]
    before = contents(store.root)
    with pytest.raises(BadBundle, match=told) as caught:
        import_models(store, bundle(tmp_path / "evil.tar", make()))
    assert str(caught.value).startswith(f"{tmp_path / 'evil.tar'} is not imported: ")
    assert "\n" not in str(caught.value)
    assert contents(store.root) == before
    assert {path.name for path in tmp_path.iterdir()} == {"models", "evil.tar"}


def test_what_is_not_refused_is_imported(tmp_path: Path) -> None:
    store = Store(tmp_path / "models")
    import_models(store, bundle(tmp_path / "good.tar", whole()))
    assert [store.verify(model) for model in store.installed()] == [[]]


def test_a_model_that_is_none_by_its_form(tmp_path: Path) -> None:
    record = FileRecord("model.bin", 5, hashlib.sha256(b"hello").hexdigest())
    manifest = Manifest("small", "whisper", "", "", "", (record,)).as_table()
    file = bundle(tmp_path / "evil.tar", [index([manifest]), member(MODEL, b"hello")])
    with pytest.raises(BadBundle, match=r"its whisper/small is no such model: it has no config\.json"):
        import_models(Store(tmp_path / "models"), file)
    assert contents(tmp_path / "models") == set()


@pytest.mark.parametrize("size", [0, 100, 512, 3000, 5000])
def test_a_file_that_is_cut_off(tmp_path: Path, size: int) -> None:
    data = bundle(tmp_path / "good.tar", whole()).read_bytes()
    (tmp_path / "cut.tar").write_bytes(data[:size])
    with pytest.raises(BadBundle, match=r"damaged|not whole|does not begin|its index is wrong|checksum"):
        import_models(Store(tmp_path / "models"), tmp_path / "cut.tar")
    assert contents(tmp_path / "models") == set()


def test_what_is_no_tar_file(tmp_path: Path) -> None:
    good = bundle(tmp_path / "good.tar", whole()).read_bytes()
    for data in (b"", b"<html>" * 1000, gzip.compress(good)):
        (tmp_path / "x.tar").write_bytes(data)
        with pytest.raises(BadBundle, match=r"damaged, or no tar file|does not begin"):
            import_models(Store(tmp_path / "models"), tmp_path / "x.tar")


def test_a_header_with_a_forged_length_does_not_fill_the_memory(tmp_path: Path) -> None:
    info = tarfile.TarInfo("long")
    info.type = tarfile.XHDTYPE
    info.size = 1 << 32
    (tmp_path / "x.tar").write_bytes(info.tobuf() + bytes(2048))
    with pytest.raises(BadBundle, match="a header in it is too long"):
        import_models(Store(tmp_path / "models"), tmp_path / "x.tar")


def test_room_is_looked_for_first(tmp_path: Path) -> None:
    huge = table(files=files(size=1 << 60))
    with pytest.raises(NoRoom):
        import_models(Store(tmp_path / "models"), bundle(tmp_path / "x.tar", [index([huge])]))


def test_nothing_is_imported_if_one_model_is_wrong(tmp_path: Path) -> None:
    second = Manifest("base", "whisper", "", "", "", RECORDS[:1]).as_table()
    members = [index([table(), second]), *whole()[1:], member("whisper/base/config.json", b"{}")]
    with pytest.raises(BadBundle, match="base/config"):
        import_models(Store(tmp_path / "models"), bundle(tmp_path / "x.tar", members))
    assert contents(tmp_path / "models") == set()
