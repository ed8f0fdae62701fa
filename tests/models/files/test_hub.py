"""Addresses of files, and what a hub says of them."""

import json
from collections.abc import Iterator

import pytest

from dragoman.config.settings import load_settings
from dragoman.models.files.catalogue import Catalogue, Entry, RemoteFile
from dragoman.models.files.errors import Unreachable
from dragoman.models.files.http import Clock, HttpClient
from dragoman.models.files.hub import Published, Sources, published_files
from tests.fakes.hub import FakeHub, cut, redirect, status

CATALOGUE = Catalogue.load()
SOURCES = Sources("https://hub", "https://argos/mirror", "https://fox")
MOZILLA = "https://firefox-settings-attachments.cdn.mozilla.net"


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient(clock=Clock(lambda _: None))
    yield client
    client.close()


def url(name: str, file: int = 0) -> str:
    entry = CATALOGUE.get(name)
    return SOURCES.url(entry, entry.files[file])


def test_addresses_of_files() -> None:
    revision = CATALOGUE.get("tiny").revision
    assert url("tiny") == f"https://hub/Systran/faster-whisper-tiny/resolve/{revision}/config.json"
    assert url("translate-en_de") == "https://argos/mirror/v1/translate-en_de-1_3.argosmodel"
    assert url("firefox-en_ja").startswith("https://fox/main-workspace/translations-models/")
    assert "/pt/pt_PT/tug%C3%A3o/medium/" in url("pt_PT-tugão-medium")


def test_addresses_of_lists() -> None:
    tiny, voice = CATALOGUE.get("tiny"), CATALOGUE.get("es_ES-davefx-medium")
    assert SOURCES.listing_url(tiny).endswith(f"/api/models/{tiny.repo}/tree/{tiny.revision}?recursive=true")
    place = f"/tree/{voice.revision}/es/es_ES/davefx/medium?recursive=true"
    assert SOURCES.listing_url(voice) == f"https://hub/api/models/rhasspy/piper-voices{place}"
    both = Entry("x", "whisper", ("en",), "MIT", (RemoteFile("a/b"), RemoteFile("c")), repo="u/r", revision="a/b")
    assert SOURCES.listing_url(both) == "https://hub/api/models/u/r/tree/a%2Fb?recursive=true"


def test_where_the_settings_and_the_environment_send_to() -> None:
    settings = load_settings()
    assert Sources.of(settings, {}) == Sources("https://huggingface.co", "https://argos-net.com", MOZILLA)
    told = {"HF_ENDPOINT": "https://mirror/", "HF_TOKEN": " t\n", "HF_HUB_OFFLINE": "1"}
    told_us = Sources("https://mirror", "https://argos-net.com", MOZILLA, offline=True, token="t")
    assert Sources.of(settings, told) == told_us
    addresses = {"hub_url": "https://ours/hub/", "argos_url": "http://a/", "firefox_url": "http://f/"}
    ours = Sources.of(load_settings(overrides=addresses | {"offline": True}), {"HF_ENDPOINT": "https://mirror"})
    assert ours == Sources("https://ours/hub", "http://a", "http://f", offline=True)
    assert not Sources.of(settings, {"HF_HUB_OFFLINE": "0"}).offline


def test_what_a_hub_says_of_its_files(client: HttpClient) -> None:
    entry = CATALOGUE.get("tiny")
    with FakeHub(page_rows=2) as hub:
        hub.add_model(
            entry, {"model.bin": b"abc", "config.json": b"abc", "tokenizer.json": b"", "vocabulary.txt": b"x"}
        )
        found = published_files(client, hub.sources.listing_url(entry), lambda _: None)
        assert len(hub.requests) == 2  # two pages of two
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert found["model.bin"] == Published(3, sha256=sha256)
    assert found["config.json"] == Published(3, git="f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f")
    assert set(found) == {"model.bin", "config.json", "tokenizer.json", "vocabulary.txt"}


def test_the_files_of_one_voice_among_many(client: HttpClient) -> None:
    entry = CATALOGUE.get("es_ES-davefx-medium")
    with FakeHub() as hub:
        hub.add_model(entry, {"es_ES-davefx-medium.onnx": b"abc"})
        hub.add(f"rhasspy/piper-voices/resolve/{entry.revision}/de/other.onnx", b"def")
        (path,) = published_files(client, hub.sources.listing_url(entry), lambda _: None)
        assert path.endswith("/es_ES-davefx-medium.onnx")


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"error": "x"}', b"[" * 100_000])
def test_a_plain_mirror_says_nothing(client: HttpClient, body: bytes) -> None:
    with FakeHub(api=False) as hub:
        address = f"{hub.url}/api/models/u/r/tree/main"
        assert published_files(client, address, lambda _: None) == {}
        hub.add("api/models/u/r/tree/main", body)
        assert published_files(client, address, lambda _: None) == {}


def test_rows_that_are_none_are_left_out(client: HttpClient) -> None:
    rows = [
        1,
        {"type": "directory", "path": "a"},
        {"type": "file", "path": 1},
        {"type": "file", "path": "b", "size": 2},
    ]
    with FakeHub(api=False) as hub:
        hub.add("list", json.dumps(rows).encode())
        assert published_files(client, f"{hub.url}/list", lambda _: None) == {"b": Published(2)}


def test_a_list_is_asked_for_again(client: HttpClient) -> None:
    told: list[str] = []
    with FakeHub(api=False) as hub:
        hub.add("list", b'[{"type": "file", "path": "b", "size": 2}]')
        hub.fail("list", status(503), cut(5), status(429))
        assert set(published_files(client, f"{hub.url}/list", told.append)) == {"b"}
        assert len(told) == 3
        hub.fail("list", *[status(503)] * 9)
        with pytest.raises(Unreachable):
            published_files(client, f"{hub.url}/list", told.append)


def test_a_list_that_asks_for_an_account_is_none(client: HttpClient) -> None:
    with FakeHub(api=False) as hub, FakeHub(api=False) as login:
        hub.fail("list", status(401), redirect(f"{login.url}/login"))
        assert published_files(client, f"{hub.url}/list", lambda _: None) == {}
        assert published_files(client, f"{hub.url}/list", lambda _: None) == {}
