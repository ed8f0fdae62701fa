"""What signals do to a server: before it is there, while it serves, and twice."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from dragoman.config.settings import load_settings
from dragoman.server.app import create_app
from dragoman.server.runner import DrainingServer, uvicorn_config
from dragoman.server.services import Services
from dragoman.server.wire import encode_base64
from dragoman.testing import RunningServer, running_server
from tests.sdk.speech import bursts
from tests.waiting import PATIENCE_S, until, until_async


async def open_session(server: RunningServer) -> ClientConnection:
    socket = await connect(server.url.replace("http", "ws") + "/speech/s2s")
    await socket.send(json.dumps({"type": "setup", "input_format": "pcm", "output_format": "pcm_8000"}))
    assert json.loads(await socket.recv())["type"] == "ready"
    return socket


async def test_sighup_lets_running_sessions_finish() -> None:
    with running_server() as server:
        socket = await open_session(server)
        server.process.send_signal(signal.SIGHUP)
        await until_async(lambda: not server.get_json("/ready")["ready"], "the drain has begun")
        audio = encode_base64(bursts(1, 24000).tobytes())
        await socket.send(json.dumps({"type": "audio", "audio": audio}))
        await socket.send(json.dumps({"type": "end_of_stream"}))
        kinds = []
        with pytest.raises(ConnectionClosed):
            while True:
                kinds.append(json.loads(await socket.recv())["type"])
        assert (kinds[0], kinds[-1], socket.close_code) == ("text", "end_of_stream", 1000)
        assert await asyncio.to_thread(server.process.wait, PATIENCE_S) == 0


async def test_a_second_signal_closes_with_1012_and_no_message() -> None:
    with running_server() as server:
        socket = await open_session(server)
        server.process.send_signal(signal.SIGTERM)
        await until_async(lambda: not server.get_json("/ready")["ready"], "the drain has begun")
        server.process.send_signal(signal.SIGHUP)
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), PATIENCE_S)
        assert socket.close_code == 1012
        assert await asyncio.to_thread(server.process.wait, PATIENCE_S) == 0


@pytest.fixture
def starting() -> Iterator["subprocess.Popen[bytes]"]:
    """A server in its first moments: it catches signals, and still imports."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DRAGOMAN_")}
    command = [sys.executable, "-m", "dragoman", "serve", "--port", "0", "--engines", "scripted"]
    with subprocess.Popen(command, env=kept, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            until(lambda: catches(process.pid, signal.SIGTERM) or process.poll() is not None, "it catches signals")
            yield process
        finally:
            process.kill()


def catches(pid: int, number: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (number - 1) & 1)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel tells what is caught on Linux only")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_during_the_start_ends_it_well(starting: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    starting.send_signal(number)
    said, _ = starting.communicate(timeout=PATIENCE_S)
    assert starting.returncode == 0, said
    assert b"Traceback" not in said


def draining_server() -> DrainingServer:
    def never(*_: object) -> None:
        raise AssertionError

    services = Services(load_settings(), never)  # type: ignore[arg-type]
    return DrainingServer(uvicorn_config(create_app(services), services.settings), services)


def test_what_nohup_ignores_stays_ignored() -> None:
    server = draining_server()
    before = signal.getsignal(signal.SIGHUP)
    try:
        for handler, during in ((signal.SIG_DFL, server.handle_exit), (signal.SIG_IGN, signal.SIG_IGN)):
            signal.signal(signal.SIGHUP, handler)
            with server.capture_signals():
                assert signal.getsignal(signal.SIGHUP) == during
            assert signal.getsignal(signal.SIGHUP) == handler
    finally:
        signal.signal(signal.SIGHUP, before)
