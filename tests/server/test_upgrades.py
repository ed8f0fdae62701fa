"""Sockets that are dialled without an upgrade, and upgrades where no socket is."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from dragoman.testing import RunningServer, running_server

SOCKETS = [
    "/api/speech/s2s",
    "/speech/s2s",
    "/speech/tts",
    "/",
    "/transcribe-websocket",
    "/tts-websocket",
    "/speech-to-text-translate/ws",
    "/speech-to-text/ws",
    "//speech-to-text/ws",
    "/speech-to-text-realtime/ws",
    "/text-to-speech/ws",
    "/streaming-api/v1/speech-to-speech/stream",
    "/streaming-api/0123abcd/v1/speech-to-speech/stream",
    "/asr/v1/speech-to-text/stream",
    "/tts-api/v1/text-to-speech/stream",
]


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(environment={"DRAGOMAN_API_KEYS": "secret"}) as one:
        yield one


@pytest.fixture
async def client(server: RunningServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url) as one:
        yield one


@pytest.mark.parametrize("path", SOCKETS)
async def test_a_plain_get_is_told_of_the_upgrade(client: httpx.AsyncClient, path: str) -> None:
    """As behind a proxy that does not pass the headers of the upgrade on."""
    for query in ("", "?token=secret&language=en"):
        answer = await client.request("GET", str(client.base_url).rstrip("/") + path + query)
        assert answer.status_code == 426, path
        assert answer.headers["upgrade"] == "websocket"
        assert answer.headers["connection"].lower() == "upgrade"
        assert "pass the headers Upgrade and Connection on" in answer.json()["detail"]
    head = await client.request("HEAD", str(client.base_url).rstrip("/") + path)
    assert (head.status_code, head.content) == (426, b"")


@pytest.mark.parametrize("path", ["/nothing", "/api", "/speech/s2s/more", "/asr/v1", "/v1", "/v1/nothing"])
async def test_other_paths_are_what_they_were(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404
    assert (await client.get("/health")).status_code == 200


@pytest.mark.parametrize(
    "path", ["/nothing", "/speech/s2s/more", "/transcribe-websocket/more", "/v1/models", "/health"]
)
async def test_an_upgrade_where_no_socket_is_does_not_look_like_a_wrong_key(server: RunningServer, path: str) -> None:
    for headers in ({}, {"x-api-key": "secret"}):
        with pytest.raises(InvalidStatus) as refused:
            await connect(server.url.replace("http", "ws") + path, additional_headers=headers)
        assert refused.value.response.status_code == 404
        assert b"no WebSocket at this path" in (refused.value.response.body or b"")
