"""A real server as raw sockets see it: who is let in, and clients that behave badly."""

import asyncio
import base64
import json
import os
import socket as sockets
from collections.abc import Iterator

import psutil
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from dragoman.testing import RunningServer, running_server
from tests.sdk.speech import as_wav, bursts
from tests.waiting import PATIENCE_S

PATHS = ["/speech-to-text-translate/ws", "/speech-to-text/ws"]
KEY = "secret-one"
FLUSH = '{"type": "flush"}'


def audio(seconds: float = 1.0, pause_s: float = 0.9, count: int = 1) -> str:
    data = as_wav(bursts(count, 16000, seconds, pause_s), 16000)
    return json.dumps(
        {"audio": {"data": base64.b64encode(data).decode(), "encoding": "audio/wav", "sample_rate": 16000}}
    )


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(
        environment={"DRAGOMAN_API_KEYS": KEY, "DRAGOMAN_ALLOWED_ORIGINS": '["https://example.org"]'}
    ) as running:
        yield running
        assert "Traceback" not in running.log()
        assert KEY not in running.log()


def address(server: RunningServer, path: str = PATHS[0]) -> str:
    return server.url.replace("http", "ws") + path


async def says_good_morning(
    url: str, headers: list[tuple[str, str]], subprotocols: list[str] | None = None
) -> str | None:
    """Hear one utterance; the subprotocol that was agreed on."""
    offered = [Subprotocol(name) for name in subprotocols or []] or None
    async with connect(url, additional_headers=headers, subprotocols=offered) as socket:
        await socket.send(audio())
        message = json.loads(await socket.recv())
        assert message["data"]["transcript"] == "Good morning."
        return socket.subprotocol


@pytest.mark.parametrize("path", [*PATHS, *(f"/{path}" for path in PATHS)])
async def test_a_key_in_the_header(server: RunningServer, path: str) -> None:
    await says_good_morning(address(server, path), [("api-subscription-key", KEY)])
    await says_good_morning(address(server, path), [("API-SUBSCRIPTION-KEY", KEY), ("Origin", "https://example.org")])


async def test_the_last_key_counts(server: RunningServer) -> None:
    name = "api-subscription-key"
    await says_good_morning(address(server), [(name, "old"), ("Api-Subscription-Key", KEY)])
    await says_good_morning(address(server), [(name, f"old, {KEY}")])
    for headers in ([(name, KEY), (name, "old")], [(name, f"{KEY}, old")]):
        with pytest.raises(InvalidStatus, match="401"):
            await says_good_morning(address(server), headers)


async def test_a_key_in_the_subprotocol_is_echoed(server: RunningServer) -> None:
    offered = ["chat", f"api-subscription-key.{KEY}"]
    assert await says_good_morning(address(server), [], offered) == offered[1]
    with pytest.raises(InvalidStatus, match="401"):
        await says_good_morning(address(server), [], ["api-subscription-key.wrong"])


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ([], 401, "invalid_api_key"),
        ([("api-subscription-key", "")], 401, "invalid_api_key"),
        ([("api-subscription-key", "wrong")], 401, "invalid_api_key"),
        ([("api-subscription-key", KEY), ("Origin", "https://evil.example")], 403, "forbidden"),
    ],
)
async def test_who_may_not_come_in_is_told_before_the_upgrade(
    server: RunningServer, path: str, headers: list[tuple[str, str]], status: int, code: str
) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await says_good_morning(address(server, path), headers)
    response = caught.value.response
    assert response.status_code == status
    assert json.loads(response.body or b"")["error"]["code"] == code


async def test_a_wrong_parameter_is_told_even_to_a_client_that_only_listens(server: RunningServer) -> None:
    url = address(server) + "?sample_rate=11025"
    async with connect(url, additional_headers=[("api-subscription-key", KEY)]) as socket:
        error = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))
        assert error["data"]["code"] == "invalid_config"
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    assert socket.close_code == 4000


async def test_a_client_that_never_answers_the_close_is_let_go() -> None:
    with running_server(environment={"DRAGOMAN_LIMITS__IDLE_S": "0.3"}) as server:
        reader, writer = await upgraded(server)
        # It neither closes nor leaves; the server does both.
        told = await asyncio.wait_for(reader.read(), PATIENCE_S)
        assert b"idle_timeout" in told
        assert b"no message for" in told
        writer.close()
        assert server.get_json("/health")["status"] == "ok"


async def test_a_client_that_never_reads_costs_little_and_holds_up_nobody(server: RunningServer) -> None:
    _reader, writer = await upgraded(server, receive_bytes=4096, headers=f"api-subscription-key: {KEY}\r\n")
    before = psutil.Process(server.process.pid).memory_info().rss
    burst = frame(audio(0.1, 0.6, count=100))
    for _ in range(20):
        writer.write(burst)
        await asyncio.wait_for(writer.drain(), PATIENCE_S)
    await says_good_morning(address(server), [("api-subscription-key", KEY)])
    assert psutil.Process(server.process.pid).memory_info().rss - before < 200 << 20
    writer.transport.abort()


async def upgraded(
    server: RunningServer, receive_bytes: int = 0, headers: str = ""
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A socket that has spoken HTTP and nothing else."""
    raw = sockets.socket()
    if receive_bytes:
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, receive_bytes)
    raw.connect((server.host, server.port))
    reader, writer = await asyncio.open_connection(sock=raw, limit=1024)
    nonce = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET {PATHS[0]}?vad_signals=true HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\n{headers}Sec-WebSocket-Key: {nonce}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


def frame(text: str) -> bytes:
    """A masked text frame with a mask of zeros."""
    data = text.encode()
    return bytes([0x81, 0x80 | 127]) + len(data).to_bytes(8, "big") + bytes(4) + data
