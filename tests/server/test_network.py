"""What the network does to a real server: cuts, stalls, dribbles, halves of connections, closes in any order."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from dragoman.server.wire import encode_base64
from dragoman.testing import RunningServer, running_server
from tests.fakes.network import FakeNetwork, fake_network
from tests.sdk.speech import bursts
from tests.server.test_operation import hear_all, say
from tests.waiting import until_async

AUDIO = encode_base64(bursts(2, 24000).tobytes())
LIMITS = {"DRAGOMAN_LIMITS__OUTPUT_WAIT_S": "10.0", "DRAGOMAN_LIMITS__SESSIONS": "4"}
IDLE_S = 2
"""Of the impatient server: for what nothing but the client's silence tells of."""


@contextmanager
def faultless(**limits: str) -> Iterator[RunningServer]:
    with running_server(environment=LIMITS | limits) as running:
        yield running
        assert "Traceback" not in running.log()
        assert "ERROR" not in running.log()


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with faultless() as running:
        yield running


@pytest.fixture(scope="module")
def impatient_server() -> Iterator[RunningServer]:
    with faultless(DRAGOMAN_LIMITS__IDLE_S=str(IDLE_S)) as running:
        yield running


@asynccontextmanager
async def network_to(server: RunningServer) -> AsyncIterator[FakeNetwork]:
    """However the network fails: the server forgets the session, and has room for as many as before."""
    async with fake_network(server.host, server.port) as network:
        yield network
    await nobody_left(server)


@pytest.fixture
async def network(server: RunningServer) -> AsyncIterator[FakeNetwork]:
    async with network_to(server) as network:
        yield network


@pytest.fixture
async def impatient(impatient_server: RunningServer) -> AsyncIterator[FakeNetwork]:
    async with network_to(impatient_server) as network:
        yield network


async def nobody_left(server: RunningServer) -> None:
    """Wait until the server counts no session."""
    await until_async(lambda: not server.get_json("/ready")["sessions"], "the server counts no session")


@asynccontextmanager
async def talking(network: FakeNetwork) -> AsyncIterator[ClientConnection]:
    """A client whose session is open and has been fed."""
    async with connect(f"ws://127.0.0.1:{network.port}/speech/s2s", close_timeout=0.1, ping_interval=None) as socket:
        await say(socket, "setup", input_format="pcm", output_format="pcm_8000")
        await say(socket, "audio", audio=AUDIO)
        assert json.loads(await socket.recv())["type"] == "ready"
        yield socket


async def test_a_cut_in_the_middle(network: FakeNetwork) -> None:
    async with talking(network) as socket:
        assert json.loads(await socket.recv())["type"] == "text"
        network.cut()


async def test_a_cut_in_the_middle_of_a_message(network: FakeNetwork) -> None:
    async with talking(network) as socket:
        socket.transport.write(b"\x81\xfe\xff\xff1234half")  # a frame of 65 535 bytes, of which four come
        network.cut()


async def test_a_cut_in_the_middle_of_the_handshake(network: FakeNetwork) -> None:
    for head in (b"", b"GET /speech/s2s HTTP/1.1\r\nHost: x\r\nUpgr"):
        _, writer = await asyncio.open_connection("127.0.0.1", network.port)
        writer.write(head)
        await writer.drain()
        network.cut()
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


async def test_an_end_of_the_stream_without_a_close_frame(network: FakeNetwork) -> None:
    async with talking(network) as socket:
        network.half_close()
        with pytest.raises(ConnectionClosed):
            while True:
                await socket.recv()


async def test_everything_byte_by_byte(network: FakeNetwork) -> None:
    network.up.dribbles = network.down.dribbles = True
    async with connect(f"ws://127.0.0.1:{network.port}/speech/s2s") as socket:
        await say(socket, "setup", input_format="pcm_8000", output_format="pcm_8000")
        await say(socket, "audio", audio=encode_base64(bursts(1, 8000).tobytes()))
        await say(socket, "end_of_stream")
        kinds = [message["type"] for message in await hear_all(socket)]
    assert (kinds[0], kinds.count("text"), kinds[-1]) == ("ready", 1, "end_of_stream")
    assert socket.close_code == 1000


async def test_what_the_client_says_gets_stuck(impatient: FakeNetwork) -> None:
    """The idle limit ends it; what had been heard is said before."""
    async with talking(impatient) as socket:
        assert json.loads(await socket.recv())["type"] == "text"
        impatient.up.open.clear()
        messages = await hear_all(socket)
        assert [message["type"] for message in messages].count("text") == 1
        assert messages[-1]["message"] == f"no message for {IDLE_S} s"
        assert socket.close_code == 1008


async def test_what_the_server_says_gets_stuck(network: FakeNetwork) -> None:
    """A client that nothing reaches: what waits for it is bounded, and then the session is over."""
    async with talking(network) as socket:
        network.down.open.clear()
        for _ in range(400):
            await say(socket, "audio", audio=AUDIO)


async def test_a_pulled_cable(impatient: FakeNetwork) -> None:
    """Nothing comes and nothing goes, and nobody says so."""
    async with talking(impatient):
        impatient.up.lost = impatient.down.lost = True
        await asyncio.sleep(0)


async def test_the_close_frame_is_never_answered(impatient: FakeNetwork) -> None:
    async with talking(impatient) as socket:
        impatient.up.lost = True
        await hear_all(socket)


async def test_closes_that_cross(network: FakeNetwork) -> None:
    """Both sides close at once; neither waits for the other's answer to its own Close."""
    async with talking(network) as socket:
        network.down.open.clear()
        await say(socket, "end_of_stream")
        closing = asyncio.create_task(socket.close())
        await asyncio.sleep(0)
        network.down.open.set()
        await closing


async def test_the_server_is_gone_before_the_handshake_is_over(server: RunningServer) -> None:
    async with fake_network(server.host, server.port) as network:
        network.up.open.clear()
        opening = asyncio.create_task(connect(f"ws://127.0.0.1:{network.port}/speech/s2s").__aenter__())
        await until_async(lambda: network.connections, "the client has come")
        network.cut()
        with pytest.raises((OSError, InvalidHandshake, ConnectionClosed)):
            await opening
    await nobody_left(server)
