"""Connections are taken, refused, and left to wait; with real sockets on loopback and nothing behind them."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from dragoman.server import listener as listening
from dragoman.server.door import RESERVE, Door, Entry
from dragoman.server.listener import Listener, bind
from tests.waiting import until_async


class Counted(asyncio.Protocol):
    """Counts for its connection and tells when that is lost."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        entry.give_way = lambda: False

    def connection_lost(self, exc: Exception | None) -> None:
        self._entry.leave()


class House:
    """A listener with its door, and what it told its operator."""

    def __init__(self, limit: int = 3, per_address: int = 100) -> None:
        self.told: list[str] = []
        self.door = Door(limit, per_address, self.told.append)
        (self.socket,) = bind("127.0.0.1", 0)
        self.protocols: list[Counted] = []
        self.listener = Listener(self.socket, self.door, self._make, self.told.append)
        self.clients: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    def _make(self, entry: Entry) -> Counted:
        self.protocols.append(Counted(entry))
        return self.protocols[-1]

    async def connect(self) -> asyncio.StreamReader:
        self.clients.append(await asyncio.open_connection(*self.listener.address))
        return self.clients[-1][0]

    async def until(self, connections: int) -> None:
        await until_async(lambda: self.door.connections == connections, f"{connections} connections")

    async def begun(self, connections: int) -> None:
        await until_async(lambda: len(self.protocols) == connections, f"{connections} connections have begun")


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    yield made
    for _, writer in made.clients:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    made.listener.close()
    await made.until(0)


async def test_past_the_limits_a_connection_is_closed_at_once(house: House) -> None:
    for number in range(3 + RESERVE):
        await house.connect()
        await house.begun(number + 1)
    refused = await house.connect()
    assert await refused.read() == b""
    assert house.door.connections == 3 + RESERVE == len(house.protocols)
    assert house.told == ["refused a connection: 3 are open (limits.connections)"] * (RESERVE + 1)
    house.clients[0][1].close()
    await house.until(2 + RESERVE)
    await house.connect()
    await house.until(3 + RESERVE)
    assert len(house.told) == RESERVE + 1


async def test_connections_have_keepalive(house: House) -> None:
    accepted: list[socket.socket] = []
    connect = asyncio.get_running_loop().connect_accepted_socket

    async def seen(make: Any, connection: socket.socket, **options: Any) -> Any:
        accepted.append(connection)
        return await connect(make, connection, **options)

    asyncio.get_running_loop().connect_accepted_socket = seen  # type: ignore[method-assign]
    await house.connect()
    await house.until(1)
    assert [one.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) for one in accepted] == [1]


class Exhausted:
    """A listening socket of a process that has no descriptors left, for the first `failures` times."""

    def __init__(self, real: socket.socket, failures: int) -> None:
        self.calls = 0
        self._real = real
        self._failures = failures

    def accept(self) -> Any:
        self.calls += 1
        if self.calls <= self._failures:
            raise OSError(errno.EMFILE, "Too many open files")
        return self._real.accept()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


async def test_an_accept_that_fails_is_tried_again_after_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "RETRY_S", 0.0)
    house = House()
    exhausted = Exhausted(house.socket, 3)
    house.listener._socket = exhausted  # type: ignore[assignment]
    await house.connect()
    await house.until(1)
    # Once for each pause, however many wait; OnceAMinute makes one line of them.
    assert house.told == ["cannot take a connection: Too many open files"] * 3
    house.clients[0][1].close()
    await house.until(0)
    house.listener.close()


async def test_nothing_is_accepted_during_the_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "RETRY_S", 3600.0)
    house = House()
    exhausted = Exhausted(house.socket, 1000)
    house.listener._socket = exhausted  # type: ignore[assignment]
    await house.connect()
    await until_async(lambda: exhausted.calls)
    for _ in range(100):
        await asyncio.sleep(0)
    assert exhausted.calls == 1
    house.clients[0][1].close()
    house.listener.close()


async def test_a_connection_that_cannot_be_begun_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()

    def broken(connection: socket.socket) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(listening, "keep_alive", broken)
    reader = await house.connect()
    assert await reader.read() == b""
    assert (house.door.connections, house.protocols) == (0, [])
    house.clients[0][1].close()
    house.listener.close()


def test_addresses() -> None:
    (one,) = bind("127.0.0.1", 0)
    with one:
        host, port = one.getsockname()
        assert host == "127.0.0.1"
        with pytest.raises(OSError, match="in use"):
            bind("127.0.0.1", port)
    for name in ("localhost", ""):
        bound = bind(name, 0)
        assert bound
        for found in bound:
            found.close()
    with pytest.raises(OSError):
        bind("192.0.2.1", 0)
