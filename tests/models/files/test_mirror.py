"""A folder for a web server: written from the hub and from what is installed, and pulled from by others."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dragoman.models.files.catalogue import Catalogue, Entry
from dragoman.models.files.errors import DownloadFailed, Offline
from dragoman.models.files.http import Clock, HttpClient
from dragoman.models.files.hub import Sources
from dragoman.models.files.mirror import Mirror
from dragoman.models.files.pulling import Puller
from dragoman.models.files.store import Store
from tests.fakes.hub import FakeHub, corrupt, cut
from tests.fakes.model_files import serve

NAMES = ("small", "firefox-en_es", "firefox-en_ja", "translate-en_sv", "pt_PT-tugão-medium")


class Quiet(SimpleHTTPRequestHandler):
    """The web server of the standard library, without its log."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def web_server(folder: Path) -> Iterator[str]:
    """Serve a folder as it is; gives the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient(clock=Clock(lambda _: None))
    yield client
    client.close()


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        yield hub


def entries(hub: FakeHub, folder: Path, *names: str) -> list[Entry]:
    """Entries with the sums of what the hub serves."""
    serve(hub, *names)
    folder.mkdir(exist_ok=True)
    (folder / "models.toml").write_text(hub.catalogue())
    catalogue = Catalogue.load(folder)
    return [catalogue.get(name) for name in names]


def test_others_pull_from_it(hub: FakeHub, client: HttpClient, tmp_path: Path) -> None:
    wanted = entries(hub, tmp_path / "models", *NAMES)
    mirror = Mirror(tmp_path / "mirror", Store(tmp_path / "models"), hub.sources, client)
    hub.fail(".bin", cut(500))
    assert all(mirror.add(entry) for entry in wanted)
    assert not list((tmp_path / "mirror").rglob("*.part*"))
    elsewhere = Store(tmp_path / "elsewhere")
    with web_server(tmp_path / "mirror") as address:
        puller = Puller(elsewhere, Sources(address, address, address), client)
        assert all(puller.pull(entry) for entry in wanted)
    assert {model.name for model in elsewhere.installed() if not model.fault} == set(NAMES)
    assert all(not elsewhere.verify(model) for model in elsewhere.installed())


def test_what_is_there_is_not_pulled_again(hub: FakeHub, client: HttpClient, tmp_path: Path) -> None:
    wanted = entries(hub, tmp_path / "models", "firefox-en_es")
    mirror = Mirror(tmp_path / "mirror", Store(tmp_path / "models"), hub.sources, client)
    assert mirror.add(wanted[0])
    hub.requests.clear()
    assert not mirror.add(wanted[0])
    assert hub.requests == []


def test_what_is_installed_needs_no_network(hub: FakeHub, client: HttpClient, tmp_path: Path) -> None:
    (entry,) = entries(hub, tmp_path / "models", "firefox-en_es")
    store = Store(tmp_path / "models")
    Puller(store, hub.sources, client).pull(entry)
    offline = Sources(hub.url, hub.url, hub.url, offline=True)
    hub.requests.clear()
    assert not Mirror(tmp_path / "mirror", store, offline, client).add(entry)
    assert hub.requests == []
    with pytest.raises(Offline):
        Mirror(tmp_path / "other", Store(tmp_path / "empty"), offline, client).add(entry)


def test_what_was_changed_here_does_not_get_there(hub: FakeHub, client: HttpClient, tmp_path: Path) -> None:
    (entry,) = entries(hub, tmp_path / "models", "firefox-en_es")
    store = Store(tmp_path / "models")
    Puller(store, hub.sources, client).pull(entry)
    spoiled = store.folder("firefox", entry.name) / entry.files[0].name
    kept = spoiled.read_bytes()
    spoiled.write_bytes(bytes(len(kept)))
    mirror = Mirror(tmp_path / "mirror", store, hub.sources, client)
    with pytest.raises(DownloadFailed, match="it is not the expected file"):
        mirror.add(entry)
    assert spoiled.read_bytes() == bytes(len(kept))  # what is installed is left alone
    spoiled.write_bytes(kept)
    assert not mirror.add(entry)


def test_a_server_with_another_file_is_told(hub: FakeHub, client: HttpClient, tmp_path: Path) -> None:
    (entry,) = entries(hub, tmp_path / "models", "firefox-en_es")
    hub.fail(entry.files[0].path, corrupt)
    with pytest.raises(DownloadFailed, match="firefox_url"):
        Mirror(tmp_path / "mirror", Store(tmp_path / "models"), hub.sources, client).add(entry)
    assert not list((tmp_path / "mirror").rglob("*.bin"))
