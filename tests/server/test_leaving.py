"""A server that is told to end does end, whatever its engines and its clients do."""

import asyncio
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from dragoman.server import runner
from dragoman.server.wire import encode_base64
from dragoman.testing import RunningServer, reserved_port
from tests.sdk.speech import bursts
from tests.server.test_signals import draining_server
from tests.waiting import PATIENCE_S, until, until_async


@contextmanager
def stuck_server(where: str, folder: Path) -> Iterator[RunningServer]:
    """A server whose engines never come back from there; it may not be ready yet."""
    with reserved_port() as port, (folder / "log").open("wb") as log:
        settings = {"DRAGOMAN_PORT": str(port), "DRAGOMAN_LIMITS__DRAIN_S": "0.2"}
        command = [sys.executable, "-m", "tests.fakes.stuck", where]
        process = subprocess.Popen(command, env=os.environ | settings, stdout=log, stderr=log)
        try:
            yield RunningServer("127.0.0.1", port, process, folder / "log")
        finally:
            process.kill()
            process.wait()


def test_engines_that_never_load_are_left_behind(tmp_path: Path) -> None:
    with stuck_server("loading", tmp_path) as server:
        until(lambda: "stuck" in server.log(), "the engines are being loaded")
        until(lambda: lives(server), "the server listens")
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE_S) == 0, server.log()
        assert "leaving, though" in server.log()


def lives(server: RunningServer) -> bool:
    try:
        return bool(server.get_json("/health"))
    except OSError:
        return False


async def test_an_engine_that_never_returns_is_left_behind_when_its_client_has_been_told(tmp_path: Path) -> None:
    with stuck_server("hearing", tmp_path) as server:
        await until_async(lambda: lives(server) and server.get_json("/ready")["ready"], "the server is ready")
        async with connect(server.url.replace("http", "ws") + "/speech/s2s") as client:
            await client.send(json.dumps({"type": "setup", "input_format": "pcm", "output_format": "pcm_8000"}))
            audio = encode_base64(bursts(1, 24_000).tobytes())
            await client.send(json.dumps({"type": "audio", "audio": audio}))
            await client.send(json.dumps({"type": "end_of_stream"}))
            await until_async(lambda: "stuck" in server.log(), "the engine hears")
            server.process.send_signal(signal.SIGTERM)
            said = []
            with pytest.raises(ConnectionClosed):
                while True:
                    said.append(json.loads(await asyncio.wait_for(client.recv(), PATIENCE_S)))
        assert (said[-1]["type"], said[-1]["code"], client.close_code) == ("error", 1011, 1001)
        assert await asyncio.to_thread(server.process.wait, PATIENCE_S) == 0, server.log()
        assert "engine-fake-recognizer" in server.log()
        assert "Traceback" not in server.log()


def test_a_signal_when_all_are_gone_ends_the_process_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    left = []
    monkeypatch.setattr(os, "_exit", left.append)
    server = draining_server()
    server.handle_exit(signal.SIGTERM, None)
    assert (server.should_exit, left) == (True, [])
    server.handle_exit(signal.SIGTERM, None)
    assert left == [0]


async def test_a_signal_in_the_middle_of_a_line_of_the_log_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes to a stream that is being written to gets a RuntimeError, and so did the handler of the signal."""

    class Interrupted(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise RuntimeError("reentrant call inside <_io.BufferedWriter name='<stderr>'>")

    server, handler = draining_server(), Interrupted()
    server._loop = asyncio.get_running_loop()
    monkeypatch.setattr(runner.log, "handlers", [handler])
    monkeypatch.setattr(runner.log, "level", logging.INFO)
    server.handle_exit(signal.SIGTERM, None)
    assert server._services.admission.draining
    assert not server.should_exit
    monkeypatch.undo()
    await until_async(lambda: server.should_exit, "the drain is over")


def test_clients_that_do_nothing_hold_up_no_end(tmp_path: Path) -> None:
    """One never reads, three stop in the middle of a handshake, a head and a body, and one says nothing at all."""
    with stuck_server("nowhere", tmp_path) as server:
        until(lambda: lives(server) and server.get_json("/ready")["ready"], "the server is ready")
        address = (server.host, server.port)
        upgrade = (
            b"GET /speech/s2s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        )
        sent = [
            upgrade
            + b"\r\n"
            + frame({"type": "setup", "input_format": "pcm", "output_format": "pcm"})
            + frame({"type": "audio", "audio": encode_base64(bursts(20, 24_000).tobytes())})
            + frame({"type": "end_of_stream"}),
            upgrade,
            b"GET /hea",
            b"POST /api/tts HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{",
            b"",
        ]
        clients = [reading_little(address) for _ in sent]
        try:
            for client, data in zip(clients, sent, strict=True):
                client.sendall(data)
            until(lambda: server.get_json("/ready")["sessions"], "a session runs")
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(PATIENCE_S) == 0, server.log()
        finally:
            for client in clients:
                client.close()


def reading_little(address: tuple[str, int]) -> socket.socket:
    """A connection that takes next to nothing."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(address)
    return client


def frame(message: dict[str, object]) -> bytes:
    """A client's text frame, masked with zeros."""
    data = json.dumps(message).encode()
    return b"\x81\xff" + len(data).to_bytes(8, "big") + bytes(4) + data
