"""A server of one's own for a test: `with running_server() as server: …`.

Made for the test suites of programs that talk to Dragoman (see docs/ci.md), and used by Dragoman's own tests, demo and
benchmarks. The server is a child process; it is always gone when the block ends.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

START_S = 60.0
STOP_S = 10.0
ANSWER_S = 30.0

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""A proxy of the surroundings has no way to a server on this machine."""


class ServerDidNotStart(RuntimeError):
    """The server ended or was not ready in time; the message holds the end of its log."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """Where a server is, and its process."""

    host: str
    port: int
    process: "subprocess.Popen[bytes]"
    log_path: Path

    @property
    def url(self) -> str:
        """Base URL, as clients take it."""
        return f"http://{self.host}:{self.port}"

    def get_json(self, path: str) -> Any:
        """GET a JSON document; an error status is not an exception, its body comes back."""
        try:
            with _DIRECT.open(self.url + path, timeout=ANSWER_S) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return json.load(error)

    def log(self) -> str:
        """All that the server has logged."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")


@contextmanager
def reserved_port(host: str = "127.0.0.1") -> Iterator[int]:
    """A TCP port that nobody listens on and that the system gives to nobody else until the block ends.

    A server can listen on it all the same, if it allows the reuse of addresses, as servers do.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((host, 0))
        yield holder.getsockname()[1]


@contextmanager
def running_server(
    engines: str = "scripted",
    *,
    environment: Mapping[str, str] | None = None,
    wait: bool = True,
    stop_s: float = STOP_S,
) -> Iterator[RunningServer]:
    """Run `dragoman serve` on a free loopback port until the block ends, then stop it, by force after `stop_s`.

    `engines` is the set of engines; `environment` adds DRAGOMAN_* settings. Waits until the server is ready, unless
    told not to. Raises ServerDidNotStart.
    """
    host = "127.0.0.1"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DRAGOMAN_")}
    with reserved_port(host) as port, TemporaryDirectory(prefix="dragoman-") as folder:
        settings = {"DRAGOMAN_HOST": host, "DRAGOMAN_PORT": str(port), "DRAGOMAN_ENGINES__SET": engines}
        log_path = Path(folder) / "server.log"
        with log_path.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dragoman", "serve"],
                env={**kept, **settings, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        server = RunningServer(host, port, process, log_path)
        try:
            if wait:
                wait_until_ready(server)
            yield server
        finally:
            stop(process, stop_s)


def wait_until_ready(server: RunningServer, timeout_s: float = START_S) -> None:
    """Wait until `/ready` says so. Raises ServerDidNotStart."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise ServerDidNotStart(f"server ended with {server.process.returncode}:\n{server.log()[-4000:]}")
        try:
            if server.get_json("/ready")["ready"]:
                return
        except (OSError, ValueError):
            pass
        time.sleep(0.02)
    raise ServerDidNotStart(f"server was not ready after {timeout_s:g} s:\n{server.log()[-4000:]}")


def stop(process: "subprocess.Popen[bytes]", patience_s: float = STOP_S) -> None:
    """End a server as an operator would, with SIGTERM; after `patience_s` with SIGKILL."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
