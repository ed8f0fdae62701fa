"""What the vendor has and this server has not."""

import json
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from dragoman.server.commands import Close, Send
from dragoman.server.failures import BadMessage, Fault, NotReady, ShuttingDown
from dragoman.server.protocols.sarvam.unserved import ENDPOINTS, SOCKETS, UnservedAdapter
from dragoman.testing import RunningServer, running_server

KEY = "secret-one"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(environment={"DRAGOMAN_API_KEYS": KEY}) as one:
        yield one


@pytest.fixture
async def client(server: RunningServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url) as one:
        yield one


@pytest.mark.parametrize("name", ENDPOINTS)
async def test_endpoints(client: httpx.AsyncClient, name: str) -> None:
    path = name.replace("{rest:path}", "1234/start")
    for url in (f"/{path}", f"{client.base_url}/{path}", f"/{path}/"):
        answer = await client.post(url, headers={"api-subscription-key": KEY}, files={"file": b"RIFF"})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (404, "not_found_error"), url
        assert error["message"].startswith("POST /")
        assert error["message"].endswith("is not served by this server")
        assert error["request_id"]
    refused = await client.post(f"/{path}", json={})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "invalid_api_key_error")


@pytest.mark.parametrize("path", ["/speech-to-text/job/v1", "//speech-to-text-translate/job/v1"])
async def test_a_whole_recording_is_not_told_that_it_is_too_large(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.post(f"{client.base_url}{path}", files={"file": bytes(200_000)})
    assert answer.status_code == 404
    assert "this path is not served by this server" in answer.text


@pytest.mark.parametrize("path", SOCKETS)
@pytest.mark.parametrize("slash", ["/", "//"])
async def test_sockets(server: RunningServer, path: str, slash: str) -> None:
    url = server.url.replace("http", "ws") + f"{slash}{path}?model=bulbul:v3&send_completion_event=True"
    async with connect(url, additional_headers={"api-subscription-key": KEY}) as socket:
        await socket.send(json.dumps({"type": "config", "data": {"speaker": "x", "target_language_code": "hi-IN"}}))
        told = json.loads(await socket.recv())
        # The client takes a text code, or a missing message, for a fault of its own, and tries again on what is no 4xx.
        assert told == {
            "type": "error",
            "data": {"message": f"{slash}{path} is not served by this server", "code": 400},
        }
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    assert socket.close_code == 1003


async def test_a_wrong_key_is_a_wrong_key(server: RunningServer) -> None:
    with pytest.raises(InvalidStatus, match="401"):
        await connect(server.url.replace("http", "ws") + f"/{SOCKETS[0]}")


def test_what_may_pass_may_be_tried_again() -> None:
    for error, code, close in (
        (ShuttingDown(), 503, 1001),
        (NotReady("loading"), 503, 1011),
        (BadMessage("no", Fault.SETUP), 400, 1003),
    ):
        sent, closing = UnservedAdapter().failed(None, error)
        assert isinstance(sent, Send)
        assert json.loads(sent.data)["data"] == {"message": str(error), "code": code}
        assert closing == Close(close, str(error))
