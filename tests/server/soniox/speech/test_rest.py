"""`POST /tts` in this process, with fake engines: what is sent when, and what is left when a client goes."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from dragoman.models.base import Samples, SynthesisRequest
from dragoman.models.errors import EngineFailed
from dragoman.models.registry import Engines
from dragoman.models.voices import VoiceCatalogue
from dragoman.server.app import create_app
from dragoman.server.services import Services
from tests.fakes.engines import FakeDetector, FakeRecognizer, FakeSynthesizer, FakeTranslator, fake_voice
from tests.server.served import in_process
from tests.waiting import until_async

BODY = {"model": "tts-rt-v2", "language": "en", "voice": "Maya", "audio_format": "pcm_s16le", "text": "Hi. Ho. Hum."}


class ListeningSynthesizer(FakeSynthesizer):
    """Remembers what it says; breaks at a text that `breaks`, and waits before one that `waits`."""

    def __init__(self, breaks: str = "", waits: str = "") -> None:
        self.said: list[str] = []
        self.go_on = threading.Event()
        self._breaks, self._waits = breaks, waits

    def synthesize(self, request: SynthesisRequest) -> Iterator[Samples]:
        self.said.append(request.text)
        if request.text == self._breaks:
            raise EngineFailed(self.name, "it broke")
        if request.text == self._waits:
            self.go_on.wait()
        yield from super().synthesize(request)


def engines(synthesizer: FakeSynthesizer) -> Callable[[], Engines]:
    return lambda: Engines(
        name="fake",
        detector=FakeDetector(),
        recognizers=[FakeRecognizer(lambda request: "")],
        translators=[FakeTranslator("en", "es")],
        synthesizers=[synthesizer],
        catalogue=VoiceCatalogue([fake_voice("en"), fake_voice("es")]),
    )


class Call:
    """One request, as the server under the application sees it: `reads` is how many pieces the client takes."""

    def __init__(self, app: FastAPI, body: Any = None, *, path: str = "/tts", reads: int | None = None) -> None:
        self._app = app
        raw = json.dumps(BODY if body is None else body).encode()
        headers = [(b"host", b"127.0.0.1"), (b"content-length", str(len(raw)).encode())]
        self._scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
                       "headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000),
                       "scheme": "http", "http_version": "1.1", "root_path": "", "state": {}}  # fmt: skip
        self._asked = [{"type": "http.request", "body": raw, "more_body": False}]
        self.gone = asyncio.Event()
        self.room = asyncio.Event()
        self._reads = reads
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.complete = False

    async def run(self) -> "Call":
        await self._app(self._scope, self._receive, self._send)
        return self

    async def _receive(self) -> dict[str, Any]:
        if self._asked:
            return self._asked.pop()
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            return
        if self._reads is not None and not self._reads:
            await self.room.wait()
        self._reads = self._reads - 1 if self._reads else self._reads
        self.body += message.get("body", b"")
        self.complete = not message.get("more_body", False)


@pytest.fixture
async def served() -> AsyncIterator[tuple[FastAPI, Services, ListeningSynthesizer]]:
    synthesizer = ListeningSynthesizer(breaks="Broken", waits="Wait")
    async with in_process(engines(synthesizer)) as services:
        yield create_app(services), services, synthesizer


Served = tuple[FastAPI, Services, ListeningSynthesizer]


@pytest.mark.parametrize("path", ["/tts", "/v1/tts"])
async def test_a_text_is_spoken_whole(served: Served, path: str) -> None:
    app, services, synthesizer = served
    call = await Call(app, path=path).run()
    assert (call.status, call.headers["content-type"], call.complete) == (200, "audio/pcm", True)
    assert "content-length" not in call.headers
    assert synthesizer.said == ["Hi.", "Ho.", "Hum."]
    seconds = len(call.body) / 2 / 24_000
    assert abs(seconds - (0.1 * len("Hi.Ho.Hum.") + 2 * services.settings.speak.gap_ms / 1_000)) < 0.2
    assert services.admission.running == 0


async def test_the_next_sentence_waits_for_the_client(served: Served) -> None:
    app, services, synthesizer = served
    call = Call(app, reads=1)
    running = asyncio.create_task(call.run())
    await until_async(lambda: bool(call.body))
    for _ in range(20):
        await asyncio.sleep(0)
    assert synthesizer.said == ["Hi."]
    call._reads = None
    call.room.set()
    await running
    assert synthesizer.said == ["Hi.", "Ho.", "Hum."]
    assert services.admission.running == 0


async def test_who_goes_leaves_nothing_behind(served: Served) -> None:
    app, services, synthesizer = served
    call = Call(app, {**BODY, "text": "Hi. Wait"}, reads=1)
    running = asyncio.create_task(call.run())
    await until_async(lambda: bool(call.body))
    assert services.admission.running == 1
    call.gone.set()
    await running
    synthesizer.go_on.set()
    assert services.admission.running == 0
    assert not call.complete


async def test_a_server_that_ends_cuts_the_body(served: Served) -> None:
    app, services, synthesizer = served
    call = Call(app, {**BODY, "text": "Hi. Wait"})
    running = asyncio.create_task(call.run())
    await until_async(lambda: "Wait" in synthesizer.said)
    (connection,) = services.connections
    assert connection.busy
    connection.shut_down()
    synthesizer.go_on.set()
    await running
    assert (call.status, call.complete) == (200, False)
    assert call.body
    assert (services.admission.running, services.connections) == (0, set())


async def test_a_fault_behind_the_first_byte_cuts_the_body(served: Served) -> None:
    app, services, _ = served
    call = await Call(app, {**BODY, "text": "Hi there. Broken"}).run()
    assert call.status == 200
    assert call.body
    assert not call.complete
    assert services.admission.running == 0


@pytest.mark.parametrize(
    ("fields", "status", "kind", "text"),
    [
        ({"text": "Broken"}, 500, "internal_error", "it broke"),
        ({"text": ""}, 400, "invalid_request", "length >= 1 in text"),
        ({"text": " "}, 400, "invalid_request", "text is missing"),
        ({"text": "x" * 5_001}, 400, "invalid_request", "in text"),
        ({"model": None}, 400, "invalid_request", "model is missing"),
        ({"model": "tts-x"}, 400, "model_not_available", "unknown model"),
        ({"voice": None}, 400, "invalid_request", "voice is missing"),
        ({"voice": "x" * 51}, 400, "invalid_request", "in voice"),
        ({"language": None}, 400, "invalid_request", "language is missing"),
        ({"language": "qq"}, 400, "invalid_request", "language 'qq' is not a supported language code"),
        ({"language": "cy"}, 400, "invalid_request", "no voice for 'cy' is installed"),
        ({"audio_format": "midi"}, 400, "invalid_request", "unsupported audio_format"),
    ],
)
async def test_errors_have_the_form_of_the_socket(
    served: Served, fields: dict[str, Any], status: int, kind: str, text: str
) -> None:
    app, services, _ = served
    call = await Call(app, {**BODY, **fields}).run()
    told = json.loads(call.body)
    assert set(told) == {"error_code", "error_type", "error_message", "request_id"}
    assert (call.status, told["error_code"], told["error_type"]) == (status, status, kind)
    assert text in told["error_message"]
    assert services.admission.running == 0


async def test_a_full_house_says_so() -> None:
    async with in_process(engines(FakeSynthesizer()), sessions=1) as services:
        place = services.admission.enter()
        call = await Call(create_app(services)).run()
        assert (call.status, json.loads(call.body)["error_type"]) == (429, "limit_exceeded")
        place.leave()
        assert (await Call(create_app(services)).run()).status == 200
