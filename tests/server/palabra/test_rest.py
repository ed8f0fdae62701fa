"""Where a session made by REST says that its socket is."""

from collections.abc import Mapping

import httpx
import pytest

from dragoman.config.settings import load_settings
from dragoman.server.app import create_app
from dragoman.server.services import Services
from tests.fakes.engines import fake_engines

STREAM = "/streaming-api/v1/speech-to-speech/stream"
HERE = "ws://127.0.0.1:8000"


async def dialled(headers: Mapping[str, str], public_url: str = "") -> str:
    services = Services(load_settings(overrides={"public_url": public_url}), lambda *_: fake_engines())
    app = create_app(services)
    async with app.router.lifespan_context(app):
        await services.until_loaded()
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 50_000))
        async with httpx.AsyncClient(transport=transport, base_url=HERE.replace("ws", "http")) as client:
            answer = await client.post("/session-storage/session", content=b"{}", headers=headers)
    address: str = answer.json()["data"]["ws_url"]
    return address


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        ({}, HERE),
        ({"Host": "localhost:8443", "X-Forwarded-Proto": "https"}, "wss://localhost:8443"),
        ({"Host": "localhost", "X-Forwarded-Proto": "https"}, "wss://localhost"),
        ({"Host": "localhost", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "8443"}, "wss://localhost:8443"),
        ({"X-Forwarded-Host": "there.example:99", "X-Forwarded-Prefix": "/live/"}, "ws://there.example:99/live"),
    ],
)
async def test_it_is_where_the_request_was_sent_to(headers: Mapping[str, str], base: str) -> None:
    assert await dialled(headers) == base + STREAM


async def test_only_trusted_proxies_are_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "192.0.2.7")
    told = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/x"}
    assert await dialled(told) == HERE + STREAM


@pytest.mark.parametrize(
    ("public_url", "base"),
    [
        ("https://translate.example.org", "wss://translate.example.org"),
        ("https://translate.example.org:8443/live/", "wss://translate.example.org:8443/live"),
        ("http://192.0.2.1/http", "ws://192.0.2.1/http"),
    ],
)
async def test_it_is_where_the_operator_says(public_url: str, base: str) -> None:
    assert await dialled({"X-Forwarded-Proto": "http"}, public_url) == base + STREAM
