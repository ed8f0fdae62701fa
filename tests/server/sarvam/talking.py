"""A whole server with fake engines and one client of a socket: what it is told while the recogniser takes its time."""

import asyncio
import base64
import json
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from dragoman.config.settings import load_settings
from dragoman.models.base import SAMPLE_RATE_HZ, Hypothesis, RecognitionRequest, Samples
from dragoman.server.connection import Connection
from dragoman.server.protocols.sarvam.adapter import SarvamAdapter
from dragoman.server.protocols.sarvam.query import TRANSCRIPTION, parse_query
from dragoman.server.protocols.sarvam.realtime.adapter import Begin, RealtimeAdapter
from dragoman.server.protocols.sarvam.realtime.config import parse_config
from dragoman.server.services import Services
from tests.fakes.engines import fake_engines, s16, silence, tone
from tests.fakes.socket import FakeSocket
from tests.server.served import in_process
from tests.waiting import PATIENCE_S, until_async

LISTEN = load_settings().listen


class FakeSlowness:
    """A recogniser that begins a request when the test lets it. It hears `hello`, or nothing where it is told so."""

    def __init__(self, *, deaf: bool = False) -> None:
        self.asked = 0
        self._deaf = deaf
        self._allowed = threading.Semaphore(0)

    def __call__(self, request: RecognitionRequest) -> str | Hypothesis:
        self.asked += 1
        assert self._allowed.acquire(timeout=PATIENCE_S)
        return "" if self._deaf else f"hello {request.ordinal}"

    def allow(self, requests: int = 1) -> None:
        """Let so many more go through."""
        self._allowed.release(requests)


def utterances(count: int) -> Samples:
    """Half a second of noise and a second of nothing, again and again; the last one goes on."""
    pieces = [np.concatenate([tone(0.5), silence(1.0)])] * (count - 1)
    return np.concatenate([*pieces, tone(0.5)])


class Client:
    """What the test sees of the client's side."""

    def __init__(self, services: Services, socket: FakeSocket, *, realtime: bool) -> None:
        self._services = services
        self._realtime = realtime
        self.socket = socket

    async def speak(self, samples: Samples) -> None:
        """Send audio, and wait until all of it was heard."""
        heard_s = sum(session.clock.received_s for session in self._services.metrics.live)
        data = base64.b64encode(s16(samples)).decode()
        message = {"event": "audio_input", "audio": data} if self._realtime else {"audio": {"data": data}}
        self.socket.say(json.dumps(message))
        until_s = heard_s + len(samples) / SAMPLE_RATE_HZ - 1e-6
        await until_async(lambda: sum(one.clock.received_s for one in self._services.metrics.live) >= until_s)
        await asyncio.sleep(0)

    def send(self, message: dict[str, Any]) -> None:
        """Send a message."""
        self.socket.say(json.dumps(message))

    @property
    def told(self) -> list[str]:
        """Signals, and texts."""
        return [_short(json.loads(sent)) for sent in self.socket.sent]

    async def until(self, told: Iterable[str]) -> None:
        """Wait until exactly this was told."""
        wanted = list(told)
        await until_async(lambda: self.told == wanted or len(self.told) > len(wanted), str(wanted))
        assert self.told == wanted


@asynccontextmanager
async def talking(slow: FakeSlowness, *, realtime: bool = False, **query: str) -> AsyncIterator[Client]:
    """A connection until the block ends."""
    async with in_process(lambda: fake_engines(slow)) as services:
        socket = FakeSocket()
        adapter: SarvamAdapter | RealtimeAdapter
        if realtime:
            adapter = RealtimeAdapter(parse_config({"language_code": "auto", **query}), LISTEN)
        else:
            codec = {"input_audio_codec": "pcm_s16le", "vad_signals": "true"}
            adapter = SarvamAdapter(parse_query({**codec, **query}, TRANSCRIPTION, LISTEN))
        connection = Connection(socket.as_websocket(), adapter, services)
        serving = asyncio.create_task(connection.serve(first=Begin() if realtime else None))
        try:
            yield Client(services, socket, realtime=realtime)
        finally:
            slow.allow(1_000)
            serving.cancel()
            await asyncio.wait({serving})


def _short(message: dict[str, Any]) -> str:
    data = message.get("data", message)
    if "event" in message:
        return " ".join(str(data[name]) for name in ("event", "utterance_idx", "text") if name in data)
    return data.get("signal_type") or data.get("transcript") or data.get("code")
