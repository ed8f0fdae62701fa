"""A real redis-server on a free port, which tests stop, start again and freeze."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dragoman.testing import reserved_port
from tests.waiting import until

PROGRAM = shutil.which("redis-server")


class RedisServer:
    """Redis with its data in a folder of its own, saved when it is stopped."""

    def __init__(self, port: int, folder: Path) -> None:
        self.url = f"redis://127.0.0.1:{port}/0"
        self._port = port
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        assert PROGRAM is not None
        self._process = subprocess.Popen(
            [PROGRAM, "--port", str(self._port), "--bind", "127.0.0.1", "--dir", str(self._folder), "--save", "3600 1"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self.answers)

    def answers(self) -> bool:
        """Whether it answers."""
        import redis

        with redis.Redis(port=self._port, socket_timeout=5) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

    def stop(self) -> None:
        """End it; it keeps what it has."""
        if self._process is not None:
            self.thaw()
            self._process.terminate()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """It takes connections and answers nothing, as behind a network that was cut."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def contents(self) -> str:
        """All that is in it, as text."""
        import redis

        found = []
        with redis.Redis(port=self._port) as client:
            for key in client.scan_iter():
                kind = client.type(key)
                found.append(repr(key))
                if kind == b"string":
                    found.append(repr(client.get(key)))
                elif kind == b"zset":
                    found.append(repr(client.zrange(key, 0, -1)))
                else:
                    found.append(repr(client.hgetall(key)))
        return "\n".join(found)


@contextmanager
def running_redis(folder: Path) -> Iterator[RedisServer]:
    """A server of the test's own; the test is skipped where there is none."""
    if PROGRAM is None:
        pytest.skip("redis-server is not installed (Debian: apt-get install redis-server)")
    pytest.importorskip("redis", reason="the package redis is not installed (pip install redis)")
    with reserved_port() as port:
        server = RedisServer(port, folder)
        try:
            server.start()
            yield server
        finally:
            server.stop()
