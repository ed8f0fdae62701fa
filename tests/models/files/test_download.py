"""One file from a server that breaks off, changes its mind, lies, or knows nothing of ranges."""

import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragoman.models.files.download import Expected, Watch, download, published, pulled_bytes
from dragoman.models.files.errors import DownloadFailed, NotPublished, Unreachable
from dragoman.models.files.http import Clock, HttpClient
from tests.fakes.hub import FakeHub, corrupt, cut, ignore_range, redirect, status

K = 1 << 15
"""What is written at once."""

DATA = random.Random(1).randbytes(700_000)
SHA256 = hashlib.sha256(DATA).hexdigest()
SUM = Expected(len(DATA), sha256=SHA256)
NOTHING = Expected()
PATH = "us/m/resolve/main/model.bin"


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        hub.add(PATH, DATA)
        yield hub


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient(clock=Clock(lambda _: None))
    yield client
    client.close()


class Heard(Watch):
    """Counts what it is told."""

    def __init__(self) -> None:
        self.bytes = 0
        self.lines: list[str] = []
        super().__init__(self._add, self.lines.append)

    def _add(self, amount: int) -> None:
        self.bytes += amount


def ranges(hub: FakeHub) -> list[str]:
    return [request.headers.get("Range", "") for request in hub.asked("model.bin")]


def test_a_file_is_pulled_checked_and_called_by_its_name(hub: FakeHub, client: HttpClient, tmp_path: Path) -> None:
    heard = Heard()
    record = download(client, f"{hub.url}/{PATH}", tmp_path / "model.bin", SUM, heard)
    assert (record.path, record.size, record.sha256, record.checked) == ("model.bin", len(DATA), SHA256, "sha256")
    assert (tmp_path / "model.bin").read_bytes() == DATA
    assert heard.bytes == len(DATA)
    assert [path.name for path in tmp_path.iterdir()] == ["model.bin"]


def test_it_goes_on_where_it_broke_off(hub: FakeHub, client: HttpClient, tmp_path: Path) -> None:
    hub.fail("model.bin", cut(6 * K), status(503), cut(9 * K), status(429, "0"))
    heard = Heard()
    download(client, f"{hub.url}/{PATH}", tmp_path / "model.bin", SUM, heard)
    assert (tmp_path / "model.bin").read_bytes() == DATA
    assert ranges(hub) == ["", f"bytes={6 * K}-", f"bytes={6 * K}-", f"bytes={15 * K}-", f"bytes={15 * K}-"]
    assert {request.headers.get("If-Range") for request in hub.asked("model.bin")} == {None, hub.files[PATH].tag}
    assert len(heard.lines) == 4
    assert heard.bytes == len(DATA)


def begun(hub: FakeHub, client: HttpClient, target: Path, after: int = 6 * K, expected: Expected = SUM) -> None:
    """An interrupted pull: a connection that broke, and a server that then was gone for too long."""
    hub.fail("model.bin", cut(after), *[status(503)] * 5)
    with pytest.raises(Unreachable, match=r"HTTP 503.*6 times in a row"):
        download(client, f"{hub.url}/{PATH}", target, expected, Watch())
    assert not target.exists()
    assert pulled_bytes(target) == after
    hub.requests.clear()


def test_a_later_pull_goes_on(hub: FakeHub, client: HttpClient, tmp_path: Path) -> None:
    begun(hub, client, tmp_path / "model.bin")
    download(client, f"{hub.url}/{PATH}", tmp_path / "model.bin", SUM, Watch())
    assert ranges(hub) == [f"bytes={6 * K}-"]
    assert pulled_bytes(tmp_path / "model.bin") == len(DATA)


def test_a_server_that_knows_no_ranges(hub: FakeHub, client: HttpClient, tmp_path: Path) -> None:
    begun(hub, client, tmp_path / "model.bin")
    hub.fail("model.bin", ignore_range)
    heard = Heard()
    download(client, f"{hub.url}/{PATH}", tmp_path / "model.bin", SUM, heard)
    assert (tmp_path / "model.bin").read_bytes() == DATA
    assert heard.bytes == len(DATA) - 6 * K


def test_a_file_that_changed_meanwhile_is_begun_again(hub: FakeHub, client: HttpClient, tmp_path: Path) -> None:
    begun(hub, client, tmp_path / "model.bin", expected=NOTHING)
    other = bytes(reversed(DATA))
    hub.add(PATH, other)
    download(client, f"{hub.url}/{PATH}", tmp_path / "model.bin", NOTHING, Watch())
    assert ranges(hub) == [f"bytes={6 * K}-"]
    assert (tmp_path / "model.bin").read_bytes() == other


def test_without_a_tag_and_a_sum_it_is_begun_again(hub: FakeHub, client: HttpClient, tmp_path: Path) -> None:
    hub.add(PATH, DATA, tag='W/"weak"')
    hub.fail("model.bin", cut(6 * K))
    record = download(client, f"{hub.url}/{PATH}", tmp_path / "model.bin", NOTHING, Watch())
    assert ranges(hub) == ["", ""]
    assert record.checked == ""


def test_another_mirror_can_give_the_rest(hub: FakeHub, client: HttpClient, tmp_path: Path) -> None:
    begun(hub, client, tmp_path / "model.bin")
    with FakeHub() as other:
        other.add(PATH, DATA, tag='"other"')
        download(client, f"{other.url}/{PATH}", tmp_path / "model.bin", SUM, Watch())
        assert ranges(other) == [f"bytes={6 * K}-"]
        assert "If-Range" not in other.requests[0].headers


def test_more_than_the_server_has_is_begun_again(hub: FakeHub, client: HttpClient, tmp_path: Path) -> None:
    unknown = Expected(sha256=SHA256)
    (tmp_path / "model.bin.part").write_bytes(DATA + b"more")
    download(client, f"{hub.url}/{PATH}", tmp_path / "model.bin", unknown, Watch())
    assert ranges(hub) == [f"bytes={len(DATA) + 4}-", ""]
    (tmp_path / "model.bin").rename(tmp_path / "model.bin.part")
    hub.requests.clear()
    download(client, f"{hub.url}/{PATH}", tmp_path / "model.bin", unknown, Watch())  # the server says: that is all
    assert ranges(hub) == [f"bytes={len(DATA)}-"]


def test_a_whole_part_is_only_checked(hub: FakeHub, client: HttpClient, tmp_path: Path) -> None:
    (tmp_path / "model.bin.part").write_bytes(DATA)
    download(client, f"{hub.url}/{PATH}", tmp_path / "model.bin", SUM, Watch())
    assert hub.requests == []


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        (Expected(sha256="0" * 64), f"its sha256 is {SHA256} instead of 000"),
        (Expected(md5="0" * 32), "its md5 is"),
        (Expected(git="0" * 40), "its git is"),
        (Expected(5), "700,000 bytes instead of 5"),
    ],
)
def test_another_file_than_expected_is_thrown_away(
    hub: FakeHub, client: HttpClient, tmp_path: Path, expected: Expected, told: str
) -> None:
    with pytest.raises(DownloadFailed, match=told) as caught:
        download(client, f"{hub.url}/{PATH}", tmp_path / "model.bin", expected, Watch())
    assert f"{hub.url}/{PATH}" in str(caught.value)
    assert not (tmp_path / "model.bin").exists()
    assert pulled_bytes(tmp_path / "model.bin") == 0


def test_wrong_bytes_are_found_and_the_next_pull_is_whole(hub: FakeHub, client: HttpClient, tmp_path: Path) -> None:
    hub.fail("model.bin", corrupt)
    with pytest.raises(DownloadFailed, match="not the expected file"):
        download(client, f"{hub.url}/{PATH}", tmp_path / "model.bin", SUM, Watch())
    assert download(client, f"{hub.url}/{PATH}", tmp_path / "model.bin", SUM, Watch()).sha256 == SHA256


def test_what_gits_name_and_md5_check(hub: FakeHub, client: HttpClient, tmp_path: Path) -> None:
    git, md5 = hub.files[PATH].git, hashlib.md5(DATA).hexdigest()
    for expected, checked in ((Expected(git=git), "git"), (Expected(md5=md5), "md5")):
        record = download(client, f"{hub.url}/{PATH}", tmp_path / "model.bin", expected, Watch())
        assert (record.checked, record.sha256) == (checked, SHA256)


def test_a_large_file_is_led_elsewhere_and_checked_with_what_the_hub_said(
    hub: FakeHub, client: HttpClient, tmp_path: Path
) -> None:
    with FakeHub(cdn=hub.url) as front:
        front.add(PATH, DATA)
        told = published(client, f"{front.url}/{PATH}", Watch())
        assert told == SUM
        assert hub.requests == []  # only GET may be known there
        assert download(client, f"{front.url}/{PATH}", tmp_path / "model.bin", told, Watch()).checked == "sha256"
        hub.fail("model.bin", corrupt)
        with pytest.raises(DownloadFailed, match="its sha256 is"):
            download(client, f"{front.url}/{PATH}", tmp_path / "other.bin", told, Watch())


def test_what_servers_say_of_a_file(hub: FakeHub, client: HttpClient) -> None:
    small = "us/m/resolve/main/config.json"
    hub.add(small, b"abc")
    assert published(client, f"{hub.url}/{PATH}", Watch()) == SUM
    assert published(client, f"{hub.url}/{small}", Watch()) == Expected(3, git=hub.files[small].git)
    hub.add(small, b"abc", tag=f'W/"{hub.files[small].git}"')
    assert published(client, f"{hub.url}/{small}", Watch()).git
    hub.fail(small, redirect(f"{hub.url}/{small}"))
    assert published(client, f"{hub.url}/{small}", Watch()).git
    hub.add(small, b"abc", tag='"of its own"')
    assert published(client, f"{hub.url}/{small}", Watch()) == Expected(3)


def test_a_plain_mirror_says_sizes_alone(client: HttpClient) -> None:
    with FakeHub(sums=False) as mirror:
        mirror.add(PATH, DATA)  # its tag looks like a name of git's
        assert published(client, f"{mirror.url}/{PATH}", Watch()) == Expected(len(DATA))


def test_an_absent_file_is_told_at_once(hub: FakeHub, client: HttpClient, tmp_path: Path) -> None:
    for work in (
        lambda: download(client, f"{hub.url}/none", tmp_path / "none", NOTHING, Watch()),
        lambda: published(client, f"{hub.url}/none", Watch()),
    ):
        hub.requests.clear()
        with pytest.raises(NotPublished, match=f"{hub.url}/none"):
            work()
        assert len(hub.requests) == 1


def test_a_server_that_gives_nothing_is_given_up(hub: FakeHub, client: HttpClient, tmp_path: Path) -> None:
    hub.fail("model.bin", *[cut(0)] * 20)
    with pytest.raises(Unreachable, match="6 times in a row"):
        download(client, f"{hub.url}/{PATH}", tmp_path / "model.bin", SUM, Watch())
    assert len(hub.requests) == 6


def test_a_server_that_gives_a_little_each_time_is_not(hub: FakeHub, client: HttpClient, tmp_path: Path) -> None:
    hub.fail("model.bin", *[cut(2 * K)] * 10)
    download(client, f"{hub.url}/{PATH}", tmp_path / "model.bin", SUM, Watch())
    assert len(hub.requests) == 11


def test_what_is_not_told(hub: FakeHub, client: HttpClient) -> None:
    hub.fail("model.bin", status(503), status(405), status(401))
    for _ in range(2):
        assert published(client, f"{hub.url}/{PATH}", Watch()) == Expected()
    hub.fail("model.bin", *[status(503)] * 9)
    with pytest.raises(Unreachable):
        published(client, f"{hub.url}/{PATH}", Watch())


def test_a_damaged_note_beside_a_part_does_no_harm(hub: FakeHub, client: HttpClient, tmp_path: Path) -> None:
    (tmp_path / "model.bin.part").write_bytes(DATA[:1000])
    for note in ("", "[]", json.dumps({"url": 1, "colour": 2})):
        (tmp_path / "model.bin.part.json").write_text(note)
        download(client, f"{hub.url}/{PATH}", tmp_path / "model.bin", SUM, Watch())
        (tmp_path / "model.bin").rename(tmp_path / "model.bin.part")


def test_a_full_disk_leaves_what_is_there(
    hub: FakeHub, client: HttpClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.fail("model.bin", cut(3 * K))
    original = Path.open
    opened: list[str] = []

    def full(self: Path, *arguments: object, **more: object) -> object:
        if self.name.endswith(".part") and arguments == ("ab",):
            opened.append(self.name)
            if len(opened) > 1:
                raise OSError(28, "No space left on device", str(self))
        return original(self, *arguments, **more)  # type: ignore[call-overload]

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(OSError, match="No space left"):
            download(client, f"{hub.url}/{PATH}", tmp_path / "model.bin", SUM, Watch())
    assert pulled_bytes(tmp_path / "model.bin") == 3 * K
    download(client, f"{hub.url}/{PATH}", tmp_path / "model.bin", SUM, Watch())
    assert (tmp_path / "model.bin").read_bytes() == DATA


def test_a_redirection_in_the_middle(hub: FakeHub, client: HttpClient, tmp_path: Path) -> None:
    hub.add("elsewhere/model.bin", DATA, tag=hub.files[PATH].tag)
    hub.fail("main/model.bin", cut(K), redirect(f"{hub.url}/elsewhere/model.bin"))
    download(client, f"{hub.url}/{PATH}", tmp_path / "model.bin", SUM, Watch())
    assert (tmp_path / "model.bin").read_bytes() == DATA
