"""What is kept of files and transcriptions: for whom, how much, how long, and over a restart."""

import io
from pathlib import Path

import pytest

from dragoman.server.uploads import files as files_module
from dragoman.server.uploads import store as store_module
from dragoman.server.uploads.files import StoredFile
from dragoman.server.uploads.shelf import COMPLETED, PROCESSING, QUEUED, NotOver, StoreBroken, StoreFull
from dragoman.server.uploads.store import Store

REQUEST = {"model": "stt-async-v6"}


class Kept:
    """A store whose clock a test moves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now_s = 1_000_000.0
        self.store = self.open()

    def open(self) -> Store:
        return Store(self.folder, files_bytes=1_000, files_s=100.0, now=lambda: self.now_s)

    def put(self, owner: str = "me", size: int = 10, name: str = "a.wav") -> StoredFile:
        return self.store.put(owner, name, None, io.BytesIO(b"x" * size), size)

    def order(self, owner: str = "me", file: StoredFile | None = None) -> str:
        made = self.store.order(owner, (file or self.put(owner)).id, REQUEST)
        assert made is not None
        return made.id

    @property
    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir() if path.stem != "index")


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "files")


def test_nothing_is_made_before_the_first_file(kept: Kept) -> None:
    store = kept.store
    assert not store.resume()
    store.expire()
    assert (store.files("me", 9), store.count_files("me"), store.file("me", "x")) == ([], 0, None)
    assert (store.transcriptions("me", 9), store.count_transcriptions("me"), store.transcript("me", "x")) == (
        [],
        0,
        None,
    )
    assert store.next({}) is None
    assert not store.delete_file("me", "x")
    assert not store.delete_transcription("me", "x")
    assert store.order("me", "x", REQUEST) is None
    assert not kept.folder.exists()


def test_a_file_is_kept_as_it_came_and_only_for_its_owner(kept: Kept) -> None:
    file = kept.put(size=12, name="../../etc/passwd'; DROP TABLE files; --")
    assert kept.store.path(file.id).read_bytes() == b"x" * 12
    assert kept.names == [f"{file.id}.audio"]
    assert kept.folder.stat().st_mode & 0o77 == 0
    assert kept.store.file("me", file.id) == file
    for stranger in ("you", ""):
        assert kept.store.file(stranger, file.id) is None
        assert kept.store.files(stranger, 10) == []
        assert not kept.store.delete_file(stranger, file.id)
        assert kept.store.order(stranger, file.id, REQUEST) is None
    assert kept.store.delete_file("me", file.id)
    assert not kept.store.delete_file("me", file.id)
    assert kept.names == []
    kept.store.close()


def test_pages_go_back_in_time_whatever_is_deleted_meanwhile(kept: Kept) -> None:
    files = [kept.put(name=f"{number}") for number in range(5)]
    page = kept.store.files("me", 2)
    assert [file.filename for file in page] == ["4", "3"]
    kept.store.delete_file("me", files[4].id)
    kept.store.delete_file("me", files[2].id)
    assert [file.filename for file in kept.store.files("me", 2, page[-1].number)] == ["1", "0"]
    assert kept.store.count_files("me") == 3
    kept.store.close()


def test_files_of_all_keys_share_the_room(kept: Kept) -> None:
    first = kept.put("me", 600)
    with pytest.raises(StoreFull, match="no room"):
        kept.put("you", 401)
    kept.put("you", 400)
    assert kept.store.delete_file("me", first.id)
    kept.put("you", 600)
    assert len(kept.names) == 2
    kept.store.close()


def test_what_one_key_may_have_is_bounded(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files_module, "MAX_FILES", 2)
    for name, most in (("MAX_PENDING", 2), ("MAX_TRANSCRIPTIONS", 3)):
        monkeypatch.setattr(store_module, name, most)
    files = [kept.put(), kept.put()]
    with pytest.raises(StoreFull, match="2 files of this key"):
        kept.put()
    kept.put("you")
    one, two = kept.order(file=files[0]), kept.order(file=files[0])
    with pytest.raises(StoreFull, match="2 transcriptions of this key are not over"):
        kept.order(file=files[0])
    kept.store.fail(one, "x", "y")
    kept.order(file=files[0])
    kept.store.fail(two, "x", "y")
    with pytest.raises(StoreFull, match="3 transcriptions of this key"):
        kept.order(file=files[0])
    kept.store.close()


def test_what_is_too_old_is_gone(kept: Kept) -> None:
    old, uid = kept.put(), kept.order()
    kept.now_s += 60
    young = kept.put()
    kept.now_s += 41
    assert [file.id for file in kept.store.files("me", 10)] == [young.id]
    assert kept.store.file("me", old.id) is None
    assert kept.store.transcription("me", uid) is None
    kept.now_s += 100
    kept.store.expire()
    assert kept.names == []
    kept.store.close()


def test_what_is_worked_on_is_not_too_old(kept: Kept) -> None:
    uid = kept.order()
    assert kept.store.next({}) is not None
    kept.now_s += 500
    found = kept.store.transcription("me", uid)
    assert found is not None
    assert found.status == PROCESSING
    kept.store.complete(uid, 5, "{}")
    assert kept.store.transcription("me", uid) is None
    kept.store.close()


def test_a_restart_loses_nothing_and_leaves_nothing_half_written(kept: Kept) -> None:
    begun, waiting, over = kept.order(), kept.order(), kept.order()
    file, lost = kept.put(), kept.put()
    assert kept.store.next({}).id == begun  # type: ignore[union-attr]
    kept.store.complete(over, 1_500, '{"text": "Hi."}')
    kept.store.close()
    kept.store.path(lost.id).unlink()
    (kept.folder / "x.part").write_bytes(b"half")
    kept.store.path("unknown").write_bytes(b"nobody's")
    kept.store = kept.open()
    assert kept.store.resume()
    assert kept.store.file("me", file.id) == file
    assert kept.store.file("me", lost.id) is None
    assert {"x.part", "unknown.audio"}.isdisjoint(kept.names)
    states = {one.id: one.status for one in kept.store.transcriptions("me", 9)}
    assert states == {begun: QUEUED, waiting: QUEUED, over: COMPLETED}
    assert kept.store.transcript("me", over) == '{"text": "Hi."}'
    kept.store.close()


def test_keys_take_turns(kept: Kept) -> None:
    mine = [kept.order("me") for _ in range(3)]
    yours = kept.order("you")
    served: dict[str, int] = {}
    taken = []
    for turn in range(1, 5):
        job = kept.store.next(served)
        assert job is not None
        served[job.owner] = turn
        taken.append(job.id)
    assert taken == [mine[0], yours, mine[1], mine[2]]
    assert kept.store.next(served) is None
    kept.store.put_back(taken[0])
    assert kept.store.next(served).id == taken[0]  # type: ignore[union-attr]
    kept.store.close()


def test_deleting_a_transcription(kept: Kept) -> None:
    file = kept.put()
    uid = kept.order(file=file)
    assert kept.store.next({}) is not None
    with pytest.raises(NotOver):
        kept.store.delete_transcription("me", uid)
    kept.store.complete(uid, 1, "{}")
    assert not kept.store.delete_transcription("you", uid)
    assert kept.store.transcript("you", uid) is None
    assert kept.store.delete_transcription("me", uid)
    assert kept.store.file("me", file.id) == file
    kept.store.complete(uid, 1, "{}")  # a result that comes too late
    assert kept.store.transcription("me", uid) is None
    kept.store.close()


def test_a_source_that_breaks_leaves_nothing(kept: Kept) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("no space left on device")

    with pytest.raises(StoreBroken, match="cannot keep files now"):
        kept.store.put("me", "a", None, Broken(), 5)
    assert kept.names == []
    assert kept.store.count_files("me") == 0
    kept.store.close()


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    broken = Kept(tmp_path / "file" / "files")
    with pytest.raises(StoreBroken):
        broken.put()
    other = Kept(tmp_path / "other")
    other.folder.mkdir()
    (other.folder / "index.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreBroken):
        other.store.resume()
    with pytest.raises(StoreBroken):
        other.store.files("me", 1)


def test_two_servers_do_not_share_a_folder(kept: Kept) -> None:
    file = kept.put()
    other = kept.open()
    with pytest.raises(StoreBroken):
        other.resume()
    with pytest.raises(StoreBroken):
        other.file("me", file.id)
    kept.store.close()
    assert other.file("me", file.id) == file
    other.close()
