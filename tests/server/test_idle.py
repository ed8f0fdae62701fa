"""A client that falls silent."""

import asyncio

from websockets.asyncio.client import connect

from dragoman.server.wire import encode_base64
from dragoman.testing import running_server
from tests.sdk.speech import bursts
from tests.server.test_operation import hear_all, say, socket_url
from tests.waiting import PATIENCE_S


async def test_what_was_heard_is_said_before_the_connection_ends() -> None:
    with running_server(environment={"DRAGOMAN_LIMITS__IDLE_S": "2"}) as server:
        async with connect(socket_url(server)) as socket:
            await say(socket, "setup", input_format="pcm", output_format="pcm_8000")
            # Speech without a pause behind it: only the idle limit ends it.
            await say(socket, "audio", audio=encode_base64(bursts(1, 24000, 1.0, 0.0).tobytes()))
            messages = await hear_all(socket)
    kinds = [message["type"] for message in messages]
    assert kinds[:2] == ["ready", "text"]
    assert "audio" in kinds
    assert kinds[-1] == "error"
    assert "no message for 2 s" in str(messages[-1]["message"])
    assert "end_of_stream" not in kinds
    assert socket.close_code == 1008


async def test_a_client_that_has_said_nothing_is_told_too() -> None:
    with running_server(environment={"DRAGOMAN_LIMITS__IDLE_S": "0.3"}) as server:
        async with connect(socket_url(server)) as socket:
            messages = await asyncio.wait_for(hear_all(socket), PATIENCE_S)
    assert [message["type"] for message in messages] == ["error"]
