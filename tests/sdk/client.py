"""Jobs of the real `gradium` package (`tests/sdk/child.py`)."""

import asyncio
import base64
import functools
from collections.abc import AsyncIterator
from typing import Any

import numpy as np

from tests.sdk.child import Raised, guarded, run_job
from tests.waiting import PATIENCE_S

MODULE = "tests.sdk.client"
run_client = functools.partial(run_job, MODULE)


def _client(url: str, key: str) -> Any:
    from gradium.client import GradiumClient

    return GradiumClient(base_url=url, api_key=key)


async def _chunks(data: bytes, size: int, pause_s: float) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]
        if pause_s:
            await asyncio.sleep(pause_s)


async def buffered(url: str, setup: dict[str, Any], audio: Any, key: str = "k", rate: int | None = None) -> Any:
    """`client.s2s`: text, bytes, rate, request id, and times of each text."""
    result = await _client(url, key).s2s(setup, audio, rate)
    return {
        "text": result.text,
        "raw": result.raw_data,
        "rate": result.sample_rate,
        "request_id": result.request_id,
        "times": [(text.text, text.start_s, text.stop_s) for text in result.text_with_timestamps],
    }


async def pulled(url: str, setup: dict[str, Any], audio: bytes, key: str = "k", size: int = 3000) -> Any:
    """`client.s2s_stream`: all events behind ready."""
    stream = await _client(url, key).s2s_stream(setup, _chunks(audio, size, 0.0))
    return [event async for event in stream.iter_events()]


async def realtime(
    url: str,
    setup: dict[str, Any],
    audio: bytes | np.ndarray,
    key: str = "k",
    size: int = 4000,
    pause_s: float = 0.0,
    wait_for_ready: bool = False,
    eos: bool = True,
) -> Any:
    """`client.s2s_realtime`: every message, `ready` included, while sending goes on beside it."""
    received: list[Any] = []
    async with _client(url, key).s2s_realtime(wait_for_ready_on_start=wait_for_ready, **setup) as s2s:
        if wait_for_ready:
            received.append(s2s.ready)

        async def send() -> None:
            for start in range(0, len(audio), size):
                await s2s.send_audio(audio[start : start + size])
                await asyncio.sleep(pause_s)
            if eos:
                await s2s.send_eos()

        sending = asyncio.create_task(send())
        try:
            async for message in s2s:
                received.append(message)  # noqa: PERF401  (what came before an error counts too)
        finally:
            sending.cancel()
    return received


async def first_output(url: str, setup: dict[str, Any], audio: bytes, key: str = "k") -> Any:
    """Send most of the audio and wait, before going on, for the first sound; the kinds of messages before and after."""
    before: list[str] = []
    async with _client(url, key).s2s_realtime(**setup) as s2s:
        most = len(audio) * 3 // 4
        await s2s.send_audio(audio[:most])
        async for message in s2s:
            before.append(message["type"])
            if message["type"] == "audio":
                break
        await s2s.send_audio(audio[most:])
        await s2s.send_eos()
        after = [message["type"] async for message in s2s]
    return {"before": before, "after": after}


async def send_all_then_read(url: str, setup: dict[str, Any], audio: bytes, key: str = "k") -> Any:
    """Like the examples in the package's docstrings: no read before everything is sent."""
    async with _client(url, key).s2s_realtime(**setup) as s2s:
        for start in range(0, len(audio), 4000):
            await s2s.send_audio(audio[start : start + 4000])
        await s2s.send_eos()
        await asyncio.sleep(1.0)
        return [message async for message in s2s]


async def multiplexed(url: str, requests: dict[str, dict[str, Any]], audio: dict[str, bytes], key: str = "k") -> Any:
    """Many scoped requests on one socket at once; messages by their `client_req_id`."""
    received: dict[Any, list[Any]] = {}
    async with _client(url, key).s2s_realtime(send_setup_on_start=False) as s2s:
        for name, setup in requests.items():
            await s2s.send_setup({**setup, "client_req_id": name, "close_ws_on_eos": False})
        for start in range(0, max(map(len, audio.values())), 4000):
            for name, data in audio.items():
                if data[start : start + 4000]:
                    await s2s.send_audio(data[start : start + 4000], client_req_id=name)
        for name in requests:
            await s2s.send_eos(client_req_id=name)
        left = set(requests)
        async for message in s2s:
            received.setdefault(message.get("client_req_id"), []).append(message)
            if message["type"] == "end_of_stream":
                left.discard(message.get("client_req_id"))
                if not left:
                    await s2s.send_eos()
                    break
        async for message in s2s:
            received.setdefault(message.get("client_req_id"), []).append(message)
    return received


async def reused(url: str, setups: list[dict[str, Any]], audio: bytes, key: str = "k") -> Any:
    """One request after the other on one socket, without ids."""
    rounds: list[list[Any]] = []
    async with _client(url, key).s2s_realtime(send_setup_on_start=False) as s2s:
        for setup in setups:
            await s2s.send_setup({**setup, "close_ws_on_eos": False})
            await s2s.send_audio(audio)
            await s2s.send_eos()
            rounds.append([])
            async for message in s2s:
                rounds[-1].append(message)
                if message["type"] == "end_of_stream":
                    break
        await s2s.send_eos()
        rounds.append([message async for message in s2s])
    return rounds


async def rest(url: str, calls: list[tuple[str, dict[str, Any]]], key: str = "k") -> Any:
    """REST methods of the client by name; a raised error is an answer too."""
    answers: list[Any] = []
    for method, arguments in calls:
        try:
            answers.append(await getattr(_client(url, key), method)(**arguments))
        except Exception as error:  # noqa: BLE001
            answers.append(Raised.of(error))
    return answers


async def token(url: str, setup: dict[str, Any], audio: bytes, key: str = "k") -> Any:
    """A browser's way: a token by REST, then a raw socket with it, twice; and once without anything."""
    import aiohttp

    async def speak(query: str) -> Any:
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{url}/api/speech/s2s{query}") as ws:
            await ws.send_json({**setup, "type": "setup"})
            kinds = []
            await ws.send_json({"type": "audio", "audio": base64.b64encode(audio).decode()})
            await ws.send_json({"type": "end_of_stream"})
            async for message in ws:
                fields = message.json()
                kinds.append(fields["type"])
                if fields["type"] == "error":
                    await ws.receive()
                    return {"type": "error", "code": fields["code"], "close": ws.close_code}
            return kinds

    issued = await _client(url + "/api", key).get("api-keys/token")
    query = f"?token={issued['token']}"
    assert issued["expires_at"].endswith("Z")
    return {"first": await speak(query), "second": await speak(query), "none": await speak("")}


async def crowd(url: str, setup: dict[str, Any], audio: bytes, size: int, key: str = "k") -> Any:
    """`size` sessions that are all open at once; how each ended."""
    entered = 0
    all_in = asyncio.Event()

    async def one() -> tuple[str, str]:
        nonlocal entered
        async with _client(url, key).s2s_realtime(**setup) as s2s:
            kind, text = "closed", ""
            try:
                first = await s2s.recv()
                kind = first["type"]
            except RuntimeError as error:
                kind, text = "error", str(error)
            entered += 1
            if entered == size:
                all_in.set()
            await all_in.wait()
            if kind == "ready":
                await s2s.send_audio(audio)
                await s2s.send_eos()
                async for message in s2s:
                    kind = message["type"]
            return kind, text

    return await asyncio.gather(*(one() for _ in range(size)))


async def deaf(url: str, setup: dict[str, Any], audio: bytes, key: str = "k") -> Any:
    """Send and send without ever reading, with small buffers, until the server has had enough."""
    import socket as sockets
    from urllib.parse import urlsplit

    address = urlsplit(url)
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    raw.settimeout(PATIENCE_S)
    raw.connect((address.hostname, address.port))
    nonce = base64.b64encode(bytes(16)).decode()
    raw.sendall(
        f"GET /speech/s2s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"x-api-key: {key}\r\nSec-WebSocket-Key: {nonce}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    import json

    def frame(text: str) -> bytes:
        data = text.encode()
        if len(data) < 126:
            head = bytes([0x81, 0x80 | len(data)])
        elif len(data) < 65536:
            head = bytes([0x81, 0x80 | 126]) + len(data).to_bytes(2, "big")
        else:
            head = bytes([0x81, 0x80 | 127]) + len(data).to_bytes(8, "big")
        return head + bytes(4) + data

    ended = False
    await asyncio.sleep(0.2)
    raw.sendall(frame(json.dumps({**setup, "type": "setup"})))
    payload = frame(json.dumps({"type": "audio", "audio": base64.b64encode(audio).decode()}))
    try:
        for _ in range(1500):
            raw.sendall(payload)
            await asyncio.sleep(0.02)
    except OSError:
        ended = True
    raw.close()
    return {"ended": ended}


async def leaves(url: str, setup: dict[str, Any], audio: bytes, key: str = "k") -> Any:
    """Leave the context in the middle of speech, with a Close but without an end."""
    async with _client(url, key).s2s_realtime(wait_for_ready_on_start=True, **setup) as s2s:
        await s2s.send_audio(audio[: len(audio) // 3])
    return True


async def crashes(url: str, setup: dict[str, Any], audio: bytes, key: str = "k") -> Any:
    """Vanish in the middle of speech without a Close frame."""
    s2s = _client(url, key).s2s_realtime(wait_for_ready_on_start=True, **setup)
    await s2s.__aenter__()
    await s2s.send_audio(audio[: len(audio) // 3])
    s2s._ws._response.connection.transport.abort()
    return True


async def until_free(url: str, setup: dict[str, Any], audio: bytes, key: str = "k") -> Any:
    """Try until the server has room again."""
    while True:  # run_client has no more patience than the tests
        answer = await guarded(MODULE, "buffered", {"url": url, "setup": setup, "audio": audio, "key": key})
        if not isinstance(answer, Raised):
            return answer
        assert "concurrency limit" in answer.text, answer
        await asyncio.sleep(0.05)


async def raw_first_answer(url: str, path: str, first: str, key: str = "k") -> Any:
    """The first message and the close code that a raw socket gets after its first message."""
    import aiohttp

    headers = {"x-api-key": key}
    async with aiohttp.ClientSession(headers=headers) as session, session.ws_connect(url + path) as ws:
        await ws.send_str(first)
        answer = (await ws.receive()).json()
        await ws.receive()
        return answer, ws.close_code
