"""Adapters without a socket: everything is told, places are given back, and whoever goes leaves nothing behind."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from dragoman.pipeline.audio.errors import BadAudio
from dragoman.server.commands import Close, Command, Output, Send
from dragoman.server.exchange import Exchange
from dragoman.server.failures import OutputNotRead, ShuttingDown, TooManySessions
from dragoman.server.protocols.gradium.asr import AsrAdapter
from dragoman.server.protocols.gradium.tts import TtsAdapter
from dragoman.server.services import Services
from dragoman.server.wire import BaseAdapter, encode_base64
from tests.fakes.engines import s16, silence, tone
from tests.server.gradium.test_tts import FakeVoices
from tests.server.served import in_process
from tests.waiting import until_async

UTTERANCE = encode_base64(s16(tone(1.0)) + s16(silence(1.0)))
HEARING = (
    {"type": "setup", "input_format": "pcm_16000"},
    {"type": "audio", "audio": UTTERANCE},
    {"type": "end_of_stream"},
)
SAYING = ({"type": "setup", "json_config": {"language": "es"}}, {"type": "text", "text": "Hola. Adiós."}, HEARING[2])


async def parsed(adapter: Any, messages: tuple[dict[str, Any], ...]) -> AsyncIterator[object]:
    for message in messages:
        yield adapter.parse(json.dumps(message))


async def broken() -> AsyncIterator[object]:
    yield "x"


async def everything(services: Services, adapter: Any, messages: tuple[dict[str, Any], ...]) -> list[Any]:
    async with Exchange(adapter, services, parsed(adapter, messages)) as exchange:
        return [json.loads(output.data) async for output in exchange.told()]


async def test_a_request_from_its_beginning_to_its_end() -> None:
    async with in_process() as services:
        told = await everything(services, AsrAdapter(), HEARING)
        assert [one["text"] for one in told if one["type"] == "text"] == ["hello", "there"]
        assert [told[0]["type"], told[-1]["type"]] == ["ready", "end_of_stream"]
        told = await everything(services, TtsAdapter(FakeVoices()), SAYING)
        assert [one["text"] for one in told if one["type"] == "text"] == ["Hola.", "Adiós."]
        assert services.admission.running == 0
        assert services.connections == set()
        assert services.usage.audio_out_s > 0


async def test_who_goes_in_the_middle_leaves_nothing_behind() -> None:
    async with in_process() as services:
        adapter = AsrAdapter()
        async with Exchange(adapter, services, parsed(adapter, HEARING[:2])) as exchange:
            async for _ in exchange.told():
                break
            assert exchange.busy
        assert services.admission.running == 0
        assert services.connections == set()


async def test_there_may_be_no_room() -> None:
    async with in_process(sessions=1) as services:
        place, adapter = services.admission.enter(), AsrAdapter()
        async with Exchange(adapter, services, parsed(adapter, HEARING)) as exchange:
            (told,) = [output async for output in exchange.told()]
        assert told.error == 1008
        assert isinstance(exchange.fault, TooManySessions)
        place.leave()


async def test_a_server_that_ends_says_so() -> None:
    async with in_process() as services:
        adapter = AsrAdapter()
        async with Exchange(adapter, services, parsed(adapter, HEARING[:2])) as exchange:
            told = exchange.told()
            await anext(told)
            for connection in services.connections:
                connection.shut_down()
            rest = [output async for output in told]
            assert rest[-1].error == 1011
            assert isinstance(exchange.fault, ShuttingDown)


async def test_what_waits_may_be_given_up() -> None:
    async with in_process() as services:
        adapter = AsrAdapter()
        async with Exchange(adapter, services, parsed(adapter, HEARING[:2])) as exchange:
            await until_async(lambda: exchange.busy)
            exchange.hurry()
            assert [output async for output in exchange.told()] == []


async def test_who_does_not_read_is_cut_off() -> None:
    long = (SAYING[0], {"type": "text", "text": "Hola. " * 50}, SAYING[2])
    async with in_process(output_wait_bytes=65_536) as services:
        adapter = TtsAdapter(FakeVoices())
        async with Exchange(adapter, services, parsed(adapter, long)) as exchange:
            await until_async(lambda: exchange.fault is not None)
            assert isinstance(exchange.fault, OutputNotRead)
            (told,) = [output async for output in exchange.told()]
            assert told.error == 1011
        assert services.admission.running == 0


class FakeBroken(BaseAdapter):
    """Breaks when it receives anything."""

    protocol = "fake"

    def parse(self, message: str | bytes) -> object:
        return message

    def receive(self, parsed: object) -> list[Command | Output]:
        raise RuntimeError("broken")

    def event(self, key: object, event: object) -> list[Output]:
        del key, event
        return []

    def failed(self, key: object, error: Exception) -> list[Output]:
        del key
        return [Send(str(error), error=1), Close(1011)]


async def unreadable() -> AsyncIterator[object]:
    yield AsrAdapter().parse(json.dumps(HEARING[0]))
    raise BadAudio("the file cannot be read")


async def test_a_file_that_cannot_be_read_is_the_clients_fault() -> None:
    async with in_process() as services, Exchange(AsrAdapter(), services, unreadable()) as exchange:
        told = [output async for output in exchange.told()]
        assert isinstance(exchange.fault, BadAudio)
    assert (told[-1].error, json.loads(told[-1].data)["message"]) == (1008, "bad audio: the file cannot be read")


async def test_an_adapter_that_breaks_is_an_error_and_no_silence(caplog: pytest.LogCaptureFixture) -> None:
    async with in_process() as services, asyncio.timeout(30), Exchange(FakeBroken(), services, broken()) as exchange:
        assert [output.error async for output in exchange.told()] == [1]
    assert "exchange broke" in caplog.text
