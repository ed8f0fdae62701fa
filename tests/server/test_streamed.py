"""An answer that is sent while it is made."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from dragoman.server.failures import ShuttingDown
from dragoman.server.streamed import Streamed
from tests.waiting import until_async

HELD = 3_600.0


class Client:
    """Takes what it is sent until it goes, or takes nothing any more."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.gone = asyncio.Event()
        self.reads = asyncio.Event()
        self.reads.set()

    async def receive(self) -> Any:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        await self.reads.wait()

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)

    @property
    def complete(self) -> bool:
        return self.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


class Making:
    """Makes two pieces; between them it waits, or breaks."""

    def __init__(self, error: Exception | None = None) -> None:
        self.go_on = asyncio.Event()
        self.closed = False
        self._error = error

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        try:
            yield b"one"
            await self.go_on.wait()
            if self._error is not None:
                raise self._error
            yield b"two"
        finally:
            self.closed = True


async def test_it_comes_piece_by_piece() -> None:
    client, making = Client(), Making()
    serving = asyncio.create_task(Streamed(making.pieces(), "audio/mpeg", HELD)({}, client.receive, client.send))
    await until_async(lambda: client.body == b"one")
    assert dict(client.sent[0]["headers"]) == {b"content-type": b"audio/mpeg"}
    making.go_on.set()
    await serving
    assert (client.body, client.complete, making.closed) == (b"onetwo", True, True)


@pytest.mark.parametrize("error", [ShuttingDown(), ZeroDivisionError()])
async def test_what_breaks_has_no_end(error: Exception) -> None:
    client, making = Client(), Making(error)
    making.go_on.set()
    await Streamed(making.pieces(), "audio/mpeg", HELD)({}, client.receive, client.send)
    assert (client.body, client.complete, making.closed) == (b"one", False, True)


async def test_who_goes_ends_it() -> None:
    client, making = Client(), Making()
    serving = asyncio.create_task(Streamed(making.pieces(), "audio/mpeg", HELD)({}, client.receive, client.send))
    await until_async(lambda: client.body == b"one")
    client.gone.set()
    await serving
    assert (client.complete, making.closed) == (False, True)


@pytest.mark.parametrize("taken", [0, 1, 2])
async def test_who_does_not_read_ends_it(taken: int) -> None:
    client, making = Client(), Making()
    making.go_on.set()

    async def send(message: Any) -> None:
        if len(client.sent) == taken:
            client.reads.clear()
        await client.send(message)

    await Streamed(making.pieces(), "audio/mpeg", 0.01)({}, client.receive, send)
    assert len(client.sent) == taken + 1
    assert not client.complete
    assert making.closed == (taken > 0), "what was never begun need not be closed"


async def test_a_first_piece_that_is_known_already() -> None:
    client, making = Client(), Making()
    pieces = making.pieces()
    first = await anext(pieces)
    making.go_on.set()
    await Streamed(pieces, "audio/mpeg", HELD, first)({}, client.receive, client.send)
    assert (client.body, client.complete) == (b"onetwo", True)


async def test_what_was_begun_is_closed_though_nothing_of_it_is_sent() -> None:
    client, making = Client(), Making()
    pieces = making.pieces()
    first = await anext(pieces)
    client.reads.clear()
    client.gone.set()
    await Streamed(pieces, "audio/mpeg", HELD, first)({}, client.receive, client.send)
    assert making.closed


async def test_a_task_that_is_cancelled_closes_what_is_made() -> None:
    client, making = Client(), Making()
    serving = asyncio.create_task(Streamed(making.pieces(), "audio/mpeg", HELD)({}, client.receive, client.send))
    await until_async(lambda: client.body == b"one")
    serving.cancel()
    await asyncio.wait({serving})
    assert making.closed
