"""A fake network between a client and a server: a TCP proxy that cuts, stalls, dribbles and forgets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

PIECE_BYTES = 65_536


class Way:
    """One direction of all connections through the proxy."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        """Cleared: bytes are held up, and what is behind them."""
        self.open.set()
        self.lost = False
        """Bytes and ends vanish, as behind a cable that was pulled."""
        self.dribbles = False
        """Byte by byte, each in a packet of its own."""


class FakeNetwork:
    """The proxy. `up` leads to the server, `down` to the client."""

    def __init__(self) -> None:
        self.up, self.down = Way(), Way()
        self.port = 0
        self._pairs: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> int:
        """How many have come so far."""
        return len(self._pairs)

    def cut(self) -> None:
        """Both ends are reset."""
        for pair in self._pairs:
            for writer in pair:
                writer.transport.abort()

    def half_close(self) -> None:
        """The server reads the end of the client's bytes; the client notices nothing."""
        for _, server in self._pairs:
            server.write_eof()

    async def connect(self, host: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client came: lead it to the server."""
        there, back = await asyncio.open_connection(host, port)
        self._pairs.append((writer, back))
        for source, sink, way in ((reader, back, self.up), (there, writer, self.down)):
            task = asyncio.create_task(self._carry(source, sink, way))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, way: Way) -> None:
        with suppress(OSError):
            while piece := await source.read(PIECE_BYTES):
                await way.open.wait()
                if way.lost:
                    continue
                for part in [piece[at : at + 1] for at in range(len(piece))] if way.dribbles else [piece]:
                    sink.write(part)
                    await sink.drain()
                    await asyncio.sleep(0)
            await way.open.wait()
            if not way.lost:
                sink.close()

    async def stop(self) -> None:
        """Forget everybody."""
        self.cut()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        ends = [writer.wait_closed() for pair in self._pairs for writer in pair]
        await asyncio.gather(*ends, return_exceptions=True)


@asynccontextmanager
async def fake_network(host: str, port: int) -> AsyncIterator[FakeNetwork]:
    """A proxy in front of the server at `host` and `port`; it is gone behind the block."""
    network = FakeNetwork()

    async def come(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await network.connect(host, port, reader, writer)

    listener = await asyncio.start_server(come, "127.0.0.1", 0)
    network.port = listener.sockets[0].getsockname()[1]
    try:
        yield network
    finally:
        listener.close()
        await network.stop()
