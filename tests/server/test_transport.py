"""A real server and what one client could do to the rest: hold connections, send without end, come from elsewhere."""

import asyncio
import contextlib
import json
import resource
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator

import psutil
import pytest
from websockets.asyncio.client import ClientConnection, connect

from dragoman.testing import RunningServer, running_server
from tests.server.wire import UPGRADE, frame, header_only, request
from tests.waiting import PATIENCE_S, until

MIB = 1 << 20


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server() as running:
        yield running
        assert "Traceback" not in running.log()
        assert "ERROR" not in running.log()
        assert "socket.send() raised exception" not in running.log()


def dial(server: RunningServer, sent: bytes = b"") -> socket.socket:
    client = socket.create_connection((server.host, server.port), timeout=PATIENCE_S)
    client.sendall(sent)
    return client


def upgraded(server: RunningServer, path: str = "/speech/s2s") -> socket.socket:
    client = dial(server, request(path, UPGRADE))
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(4096) or b"it hung up\r\n\r\n"
    assert b" 101 " in head
    return client


def everything(client: socket.socket) -> bytes:
    """All that the server says until it ends the connection."""
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while received := client.recv(65_536):
            said += received
    return said


def health(server: RunningServer) -> bool:
    try:
        return bool(server.get_json("/health")["status"] == "ok")
    except (OSError, urllib.error.URLError):
        return False


def rss(server: RunningServer) -> int:
    return psutil.Process(server.process.pid).memory_info().rss


def test_documented_key_terms_fit_into_the_address(server: RunningServer) -> None:
    terms = ",".join(["\u0915" * 64] * 50)
    query = urllib.parse.urlencode({"language-code": "en-IN", "key_terms": terms})
    assert len(query) > 28_000
    with upgraded(server, f"/speech-to-text/ws?{query}"):
        pass


def test_longer_heads_are_answered(server: RunningServer) -> None:
    with dial(server, request("/speech/s2s?" + "a" * 70_000, UPGRADE)) as client:
        assert everything(client).startswith(b"HTTP/1.1 414 ")
    with dial(server, request("/health", [("Host", "localhost"), ("Cookie", "c" * 70_000)])) as client:
        assert everything(client).startswith(b"HTTP/1.1 431 ")


def test_a_body_of_gigabytes_is_refused_unread(server: RunningServer) -> None:
    before = rss(server)
    head = request("/session-storage/session", [("Host", "localhost"), ("Content-Length", "3000000000")], "POST")
    sent = 0
    with dial(server, head) as client:
        with contextlib.suppress(OSError):
            while sent < 64 * MIB:
                sent += client.send(bytes(MIB))
        assert sent < 64 * MIB
    with dial(server, head) as client:
        said = everything(client)
    assert said.startswith(b"HTTP/1.1 413 ")
    assert json.loads(said.partition(b"\r\n\r\n")[2])["errors"][0]["status"] == 413
    assert rss(server) - before < 32 * MIB


def test_messages_without_a_session_take_little(server: RunningServer) -> None:
    before = rss(server)
    clients = [upgraded(server) for _ in range(20)]
    for client in clients:
        client.settimeout(0.05)
        with contextlib.suppress(OSError):
            client.sendall(header_only(31 * MIB) + bytes(8 * MIB))
    assert rss(server) - before < 20 * MIB
    for client in clients:
        client.settimeout(PATIENCE_S)
        assert everything(client)[:4][2:] in (b"\x03\xf1", b"")  # 1009, where the end did not overtake it
        client.close()
    assert "closed a socket: 1009 message is larger than 65536 bytes" in server.log()


def test_a_page_from_elsewhere_reads_nothing(server: RunningServer) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example:8000"}):
        for path in ("/metrics", "/health", "/api/api-keys/token", "/openapi.json"):
            asked = urllib.request.Request(server.url + path, headers=headers)
            with pytest.raises(urllib.error.HTTPError, match="403"):
                urllib.request.urlopen(asked)
    local = urllib.request.Request(server.url + "/metrics", headers={"Origin": "http://localhost:3000"})
    with urllib.request.urlopen(local) as answer:
        assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"


async def test_who_holds_all_connections_keeps_nobody_from_asking() -> None:
    environment = {"DRAGOMAN_LIMITS__CONNECTIONS": "20", "DRAGOMAN_LIMITS__CONNECTIONS_PER_ADDRESS": "15"}
    with running_server(environment=environment) as server, contextlib.ExitStack() as held:
        for _ in range(200):
            held.enter_context(dial(server))
        assert await asyncio.to_thread(health, server)
        sockets = [held.enter_context(dial(server, request("/speech/s2s", UPGRADE))) for _ in range(50)]
        assert await asyncio.to_thread(health, server)
        assert [everything(one)[:12] for one in sockets[-5:]] == [b"HTTP/1.1 503"] * 5
        log = server.log()
        assert log.count("refused a connection") <= 2, log
        assert len(log) < 5000
        assert psutil.Process(server.process.pid).num_fds() < 100


def test_idle_connections_are_let_go() -> None:
    # A socket is not between requests: it outlives those that come after it.
    with running_server(environment={"DRAGOMAN_LIMITS__HEAD_S": "2"}) as server, upgraded(server) as quiet:
        with dial(server) as silent, dial(server, b"GET /health HTTP/1.1\r\n") as half:
            assert everything(silent) == b""
            assert everything(half).startswith(b"HTTP/1.1 408 ")
        assert "refused a request: 408" in server.log()
        quiet.sendall(frame(b"{"))
        assert b'"error"' in everything(quiet)


async def test_sessions_do_not_count_for_their_address() -> None:
    async def session(server: RunningServer) -> ClientConnection:
        opened = await connect(server.url.replace("http", "ws") + "/speech/s2s")
        await opened.send(json.dumps({"type": "setup", "input_format": "pcm"}))
        assert json.loads(await opened.recv())["type"] == "ready"
        return opened

    with running_server(environment={"DRAGOMAN_LIMITS__CONNECTIONS_PER_ADDRESS": "2"}) as server:
        opened = [await session(server) for _ in range(6)]
        assert server.get_json("/ready")["sessions"] == 6
        for one in opened:
            await one.close()
        assert "refused a connection" not in server.log()


def test_without_descriptors_the_server_waits_and_says_so_once() -> None:
    with running_server() as server:
        process = psutil.Process(server.process.pid)
        few = process.num_fds() + 10
        limits = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (few, limits[1]))
        with contextlib.ExitStack() as held:
            for _ in range(60):
                held.enter_context(dial(server))
            until(lambda: "cannot take a connection" in server.log())
            assert server.log().count("cannot take a connection: Too many open files") == 1
            assert "Traceback" not in server.log()
        until(lambda: health(server))
        assert len(server.log()) < 5000


async def test_a_large_message_right_behind_the_first(server: RunningServer) -> None:
    setup = json.dumps({"type": "setup", "input_format": "pcm", "output_format": "pcm_8000"}).encode()
    large = json.dumps({"type": "audio", "audio": "A" * 400_000}).encode()
    with upgraded(server) as client:
        client.sendall(frame(setup) + frame(large) + frame(b'{"type": "end_of_stream"}'))
        said = await asyncio.to_thread(everything, client)
    assert b'"ready"' in said
    assert b'"end_of_stream"' in said
    assert said[-2:] == b"\x03\xe8"
