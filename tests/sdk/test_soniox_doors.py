"""Who may talk to the Soniox socket, what else its REST says, and what is told when something is wrong."""

import asyncio
import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from dragoman.testing import RunningServer, running_server
from tests.sdk.child import Raised
from tests.sdk.soniox_client import error, read, run, whole
from tests.sdk.speech import as_wav, bursts
from tests.server.soniox.wire import START, replay
from tests.waiting import PATIENCE_S

RATE = 16_000
LIMITS = {"DRAGOMAN_LIMITS__SESSIONS": "2", "DRAGOMAN_LIMITS__IDLE_S": "1.5", "DRAGOMAN_LIMITS__SESSION_S": "4"}


@contextmanager
def discreet(**limits: str) -> Iterator[RunningServer]:
    with running_server(environment={"DRAGOMAN_API_KEYS": "secret", **limits}) as server:
        yield server
        assert "Traceback" not in server.log()
        assert "secret" not in server.log()


@pytest.fixture(scope="module")
def strict() -> Iterator[RunningServer]:
    """A server with keys."""
    with discreet() as server:
        yield server


@pytest.fixture(scope="module")
def tight() -> Iterator[RunningServer]:
    """A server with keys and tight limits."""
    with discreet(**LIMITS) as server:
        yield server


def test_errors_reach_the_user(scripted: RunningServer) -> None:
    steps = whole(bursts(3, RATE).tobytes())
    noise = np.random.default_rng(3).integers(-9_000, 9_000, 80_000).astype("<i2").tobytes()
    cases: list[tuple[dict[str, Any], list[Any], int, str, str]] = [
        ({"model": "stt-rt-v2"}, steps, 400, "model_not_available", "unknown model"),
        ({"translation": {"target_language": "de", "source_languages": ["es"]}}, steps, 400, "invalid_request",
         "translation.source_languages holds es"),
        ({"translation": {"type": "nonsense"}}, steps, 400, "invalid_request", "translation.type"),
        ({"language_hints": ["en", "qq"]}, steps, 400, "invalid_request", "language_hints holds 'qq'"),
        ({"language_hints": ["cy"]}, steps, 400, "invalid_request", "no recogniser for 'cy'"),
        ({"translation": {"type": "one_way", "target_language": "cy"}}, steps, 400, "invalid_request",
         "no translator for en→cy"),
        ({"audio_format": "mp3"}, whole(noise), 400, "invalid_request", "bad audio"),
        ({"audio_format": "flac"}, whole(as_wav(bursts(1, RATE), RATE)), 400, "invalid_request", "is flac but"),
        ({"audio_format": "auto"}, whole(noise), 408, "request_timeout", "no known container"),
        ({"audio_format": "auto"}, [("send", noise, 3_200, 0.0)], 408, "request_timeout", "no known container"),
        ({}, [("finish",)], 400, "invalid_request", "no audio was received"),
        ({}, [("send_bytes", b"")], 400, "invalid_request", "no audio was received"),
    ]  # fmt: skip
    jobs = [
        (job, {"url": scripted.url, "steps": todo, "config": config})
        for config, todo, *_ in cases
        for job in ("sync", "asynchronous")
    ]
    results = run("each", jobs=jobs)
    for (config, _, code, kind, text), answers in zip(cases, zip(*[iter(results)] * 2, strict=True), strict=True):
        for events in answers:
            found = error(events)
            assert found[:2] == (code, kind), config
            assert text in found[2]


def test_keys(strict: RunningServer) -> None:
    one = bursts(1, RATE).tobytes()
    plain = {"url": strict.url, "steps": whole(one), "config": {}}
    orders = [
        {"single_use": True, "expires_in_seconds": 60},
        {"expires_in_seconds": 1},
        {"max_session_duration_seconds": 1, "client_reference_id": "me"},
        {"usage_type": "tts_rt"},
    ]
    made = run("rest", url=strict.url, key="secret", calls=[("auth.create_temporary_api_key", o) for o in orders])
    single, short, brief, speech = (answer["api_key"] for answer in made)
    calls: list[tuple[str, dict[str, Any]]] = [("models.list", {}), ("auth.create_temporary_api_key", {})]
    good, first, second, wrong, other, limited, over, refused, not_for_rest = run(
        "each",
        jobs=[
            ("sync", {**plain, "key": "secret"}),
            ("asynchronous", {**plain, "key": single}),
            ("sync", {**plain, "key": single}),
            ("sync", {**plain, "key": "wrong"}),
            ("sync", {**plain, "key": speech}),
            ("sync", {**plain, "key": brief, "steps": [("send", one, 3_200, 0.1), ("sleep", 1.0)]}),
            ("sync", {**plain, "key": short}),
            ("rest", {"url": strict.url, "key": "wrong", "calls": calls}),
            ("rest", {"url": strict.url, "key": brief, "calls": calls}),
        ],
    )
    for events in (good, first):
        assert read(events, translates=False).spoken == "Good morning."
    assert error(second) == (401, "unauthenticated", "temporary API key is unknown, expired or already used")
    assert error(wrong) == (401, "unauthenticated", "API key is not valid")
    assert error(other) == (401, "unauthenticated", "temporary API key is for tts_rt, not for transcribe_websocket")
    assert error(limited) == (403, "temp_api_key_session_expired", "the temporary API key allows sessions of 1 s")
    assert error(over)[0] == 401
    for answer in (*refused, *not_for_rest):
        assert isinstance(answer, Raised)
        assert answer.kind == "SonioxAuthenticationError"
        assert "API key is not valid" in answer.text


def test_limits(tight: RunningServer) -> None:
    one = bursts(1, RATE, 1.0, 0.0).tobytes()
    idle = run("sync", url=tight.url, key="secret", steps=[("send", one, 3_200, 0.0)], config={})
    assert read(idle, translates=False).spoken == "Good morning."  # what was heard is said first
    assert error(idle) == (408, "request_timeout", "no audio and no keepalive for 1.5 s")
    long = [("send", one * 9, 3_200, 0.1)]
    many = run("crowd", url=tight.url, jobs=[{"steps": long, "config": {}, "key": "secret"}] * 3)
    codes = sorted(error(events)[:2] for events in many)
    assert codes == [(400, "invalid_request"), (400, "invalid_request"), (429, "limit_exceeded")]
    assert any("session reached its limit of 4 s" in error(events)[2] for events in many)


def test_rest(scripted: RunningServer) -> None:
    models, limits, made, bad = run(
        "rest",
        url=scripted.url,
        calls=[
            ("models.list", {}),
            ("concurrency_limits.get", {}),
            ("auth.create_temporary_api_key", {"expires_in_seconds": 300}),
            ("request", {"method": "POST", "path": "/auth/temporary-api-key", "json": {"expires_in_seconds": 0}}),
        ],
    )
    versions = ("v6", "v5", "v4", "v3", "preview")
    ids = [f"stt-{kind}-{version}" for kind in ("rt", "async") for version in versions]
    assert [model["id"] for model in models["models"]] == ids
    assert {model["transcription_mode"] for model in models["models"][5:]} == {"async"}
    newest, older = models["models"][0], models["models"][2]
    assert {"code": "es", "name": "Spanish"} in newest["languages"]
    assert "en:es" in newest["two_way_translation_pairs"]
    spanish = next(target for target in newest["translation_targets"] if target["target_language"] == "es")
    assert "en" in spanish["source_languages"]
    assert (newest["supports_endpoint_sensitivity"], older["supports_endpoint_sensitivity"]) == (True, False)
    assert limits["project"]["limits"]["transcribe_concurrent"] == 32
    assert limits["organization"]["current"]["transcribe_concurrent"] == 0
    assert made["api_key"].startswith("snx_temp_")
    assert made["expires_at"].endswith("Z")
    assert isinstance(bad, Raised)  # a response, which has no model_dump
    assert run("rest_asynchronous", url=scripted.url)[1] == "stt-rt-v6"


def test_wrong_orders_of_temporary_keys(scripted: RunningServer) -> None:
    for body in (b"", b"{", b"[]", b'{"usage_type": "other", "expires_in_seconds": 5}', b'{"usage_type": "tts_rt"}',
                 b'{"usage_type": "tts_rt", "expires_in_seconds": 3601}', b"\xff"):  # fmt: skip
        url = scripted.url + "/v1/auth/temporary-api-key"
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(urllib.request.Request(url, body, method="POST"))
        with caught.value as answer:
            told = json.load(answer)
        assert (told["status_code"], told["error_type"]) == (400, "invalid_request")
        assert told["message"]
        assert told["request_id"]
        assert all(set(fault) == {"error_type", "location", "message"} for fault in told["validation_errors"])


# --- sockets without the package, for what it does not do


def socket_url(server: RunningServer) -> str:
    return server.url.replace("http", "ws") + "/transcribe-websocket"


async def hear_all(socket: ClientConnection) -> list[dict[str, Any]]:
    messages = []
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                messages.append(json.loads(await socket.recv()))
    except ConnectionClosed:
        assert socket.close_code == 1000
        return messages


async def test_browsers_and_older_clients(strict: RunningServer) -> None:
    one = bursts(1, RATE).tobytes()
    subprotocols: Any = ["soniox-api-key", "secret"]
    async with connect(socket_url(strict), subprotocols=subprotocols) as socket:
        assert socket.subprotocol == "soniox-api-key"
        await socket.send('{"type": "keepalive"}')
        await socket.send(json.dumps({**START, "enable_non_final_tokens": False}))
        await socket.send(base64.b64encode(one).decode())
        await socket.send(b"")
        messages = await hear_all(socket)
    assert replay(messages, translates=False).spoken == "Good morning."
    assert all(token["is_final"] for message in messages for token in message["tokens"])
    async with connect(socket_url(strict)) as socket:
        assert socket.subprotocol is None
        await socket.send(json.dumps({**START, "api_key": "secret", "language_hints": ["en"], "context": "names"}))
        await socket.send(one)
        await socket.send("")
        assert replay(await hear_all(socket), translates=False).spoken == "Good morning."


@pytest.mark.parametrize(
    ("headers", "subprotocols", "fields", "code", "text"),
    [
        ({}, None, {}, 401, "API key is missing"),
        ({}, None, {"api_key": "wrong"}, 401, "API key is not valid"),
        ({}, ["soniox-api-key", "wrong"], {}, 401, "API key is not valid"),
        ({"Authorization": "Bearer secret"}, None, {"api_key": "secret"}, 400, "send it once"),
        ({}, ["soniox-api-key", "secret"], {"api_key": "secret"}, 400, "send it once"),
        ({"Authorization": "Bearer secret"}, ["soniox-api-key", "secret"], {}, 400, "send it once"),
    ],
)
async def test_credentials_that_do_not_open(
    strict: RunningServer, headers: dict[str, str], subprotocols: Any, fields: dict[str, str], code: int, text: str
) -> None:
    async with connect(socket_url(strict), additional_headers=headers, subprotocols=subprotocols) as socket:
        await socket.send(json.dumps({**START, **fields}))
        (message,) = await hear_all(socket)
    assert message["error_code"] == code
    assert text in message["error_message"]


async def test_who_never_starts_is_told(tight: RunningServer) -> None:
    async with connect(socket_url(tight), additional_headers={"Authorization": "Bearer secret"}) as socket:
        (message,) = await hear_all(socket)
    assert (message["error_code"], message["error_message"]) == (408, "no start message for 1.5 s")


async def test_other_paths(strict: RunningServer) -> None:
    headers = {"Authorization": "Bearer secret"}
    with pytest.raises(InvalidStatus):
        await connect(socket_url(strict) + "/more", additional_headers=headers)
