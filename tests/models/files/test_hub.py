"""Addresses of files."""

from dragoman.config.settings import load_settings
from dragoman.models.files.catalogue import Catalogue
from dragoman.models.files.hub import Sources

CATALOGUE = Catalogue.load()
SOURCES = Sources("https://hub", "https://argos/mirror", "https://fox")
MOZILLA = "https://firefox-settings-attachments.cdn.mozilla.net"


def url(name: str, file: int = 0) -> str:
    entry = CATALOGUE.get(name)
    return SOURCES.url(entry, entry.files[file])


def test_addresses_of_files() -> None:
    revision = CATALOGUE.get("tiny").revision
    assert url("tiny") == f"https://hub/Systran/faster-whisper-tiny/resolve/{revision}/config.json"
    assert url("translate-en_de") == "https://argos/mirror/v1/translate-en_de-1_3.argosmodel"
    assert url("firefox-en_ja").startswith("https://fox/main-workspace/translations-models/")
    assert "/pt/pt_PT/tug%C3%A3o/medium/" in url("pt_PT-tugão-medium")


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
