"""The seam where socket, sessions and admission meet, without a network: `connection.py`."""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any
from unittest.mock import AsyncMock

import pytest
from starlette.types import Receive, Scope, Send

from dragoman.models.base import LanguagePair, Samples, SynthesisRequest
from dragoman.models.errors import EngineFailed
from dragoman.models.registry import Engines
from dragoman.models.voices import VoiceCatalogue
from dragoman.server.connection import Connection, Phase
from dragoman.server.origins import PageGuard, Pages
from dragoman.server.protocols.gradium.adapter import GradiumAdapter
from dragoman.server.protocols.palabra.tts import TtsAdapter
from dragoman.server.protocols.palabra.voices import EngineAbilities
from dragoman.server.refusals import Refusals
from dragoman.server.services import Services
from dragoman.server.wire import encode_base64
from tests.fakes.engines import (
    FakeDetector,
    FakeSynthesizer,
    FakeTranslator,
    fake_engines,
    fake_voice,
    s16,
    silence,
    tone,
)
from tests.fakes.interruption import Interruption
from tests.fakes.socket import FakeSocket
from tests.server.served import in_process
from tests.waiting import PATIENCE_S, until_async

UTTERANCE = encode_base64(s16(tone(1.0)) + s16(silence(1.0)))


def setup(**fields: Any) -> str:
    return json.dumps({"type": "setup", "input_format": "pcm_16000", "output_format": "pcm_8000", **fields})


def message(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, **fields})


TALK = (
    setup(json_config={"target_language": "es"}),
    message("audio", audio=UTTERANCE),
    message("flush", flush_id=1),
    message("audio", audio=UTTERANCE),
    message("end_of_stream"),
)


def told(socket: FakeSocket) -> list[dict[str, Any]]:
    return [json.loads(sent) for sent in socket.sent]


def kinds(socket: FakeSocket) -> list[str]:
    return [sent["type"] for sent in told(socket)]


@asynccontextmanager
async def connected(
    services: Services, messages: Sequence[str] = (), *, stays: bool = True
) -> AsyncIterator[tuple[FakeSocket, Connection, "asyncio.Task[None]"]]:
    socket = FakeSocket(messages, stays=stays)
    connection = Connection(socket.as_websocket(), GradiumAdapter(), services)
    serving = asyncio.create_task(connection.serve())
    try:
        yield socket, connection, serving
    finally:
        serving.cancel()
        await asyncio.wait({serving})


def assert_nothing_left(services: Services) -> None:
    assert services.admission.running == 0
    assert services.connections == set()
    assert not services.metrics.live
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, left


async def test_a_talk_from_ready_to_close() -> None:
    async with in_process() as services:
        async with connected(services, TALK) as (socket, connection, serving):
            await serving
            assert kinds(socket)[0] == "ready"
            assert kinds(socket).count("text") == 2
            assert kinds(socket)[-1] == "end_of_stream"
            assert socket.closes == [(1000, "")]
            assert connection.phase is Phase.CLOSED
        assert_nothing_left(services)


async def test_a_page_that_may_not_come_in_is_refused_though_its_vendor_does_not_look() -> None:
    async with in_process() as services:
        socket = FakeSocket(TALK)
        socket.scope["headers"] = [(b"origin", b"http://evil.example")]

        async def forgetful(scope: Scope, receive: Receive, send: Send) -> None:
            socket.scope = dict(scope)
            await Connection(socket.as_websocket(), GradiumAdapter(), services).serve()

        pages = Pages((), anonymous=True, host="127.0.0.1")
        await PageGuard(forgetful, pages, Refusals({}))(socket.scope, AsyncMock(), AsyncMock())
        (error,) = told(socket)
        assert error["message"] == "origin http://evil.example is not allowed"
        assert socket.closes == [(1008, error["message"])]
        assert_nothing_left(services)


async def test_a_client_that_never_reads_is_told_and_closed_and_nobody_is_alarmed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A flood of answers fills the outbox: the reader goes on, the answers end with one error and one Close."""
    async with in_process(output_wait_bytes=65_536) as services:
        async with connected(services, [setup(client_req_id="a")]) as (socket, connection, serving):
            socket.writable.clear()
            for _ in range(1000):
                socket.say(message("flush", client_req_id="nobody"))
            await until_async(lambda: connection.phase is Phase.CLOSING)
            assert connection._outbox.size_bytes < 65_536
            socket.writable.set()
            await serving
        errors = [sent for sent in told(socket) if sent["type"] == "error"]
        assert errors[-1]["message"] == "more than 65536 bytes of messages wait to be read by the client"
        assert len(socket.closes) == 1
        assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
        assert_nothing_left(services)


async def test_what_a_client_sends_again_and_again_is_bounded_in_bytes() -> None:
    """A long id comes back with each of 2 000 flushes: what waits never weighs more than the limit."""
    limit = 1_000_000
    async with in_process(output_wait_bytes=limit, output_wait_s=1e6) as services:
        async with connected(services, [setup()]) as (socket, connection, serving):
            await socket.waiting.wait()
            socket.writable.clear()
            most = 0
            for _ in range(2000):
                socket.say(message("flush", flush_id="i" * 250, client_req_id="n" * 250))
            while connection.phase is not Phase.CLOSING:
                most = max(most, connection._outbox.size_bytes)
                await asyncio.sleep(0)
            socket.writable.set()
            await serving
        assert limit / 2 < most <= limit
        assert_nothing_left(services)


async def test_a_full_outbox_at_the_word_ready_costs_no_place() -> None:
    """The place is the task's: the message that says ready may find no room, and the place comes back all the same."""
    async with in_process(output_wait_bytes=65_536, sessions=2) as services:
        for _ in range(5):
            async with connected(services) as (socket, connection, serving):
                socket.writable.clear()
                socket.say(setup(client_req_id="a"))
                # Answers up to the brim: what the next "ready" needs is not there any more.
                for _ in range(1000):
                    socket.say(message("flush", client_req_id="n"))
                    await socket.waiting.wait()
                    if connection._outbox.size_bytes + 420 > 65_536:
                        break
                socket.say(setup(client_req_id="b"))
                await until_async(lambda: connection.phase is Phase.CLOSING)
                socket.writable.set()
                await serving
            assert services.admission.running == 0
        async with connected(services, TALK) as (socket, _, serving):
            await serving
            assert kinds(socket)[-1] == "end_of_stream"
        assert_nothing_left(services)


async def test_a_flood_of_messages_leaves_everybody_else_their_turn() -> None:
    """However many messages have come already: others run after every few of them."""
    async with in_process() as services, connected(services, [setup(client_req_id="a")]) as (socket, _, serving):
        await socket.waiting.wait()
        socket.hurried = True
        for _ in range(2000):
            socket.say(message("flush", client_req_id="nobody"))
        turns = 0
        socket.waiting.clear()
        while not socket.waiting.is_set():
            await asyncio.sleep(0)
            turns += 1
        assert turns > 2000 / 20
        socket.go()
        await serving


async def test_a_client_that_never_reads_its_error_loses_its_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman.server.connection.CLOSE_S", 0.0)
    async with in_process(output_wait_bytes=65_536) as services:
        async with connected(services, [setup(client_req_id="a")]) as (socket, _, serving):
            socket.writable.clear()
            for _ in range(1000):
                socket.say(message("flush", client_req_id="nobody"))
            await serving
            assert socket.closes == []
        assert_nothing_left(services)


async def test_a_client_that_vanishes_leaves_nothing() -> None:
    async with in_process() as services:
        async with connected(services, TALK[:2], stays=False) as (_, __, serving):
            await serving
        assert_nothing_left(services)


async def test_a_failing_engine_ends_its_session_with_an_error_and_a_close() -> None:
    class Broken(FakeTranslator):
        def translate(self, pair: LanguagePair, texts: Sequence[str]) -> list[str]:
            raise EngineFailed("fake-translator", "it broke")

    async with in_process(lambda: fake_engines(translator=Broken("en", "es", "pt"))) as services:
        async with connected(services, TALK) as (socket, _, serving):
            await serving
            assert [sent["message"] for sent in told(socket)[1:]] == ["fake-translator failed: it broke"]
            assert socket.closes == [(1011, "fake-translator failed: it broke")]
        assert_nothing_left(services)


async def test_the_idle_limit_ends_who_says_nothing_and_is_told_once() -> None:
    async with in_process(idle_s=0.05) as services:
        async with connected(services) as (socket, _, serving):
            await serving
            assert [sent["message"] for sent in told(socket)] == ["no message for 0.05 s"]
            assert socket.closes == [(1008, "no message for 0.05 s")]
        assert_nothing_left(services)


async def test_who_falls_silent_hears_first_what_was_heard() -> None:
    async with in_process(idle_s=0.05) as services:
        async with connected(services, TALK[:2]) as (socket, connection, serving):
            await serving
            assert kinds(socket)[:2] == ["ready", "text"]
            assert kinds(socket)[-1] == "error"
            assert connection.phase is Phase.CLOSED
            assert len(socket.closes) == 1
        assert_nothing_left(services)


async def test_shutting_down_comes_behind_what_waits_and_hurry_leaves_only_that() -> None:
    async with in_process() as services:
        async with connected(services, TALK[:4]) as (socket, connection, serving):
            socket.writable.clear()
            await until_async(lambda: len(connection._outbox) > 2, "more waits than the last words are")
            waiting = len(connection._outbox)
            connection.shut_down()
            assert len(connection._outbox) > waiting
            connection.hurry()
            assert 1 <= len(connection._outbox) <= 2
            socket.writable.set()
            await serving
            assert kinds(socket)[-1] == "error"
            assert socket.closes == [(1001, "server is shutting down")]
        assert_nothing_left(services)


async def test_an_adapter_that_breaks_is_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Any:
        raise ZeroDivisionError

    async with in_process() as services:
        for method in ("receive", "event", "opened", "failed"):
            with monkeypatch.context() as patch:
                patch.setattr(GradiumAdapter, method, broken)
                async with connected(services, [*TALK, "{"]) as (socket, _, serving):
                    await serving
                    assert len(socket.closes) == 1
            assert_nothing_left(services)


class HeldSynthesizer(FakeSynthesizer):
    """Speaks when the test lets it."""

    def __init__(self) -> None:
        self.allowed = threading.Event()

    def synthesize(self, request: SynthesisRequest) -> Iterator[Samples]:
        assert self.allowed.wait(PATIENCE_S)
        return super().synthesize(request)


async def test_who_has_fallen_silent_still_hears_every_session_in_turn() -> None:
    """The end of one lets another say what it kept, also when the connection is about to end."""
    voice, synthesizer = fake_voice("es"), HeldSynthesizer()
    engines = Engines(
        name="fake",
        detector=FakeDetector(),
        recognizers=[],
        translators=[],
        synthesizers=[synthesizer],
        catalogue=VoiceCatalogue([voice, replace(voice, voice_id="other".ljust(16, "0"), gender="male")]),
    )
    texts = [
        {"type": "init", "language": "es", "voice_options": {"voice_id": voice.voice_id}},
        {"type": "text", "text": "Uno.", "is_eos": True, "generation_id": "a"},
        {"type": "text", "text": "Dos.", "is_eos": True, "generation_id": "b", "voice_options": {"speed": 1.5}},
    ]
    async with in_process(lambda: engines) as services:
        socket = FakeSocket([json.dumps(one) for one in texts])
        adapter = TtsAdapter(EngineAbilities(lambda: services.engines))
        connection = Connection(socket.as_websocket(), adapter, services)
        serving = asyncio.create_task(connection.serve())
        await until_async(lambda: len(connection._host.keys) == 2)
        await socket.waiting.wait()
        connection._lose_patience(60.0)
        synthesizer.allowed.set()
        await serving
        chunks = [one["data"] for one in told(socket) if one["message_type"] == "audio_chunk"]
        assert [chunk["generation_id"] for chunk in chunks if chunk["last_chunk"]] == ["a", "b"]
        assert told(socket)[-1]["data"]["code"] == "SERVICE_TIMEOUT"
        assert_nothing_left(services)


def test_an_illegal_step_raises() -> None:
    async def step() -> None:
        async with in_process() as services:
            connection = Connection(FakeSocket().as_websocket(), GradiumAdapter(), services)
            with pytest.raises(RuntimeError, match="expected OPEN or OVERDUE before CLOSING, but it is ACC"):
                connection._advance(Phase.CLOSING)

    asyncio.run(step())


def _cancel(tasks: list["asyncio.Task[None]"]) -> None:
    tasks[0].cancel()


@pytest.mark.parametrize("way", ["cancelled", "faulty", "gone"])
async def test_every_await_may_be_interrupted(way: str) -> None:
    """Whatever is interrupted and wherever: no place, no task and no connection is left, and never two Closes."""
    async with in_process() as services:
        loop = asyncio.get_running_loop()
        step, reached = 0, True
        while reached:
            socket = FakeSocket(TALK)
            connection = Connection(socket.as_websocket(), GradiumAdapter(), services)
            serving: list[asyncio.Task[None]] = []
            act = {"cancelled": partial(_cancel, serving), "gone": socket.go, "faulty": None}[way]
            interruption = Interruption(step, act)
            interruption.install(loop)
            serving.append(asyncio.create_task(connection.serve()))
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.wait(serving)
            loop.set_task_factory(None)
            reached = interruption.reached
            where = f"step {step}, {interruption.where}"
            assert connection.phase is Phase.CLOSED, where
            assert services.admission.running == 0, where
            assert services.connections == set(), where
            assert not (asyncio.all_tasks() - {asyncio.current_task()}), where
            assert len(socket.closes) <= 1, where
            if way == "faulty" and socket.accepted and not serving[0].cancelled() and serving[0].exception() is None:
                assert len(socket.closes) == 1, where
            if not serving[0].cancelled():
                serving[0].exception()
            step += 1
        assert step > 20
        assert kinds(socket)[-1] == "end_of_stream"
