"""Whatever a client sends by REST, it is answered below 500 (501 where something is not served), and nothing breaks."""

import json
import random
from collections.abc import AsyncIterator, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from dragoman.config.settings import load_settings
from dragoman.models.registry import Engines
from dragoman.models.voices import VoiceCatalogue
from dragoman.pipeline.audio.formats import Container
from dragoman.server.app import create_app
from dragoman.server.protocols.gradium import rest as gradium
from dragoman.server.protocols.gradium.voices import EngineVoices
from dragoman.server.protocols.palabra import rest as palabra
from dragoman.server.protocols.palabra.sessions import Sessions
from dragoman.server.protocols.sarvam.rest.routes import rest_routes as sarvam_routes
from dragoman.server.protocols.sarvam.routes import SLASHES
from dragoman.server.protocols.sarvam.unserved import unserved_routes
from dragoman.server.protocols.soniox.api import Desk
from dragoman.server.protocols.soniox.files.orders import transcription_routes
from dragoman.server.protocols.soniox.files.rest import file_routes
from dragoman.server.protocols.soniox.rest import rest_routes as soniox_routes
from dragoman.server.protocols.soniox.speech.rest import speech_routes
from dragoman.server.protocols.soniox.usage_rest import usage_routes
from dragoman.server.services import Services
from dragoman.server.uploads.uploads import Uploads
from tests.fakes.engines import FakeDetector, FakeRecognizer, FakeSynthesizer, FakeTranslator, fake_voice, silence
from tests.fakes.hostile import NESTED
from tests.pipeline.audio.files import as_file

KEY_ORDER = {"usage_type": "transcribe_websocket", "expires_in_seconds": 60, "client_reference_id": "r"}
SPEECH = {"model": "tts-rt-v2", "language": "en", "voice": "V", "audio_format": "wav", "text": "Hi.", "speed": 1.0}
SESSION = {"data": {"subscriber_count": 0, "intent": "api"}}
TRANSLATION = {
    "input": "Hello.", "source_language_code": "auto", "target_language_code": "en-IN", "model": "mayura:v1",
    "output_script": "roman", "numerals_format": "native",
}  # fmt: skip
SARVAM_SPEECH = {
    "text": "a", "language_code": "en-IN", "speaker": "shubh", "model": "bulbul:v3", "pace": 1.0,
    "speech_sample_rate": 8000, "output_audio_codec": "mulaw", "output_audio_bitrate": "32k",
}  # fmt: skip
VALUES = [
    "NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e308", "9" * 30, "9" * 5_000, "-0.0", "null", "true", "[]",
    "{}",
    '""', '"\\ud800"', '"\\udfff\\ud800"', '"\\u0000"', '"\ud800"', '"' + "x" * 257 + '"', '"' + "x" * 60_000 + '"',
    '{"\\ud800": 1}', '{"\ud800": 1}', "[[[[[[1]]]]]]", NESTED[:60_000], "[" * 30_000 + "]" * 30_000, "[NaN]", "{", '"',
]  # fmt: skip
"""What may stand where a value stands, as text; not all of it is JSON."""
BYTES = [
    b"",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf{}",
    b"\xef\xbb\xbf",
    b"\0",
    b'"\xc3"',
    b"[" * 60_000,
    b" " * 60_000,
]


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application without a socket. What breaks in the application is raised here."""
    services = Services(
        load_settings(overrides={"files_dir": str(tmp_path / "files")}), lambda settings, observe: engines()
    )
    app = create_app(services)
    async with app.router.lifespan_context(app):
        await services.until_loaded()
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            yield client


def engines() -> Engines:
    return Engines(
        name="fake",
        detector=FakeDetector(),
        recognizers=[FakeRecognizer(lambda request: "")],
        translators=[FakeTranslator("en", "es")],
        synthesizers=[FakeSynthesizer()],
        catalogue=VoiceCatalogue([fake_voice("en")]),
    )


def encoded(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def with_value(fields: dict[str, Any], value: str) -> Iterator[str]:
    """An object with a value in place of each of its own, beside them, and as a key."""
    for key, own in fields.items():
        inner = with_value(own, value) if isinstance(own, dict) else ()
        for changed in (value, *inner):
            rest = "".join(
                f", {json.dumps(name)}: {json.dumps(other)}" for name, other in fields.items() if name != key
            )
            yield f"{{{json.dumps(key)}: {changed}{rest}}}"
    yield json.dumps(fields)[:-1] + f', "novelty": {value}}}'
    if value.startswith('"'):
        yield f"{{{value}: 1}}"


def bodies(fields: dict[str, Any]) -> Iterator[bytes]:
    for value in VALUES:
        yield encoded(value)
        yield from map(encoded, with_value(fields, value))
    yield from BYTES
    good = json.dumps(fields).encode()
    dice = random.Random(1)
    for _ in range(300):
        broken = bytearray(good)
        for _ in range(dice.randint(1, 3)):
            place = dice.randrange(len(broken))
            broken[place : place + dice.randint(0, 2)] = dice.randbytes(dice.randint(0, 2))
        yield bytes(broken)


def form_of(vendor: str, answer: Any) -> bool:
    """Whether an error has its vendor's form."""
    if vendor == "soniox-speech":
        return set(answer) == {"error_code", "error_type", "error_message", "request_id"}
    if vendor == "palabra":
        return answer["ok"] is False and set(answer["errors"][0]) == {"title", "detail", "status", "error_code"}
    if vendor == "sarvam":
        return set(answer["error"]) == {"message", "code", "request_id"}
    return set(answer) >= {"status_code", "error_type", "message", "validation_errors", "request_id"}


@pytest.mark.parametrize(
    ("vendor", "path", "fields"),
    [
        ("palabra", "/session-storage/session", SESSION),
        ("soniox", "/v1/auth/temporary-api-key", KEY_ORDER),
        ("soniox-speech", "/tts", SPEECH),
        ("sarvam", "/translate", TRANSLATION),
        ("sarvam", "/transliterate", TRANSLATION),
        ("sarvam", "/text-lid", {"input": "a"}),
        ("sarvam", "/text-to-speech", SARVAM_SPEECH),
        ("sarvam", "/text-to-speech/stream", SARVAM_SPEECH),
    ],
)
async def test_every_body_is_taken_or_refused_in_the_vendors_form(
    client: httpx.AsyncClient, vendor: str, path: str, fields: dict[str, Any]
) -> None:
    statuses = set()
    for body in bodies(fields):
        answer = await client.post(path, content=body)
        statuses.add(answer.status_code)
        assert answer.status_code in (200, 201, 400, 422), body[:100]
        assert answer.is_success or len(answer.content) < 3_000
        assert answer.is_success or form_of(vendor, answer.json()), body[:100]
    assert len(statuses & {200, 201}) == 1
    assert 400 in statuses


@pytest.mark.parametrize("path", ["/speech-to-text", "/speech-to-text-translate"])
async def test_every_form_is_taken_or_refused_in_the_vendors_form(client: httpx.AsyncClient, path: str) -> None:
    file = as_file(Container.WAV, silence(0.1), 16_000)
    names = ["model", "mode", "language_code", "with_timestamps", "prompt", "keyterms", "input_audio_codec", "novelty"]
    statuses = set()
    for name, value in product(names, VALUES):
        answer = await client.post(path, data={name: encoded(value)}, files={"file": file})
        statuses.add(answer.status_code)
        assert answer.status_code in (200, 400, 413), (name, value[:100])
        assert len(answer.content) < 3_000
        assert answer.status_code == 200 or form_of("sarvam", answer.json())
    kind = {"content-type": "multipart/form-data; boundary=bb"}
    good = b'--bb\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + file[:200] + b"\r\n--bb--\r\n"
    dice = random.Random(3)
    for _ in range(300):
        broken = bytearray(good)
        for _ in range(dice.randint(1, 3)):
            place = dice.randrange(len(broken))
            broken[place : place + dice.randint(0, 2)] = dice.randbytes(dice.randint(0, 2))
        answer = await client.post(path, content=bytes(broken), headers=kind)
        statuses.add(answer.status_code)
        assert answer.status_code in (200, 400, 422), bytes(broken)
        assert answer.status_code == 200 or form_of("sarvam", answer.json())
    assert statuses >= {200, 400, 422}


@pytest.mark.parametrize("intent", ["NaN", "Infinity", "1e999", '"\\ud800"', '"' + "x" * 257 + '"', "[]", "5", "true"])
async def test_an_intent_that_cannot_come_back_is_refused(client: httpx.AsyncClient, intent: str) -> None:
    answer = await client.post("/session-storage/session", content=f'{{"data":{{"intent":{intent}}}}}')
    assert (answer.status_code, answer.json()["errors"][0]["error_code"]) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "body", ["", "{}", "[]", "null", '{"data": null}', '{"data": []}', '{"data": {"intent": null}}']
)
async def test_a_body_that_asks_for_nothing_makes_a_session(client: httpx.AsyncClient, body: str) -> None:
    answer = await client.post("/session-storage/session", content=body)
    assert (answer.status_code, answer.json()["data"]["intent"]) == (201, "api")


ODD = ["%ED%A0%80", "%FF", "%00", "x" * 5_000, "..%2F..", "%F0%9F%98%80", "NaN", "-1", "%20", "%5C%22"]


def addresses() -> Iterator[tuple[str, str]]:
    """Methods and paths of all vendors."""
    services = Services(load_settings(), lambda settings, observe: engines())
    voices = EngineVoices(lambda: services.engines, strict=False)
    uploads = Uploads(services)
    routers = (
        ("", gradium.rest_routes(services, voices)),
        ("/api", gradium.rest_routes(services, voices)),
        ("/v1", soniox_routes(Desk.of(services))),
        ("/v1", usage_routes(Desk.of(services))),
        ("", speech_routes(Desk.of(services))),
        ("/v1", file_routes(Desk.of(services), uploads.store)),
        ("/v1", transcription_routes(Desk.of(services), uploads)),
        ("", unserved_routes(services, SLASHES)),
        ("", sarvam_routes(services, SLASHES)),
        ("", palabra.session_routes(services, Sessions(60.0, services.state))),
        ("", palabra.management_routes(services)),
    )
    for prefix, router in routers:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            yield from ((method, prefix + route.path) for method in sorted(route.methods))


async def test_every_address_is_answered(client: httpx.AsyncClient) -> None:
    """Every route of every vendor, with odd names in it, odd parameters and odd bodies."""
    routes = [*addresses()]
    assert len(routes) > 90
    dice = random.Random(2)
    seen = set()
    for (method, path), odd in product(routes, ODD):
        named = "".join(odd if part.startswith("{") else part for part in _parts(path))
        query = dice.choice(["", f"?limit={odd}", f"?skip=-1&limit={odd}", f"?include_catalog={odd}&{odd}={odd}"])
        body = None if method == "GET" else encoded(dice.choice(VALUES))
        answer = await client.request(method, named + query, content=body)
        seen.add(answer.status_code)
        assert answer.status_code < 500 or answer.status_code == 501, (method, path, answer.text)
        assert len(answer.content) < 40_000
    assert seen >= {200, 404, 422, 501}


def _parts(path: str) -> list[str]:
    """`/a/{b}/c` in pieces."""
    return path.replace("{", "\n{").replace("}", "}\n").split("\n")


async def test_every_text_to_be_said_is_taken_or_refused(client: httpx.AsyncClient) -> None:
    fields = {"text": "Hi.", "voice_id": "v", "output_format": "pcm", "json_config": {"language": "es", "temp": 1}}
    statuses = set()
    for body in bodies(fields):
        answer = await client.post("/post/speech/tts", content=body)
        statuses.add(answer.status_code)
        assert answer.status_code in (200, 400, 422), body[:100]
        assert answer.is_success or isinstance(answer.json()["detail"], str)
        assert answer.is_success or len(answer.content) < 3_000
    assert statuses == {200, 400, 422}


@pytest.mark.parametrize("value", VALUES)
async def test_every_query_of_a_recognition_is_taken_or_refused(client: httpx.AsyncClient, value: str) -> None:
    for name in ("model", "input_format", "json_config"):
        try:
            answer = await client.post("/post/speech/asr", params={name: value[:20_000]}, content=b"RIFF")
        except UnicodeEncodeError:
            continue
        assert answer.status_code in (200, 400), (name, value[:100])
        assert len(answer.content) < 3_000
