"""The house is full, or closes, while a client that is inside changes its configuration."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from dragoman.server.commands import Adapter
from dragoman.server.connection import Connection
from dragoman.server.protocols.sarvam.adapter import SarvamAdapter
from dragoman.server.protocols.sarvam.query import TRANSCRIPTION, parse_query
from dragoman.server.protocols.sarvam.realtime.adapter import Begin, RealtimeAdapter
from dragoman.server.protocols.sarvam.realtime.config import parse_config
from dragoman.server.services import Services
from dragoman.server.wire import encode_base64
from tests.fakes.engines import s16, silence, tone
from tests.fakes.socket import FakeSocket
from tests.sdk.speech import as_wav, bursts
from tests.server.served import in_process
from tests.waiting import until_async

UTTERANCE = encode_base64(s16(tone(1.0)) + s16(silence(1.0)))


def realtime(services: Services) -> Adapter:
    return RealtimeAdapter(parse_config({"language_code": "en-IN"}), services.settings.listen)


def classic(services: Services) -> Adapter:
    return SarvamAdapter(parse_query({"language-code": "en-IN"}, TRANSCRIPTION, services.settings.listen))


def spoken(rate_hz: int) -> str:
    data = encode_base64(as_wav(bursts(1, rate_hz), rate_hz))
    return json.dumps({"audio": {"data": data, "encoding": "audio/wav", "sample_rate": rate_hz}})


REALTIME = [
    json.dumps({"event": "audio_input", "audio": UTTERANCE}),
    json.dumps({"event": "config.update", "mode": "verbatim"}),
    json.dumps({"event": "audio_input", "audio": UTTERANCE}),
    json.dumps({"event": "end"}),
]
CLASSIC = [spoken(16_000), spoken(8_000), spoken(16_000)]
"""Each header says another rate than the one before."""


def texts(socket: FakeSocket) -> list[str]:
    """What was recognised for good."""
    messages: list[dict[str, Any]] = [json.loads(sent) for sent in socket.sent]
    assert not [message for message in messages if "error" in (message.get("event"), message.get("type"))]
    finals = [one["text"] for one in messages if one.get("event") == "transcript.final"]
    return finals + [one["data"]["transcript"] for one in messages if one.get("type") == "data"]


@pytest.mark.parametrize("drains", [False, True])
@pytest.mark.parametrize(
    ("adapter", "messages", "first", "count"), [(realtime, REALTIME, Begin(), 2), (classic, CLASSIC, None, 3)]
)
async def test_a_changed_configuration_keeps_its_place(
    adapter: Callable[[Services], Adapter], messages: list[str], first: object, count: int, drains: bool
) -> None:
    """Nothing that was heard is lost, no error is told, and there is one place taken until the end."""
    async with in_process(sessions=1) as services:
        socket = FakeSocket()
        connection = Connection(socket.as_websocket(), adapter(services), services)
        serving = asyncio.create_task(connection.serve(first=first))
        try:
            for number, message in enumerate(messages):
                socket.say(message)
                await until_async(lambda: socket.waiting.is_set() or serving.done())
                if drains and number == 0:
                    services.admission.begin_drain()
            await until_async(lambda: len(texts(socket)) >= count)
            assert texts(socket) == ["hello there"] * count
            socket.go()
            await serving
        finally:
            serving.cancel()
            await asyncio.wait({serving})
        assert services.admission.running == 0
