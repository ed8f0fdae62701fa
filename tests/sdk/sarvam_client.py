"""Jobs of the real `sarvamai` package, sync or async (`tests/sdk/child.py`).

What a client does is a list of steps, the same for both
kinds of client:

    ("audio", data)      send bytes as one message, base64; ("audio", data, {"sample_rate": 8000}) with more arguments
    ("prompt", text)     set the prompt (translate socket only)
    ("flush",)
    ("raw", text)        send a frame of one's own
    ("sleep", seconds)
    ("until", kind, n)   receive until n messages of a kind (data, events, error) have come
    ("rest",)            receive until the connection ends
"""

import asyncio
import base64
import functools
import time
from typing import Any

from tests.sdk.child import Raised, run_job

run_sarvam = functools.partial(run_job, "tests.sdk.sarvam_client")

Step = tuple[Any, ...]


def environment(url: str) -> Any:
    """All addresses of the vendor, on a server of one's own."""
    from sarvamai.environment import SarvamAIEnvironment

    return SarvamAIEnvironment(base=url, creative=f"{url}/dubbing", production=url.replace("http", "ws", 1))


def connector(client: Any, socket: str) -> Any:
    return {"translate": client.speech_to_text_translate_streaming, "transcribe": client.speech_to_text_streaming}[
        socket
    ].connect


class Talk:
    """What came back, in order. Messages are (type, class of the data, fields of the data)."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str, dict[str, Any]]] = []
        self.closed: tuple[int, str] | None = None
        self.raised: Raised | None = None

    def add(self, response: Any) -> None:
        self.messages.append((response.type, type(response.data).__name__, response.data.dict()))

    def count(self, kind: str) -> int:
        return sum(message[0] == kind for message in self.messages)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [fields for name, _, fields in self.messages if name == kind]

    @property
    def transcripts(self) -> list[str]:
        return [fields["transcript"] for fields in self.of("data")]

    def ended(self, error: Any) -> None:
        self.closed = (error.rcvd.code, error.rcvd.reason) if error.rcvd is not None else (1006, "")


async def talk(
    url: str,
    steps: list[Step],
    kind: str = "sync",
    socket: str = "translate",
    key: str = "k",
    **connect: Any,
) -> Talk:
    """Go through the steps with one client of a kind."""
    found = Talk()
    if socket == "transcribe":
        connect = {"language_code": "unknown", **connect}
    try:
        if kind == "sync":
            await asyncio.to_thread(_talk_sync, found, url, steps, socket, key, connect)
        else:
            await _talk_async(found, url, steps, socket, key, connect)
    except Exception as error:  # noqa: BLE001
        found.raised = Raised.of(error)
    return found


async def talks(jobs: list[dict[str, Any]]) -> list[Talk]:
    """Several conversations one after the other."""
    return [await talk(**job) for job in jobs]


async def listening(url: str, audio: bytes, kind: str = "sync") -> Any:
    """The way of event handlers: what they were told, in order, until the server closes."""
    from sarvamai import AsyncSarvamAI, SarvamAI
    from sarvamai.core.events import EventType

    told: list[Any] = []

    def follow(ws: Any) -> None:
        ws.on(EventType.OPEN, lambda _: told.append("open"))
        ws.on(EventType.MESSAGE, lambda message: told.append(message.type))
        ws.on(EventType.ERROR, lambda error: told.append(("closed", error.rcvd.code)))
        ws.on(EventType.CLOSE, lambda _: told.append("close"))

    data = base64.b64encode(audio).decode()
    if kind == "sync":
        client = SarvamAI(api_subscription_key="k", environment=environment(url))
        with client.speech_to_text_translate_streaming.connect(vad_signals="true") as ws:
            follow(ws)
            ws.translate(audio=data)
            ws.start_listening()
    else:
        patient = AsyncSarvamAI(api_subscription_key="k", environment=environment(url))
        async with patient.speech_to_text_translate_streaming.connect(vad_signals="true") as ws:
            follow(ws)
            await ws.translate(audio=data)
            await ws.start_listening()
    return told


async def realtime(url: str, steps: list[Step], kind: str = "sync", key: str = "k", **connect: Any) -> Any:
    """The realtime socket: messages as dictionaries, the close, and what was raised.

    Steps: ("audio", data), (event, fields) for any other event, ("until", event, n), ("sleep", seconds), ("rest",).
    """
    from sarvamai import AsyncSarvamAI, SarvamAI
    from websockets.exceptions import ConnectionClosed

    found: dict[str, Any] = {"messages": [], "closed": None, "raised": None}
    connect = {"language_code": "auto", **connect}

    def count(event: str) -> int:
        return sum(message["event"] == event for message in found["messages"])

    def go(ws: Any, name: str, arguments: list[Any]) -> Any:
        return getattr(ws, f"send_realtime_{METHODS.get(name, name)}")(_event(name, *arguments))

    def sync() -> None:
        client = SarvamAI(api_subscription_key=key, environment=environment(url))
        with client.speech_to_text_realtime_streaming.connect(**connect) as ws:
            for name, *arguments in steps:
                if name == "sleep":
                    time.sleep(arguments[0])
                elif name in ("until", "rest"):
                    while name == "rest" or count(arguments[0]) < arguments[1]:
                        found["messages"].append(ws.recv().dict())
                else:
                    go(ws, name, arguments)

    async def patient() -> None:
        client = AsyncSarvamAI(api_subscription_key=key, environment=environment(url))
        async with client.speech_to_text_realtime_streaming.connect(**connect) as ws:
            for name, *arguments in steps:
                if name == "sleep":
                    await asyncio.sleep(arguments[0])
                elif name in ("until", "rest"):
                    while name == "rest" or count(arguments[0]) < arguments[1]:
                        found["messages"].append((await ws.recv()).dict())
                else:
                    await go(ws, name, arguments)

    try:
        await (asyncio.to_thread(sync) if kind == "sync" else patient())
    except ConnectionClosed as error:
        found["closed"] = (error.rcvd.code, error.rcvd.reason) if error.rcvd is not None else (1006, "")
    except Exception as error:  # noqa: BLE001
        found["raised"] = Raised.of(error)
    return found


METHODS = {"audio": "audio_input", "config.update": "config_update"}


def _event(name: str, payload: Any = None) -> Any:
    import sarvamai.types as kinds

    if name == "audio":
        return kinds.RealtimeAudioInput(audio=base64.b64encode(payload).decode())
    method = METHODS.get(name, name)
    return getattr(kinds, "Realtime" + method.title().replace("_", ""))(**(payload or {}))


async def crashes(url: str, audio: bytes) -> bool:
    """Vanish in the middle of speech without a Close frame."""
    from sarvamai import AsyncSarvamAI

    client = AsyncSarvamAI(api_subscription_key="k", environment=environment(url))
    context = client.speech_to_text_translate_streaming.connect()
    ws = await context.__aenter__()
    await ws.translate(audio=base64.b64encode(audio).decode())
    ws._websocket.transport.abort()
    return True


async def speaking(url: str, steps: list[Step], kind: str = "sync", key: str = "k", **connect: Any) -> Any:
    """The speech socket: messages as (type, data), the close, and what was raised.

    Steps: ("configure", arguments), ("convert", text), ("flush",), ("ping",), ("until", type, n), ("rest",).
    """
    from sarvamai import AsyncSarvamAI, SarvamAI
    from websockets.exceptions import ConnectionClosed

    found: dict[str, Any] = {"messages": [], "closed": None, "raised": None}

    def count(kind: str) -> int:
        return sum(one[0] == kind for one in found["messages"])

    def add(message: Any) -> None:
        found["messages"].append((message.type, message.data.dict()))

    def go(ws: Any, name: str, arguments: list[Any]) -> Any:
        return ws.configure(**arguments[0]) if name == "configure" else getattr(ws, name)(*arguments)

    def sync() -> None:
        client = SarvamAI(api_subscription_key=key, environment=environment(url))
        with client.text_to_speech_streaming.connect(**connect) as ws:
            for name, *arguments in steps:
                if name in ("until", "rest"):
                    while name == "rest" or count(arguments[0]) < arguments[1]:
                        add(ws.recv())
                else:
                    go(ws, name, arguments)

    async def patient() -> None:
        client = AsyncSarvamAI(api_subscription_key=key, environment=environment(url))
        async with client.text_to_speech_streaming.connect(**connect) as ws:
            for name, *arguments in steps:
                if name in ("until", "rest"):
                    while name == "rest" or count(arguments[0]) < arguments[1]:
                        add(await ws.recv())
                else:
                    await go(ws, name, arguments)

    try:
        await (asyncio.to_thread(sync) if kind == "sync" else patient())
    except ConnectionClosed as error:
        found["closed"] = (error.rcvd.code, error.rcvd.reason) if error.rcvd is not None else (1006, "")
    except Exception as error:  # noqa: BLE001
        found["raised"] = Raised.of(error)
    return found


async def rest(url: str, calls: list[tuple[str, dict[str, Any]]], key: str = "k", kind: str = "sync") -> Any:
    """Methods of the client by their names (`text.translate`): what each gives as a dictionary, bytes where they come
    in pieces, or the class, status and body of its error, and how often it asked."""
    import httpx
    from sarvamai import AsyncSarvamAI, SarvamAI
    from sarvamai.core.api_error import ApiError

    asked: list[str] = []
    answers: list[Any] = []

    async def count(request: Any) -> None:
        asked.append(request.url.path)

    async with httpx.AsyncClient(event_hooks={"request": [count]}) as patient:
        with httpx.Client(event_hooks={"request": [lambda request: asked.append(request.url.path)]}) as plain:
            there = {"api_subscription_key": key, "environment": environment(url)}
            client: Any = (
                SarvamAI(**there, httpx_client=plain)
                if kind == "sync"
                else AsyncSarvamAI(**there, httpx_client=patient)
            )
            for name, arguments in calls:
                asked.clear()
                try:
                    answers.append(await _called(client, name, arguments))
                except ApiError as error:
                    answers.append((type(error).__name__, error.status_code, error.body, len(asked)))
    return answers


async def _called(client: Any, name: str, arguments: dict[str, Any]) -> Any:
    method = client
    for part in name.split("."):
        method = getattr(method, part)
    result = method(**arguments)
    if hasattr(result, "__await__"):
        result = await result
    if hasattr(result, "__anext__"):
        return b"".join([piece async for piece in result])
    return b"".join(result) if hasattr(result, "__next__") else result.dict()


def _talk_sync(found: Talk, url: str, steps: list[Step], socket: str, key: str, connect: dict[str, Any]) -> None:
    from sarvamai import SarvamAI
    from websockets.exceptions import ConnectionClosed

    client = SarvamAI(api_subscription_key=key, environment=environment(url))
    with connector(client, socket)(**connect) as ws:
        for name, *arguments in steps:
            try:
                if name == "sleep":
                    time.sleep(arguments[0])
                elif name == "until":
                    while found.count(arguments[0]) < arguments[1]:
                        found.add(ws.recv())
                elif name == "rest":
                    while True:
                        found.add(ws.recv())
                else:
                    _send(ws, socket, name, arguments)
            except ConnectionClosed as error:
                found.ended(error)


async def _talk_async(found: Talk, url: str, steps: list[Step], socket: str, key: str, connect: dict[str, Any]) -> None:
    from sarvamai import AsyncSarvamAI
    from websockets.exceptions import ConnectionClosed

    client = AsyncSarvamAI(api_subscription_key=key, environment=environment(url))
    async with connector(client, socket)(**connect) as ws:
        for name, *arguments in steps:
            try:
                if name == "sleep":
                    await asyncio.sleep(arguments[0])
                elif name == "until":
                    while found.count(arguments[0]) < arguments[1]:
                        found.add(await ws.recv())
                elif name == "rest":
                    async for message in ws:
                        found.add(message)
                    found.closed = (ws._websocket.close_code, ws._websocket.close_reason)
                else:
                    await _send(ws, socket, name, arguments)
            except ConnectionClosed as error:
                found.ended(error)


def _send(ws: Any, socket: str, name: str, arguments: list[Any]) -> Any:
    if name == "audio":
        data, *more = arguments
        send = ws.translate if socket == "translate" else ws.transcribe
        return send(audio=base64.b64encode(data).decode(), **(more[0] if more else {}))
    if name == "raw":
        return ws._websocket.send(arguments[0])
    return ws.set_prompt(arguments[0]) if name == "prompt" else ws.flush()
