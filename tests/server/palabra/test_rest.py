"""Where a session made by REST says that its socket is."""

import json
import urllib.request
from collections.abc import Mapping

import pytest

from dragoman.testing import RunningServer, running_server

STREAM = "/streaming-api/v1/speech-to-speech/stream"


def dialled(server: RunningServer, headers: Mapping[str, str]) -> str:
    request = urllib.request.Request(server.url + "/session-storage/session", b"{}", dict(headers))
    with urllib.request.urlopen(request) as response:
        address: str = json.load(response)["data"]["ws_url"]
    return address


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        ({}, None),
        ({"Host": "localhost:8443", "X-Forwarded-Proto": "https"}, "wss://localhost:8443"),
        ({"Host": "localhost", "X-Forwarded-Proto": "https"}, "wss://localhost"),
        ({"Host": "localhost", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "8443"}, "wss://localhost:8443"),
        ({"X-Forwarded-Host": "there.example:99", "X-Forwarded-Prefix": "/live/"}, "ws://there.example:99/live"),
    ],
)
def test_it_is_where_the_request_was_sent_to(headers: Mapping[str, str], base: str | None) -> None:
    with running_server() as server:
        assert dialled(server, headers) == (base or server.url.replace("http", "ws")) + STREAM


def test_only_trusted_proxies_are_believed() -> None:
    told = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/x"}
    with running_server(environment={"FORWARDED_ALLOW_IPS": "192.0.2.7"}) as server:
        assert dialled(server, told) == server.url.replace("http", "ws") + STREAM


@pytest.mark.parametrize(
    ("public_url", "base"),
    [
        ("https://translate.example.org", "wss://translate.example.org"),
        ("https://translate.example.org:8443/live/", "wss://translate.example.org:8443/live"),
        ("http://192.0.2.1/http", "ws://192.0.2.1/http"),
    ],
)
def test_it_is_where_the_operator_says(public_url: str, base: str) -> None:
    with running_server(environment={"DRAGOMAN_PUBLIC_URL": public_url}) as server:
        assert dialled(server, {"X-Forwarded-Proto": "http"}) == base + STREAM
