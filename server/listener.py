"""Takes connections: past the door's limits they are closed at once, and an accept that fails is tried again a second
later.

asyncio's own server accepts without asking anybody, and when descriptors run out it logs a traceback for each of the
connections that wait, again and again.
"""

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Any

from dragoman.server.door import Door, Entry
from dragoman.server.keepalive import keep_alive

BACKLOG = 1024
"""Connections that the kernel holds for us; its own limit may be lower."""
ACCEPTS_A_TURN = 64
"""Connections taken in one turn of the event loop, so that those that are there get theirs."""
RETRY_S = 1.0

_NOT_HERE = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}
"""An address of a name that this machine does not have, such as `::1` without IPv6."""


def bind(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen on every address of `host`; an empty one means all of this machine. Raises OSError."""
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    bound: list[socket.socket] = []
    absent: OSError | None = None
    for family, address in dict.fromkeys((family, address) for family, _, _, _, address in found):
        try:
            bound.append(socket.create_server(address[:2], family=family, backlog=BACKLOG))
        except OSError as error:
            absent = error
            if error.errno not in _NOT_HERE:
                break
    else:
        if bound:
            return bound
    for listening in bound:
        listening.close()
    raise absent or OSError(f"{host} has no address")


class Listener:
    """Accepts on one socket while it is open. `make` gives each connection its protocol; `say` is for the operator."""

    def __init__(
        self,
        listening: socket.socket,
        door: Door,
        make: Callable[[Entry], asyncio.BaseProtocol],
        say: Callable[[str], None],
    ) -> None:
        self._socket = listening
        self._door = door
        self._make = make
        self._say = say
        self._loop = asyncio.get_running_loop()
        self._arriving: set[asyncio.Task[None]] = set()
        self._retry: asyncio.TimerHandle | None = None
        listening.setblocking(False)
        self._loop.add_reader(listening, self._accept)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self._socket.getsockname()[:2]
        return host, port

    def close(self) -> None:
        """Take no more; those that are here stay."""
        if self._retry is not None:
            self._retry.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _accept(self) -> None:
        for _ in range(ACCEPTS_A_TURN):
            try:
                connection, address = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._say(f"cannot take a connection: {error.strerror}")
                # The kernel goes on telling that somebody waits.
                self._loop.remove_reader(self._socket)
                self._retry = self._loop.call_later(RETRY_S, self._loop.add_reader, self._socket, self._accept)
                return
            self._welcome(connection, address)

    def _welcome(self, connection: socket.socket, address: Any) -> None:
        entry = self._door.enter(str(address[0]))
        if entry is None:
            connection.close()
            return
        arriving = self._loop.create_task(self._connect(connection, entry))
        self._arriving.add(arriving)
        arriving.add_done_callback(self._arriving.discard)

    async def _connect(self, connection: socket.socket, entry: Entry) -> None:
        try:
            connection.setblocking(False)
            keep_alive(connection)
            await self._loop.connect_accepted_socket(lambda: self._make(entry), connection)
        except BaseException as error:
            entry.leave()
            connection.close()
            # Who has left already is nobody's fault.
            if not isinstance(error, OSError):
                raise
