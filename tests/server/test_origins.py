"""Which pages may come in, and that no route lets in another."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from dragoman.config.settings import load_settings
from dragoman.models.registry import Engines
from dragoman.server.app import create_app
from dragoman.server.failures import AuthenticationFailed
from dragoman.server.origins import PageGuard, Pages, check_page
from dragoman.server.refusals import Refusals
from dragoman.server.services import Services
from tests.waiting import PATIENCE_S

EVIL = "http://evil.example"
APP = "https://app.example.org"


def pages(*allowed: str, anonymous: bool = True, host: str = "127.0.0.1") -> Pages:
    return Pages(allowed, anonymous=anonymous, host=host)


def refusal(policy: Pages, origin: str | None = None, host: str = "localhost:8000") -> str | None:
    headers = {"host": host} | ({"origin": origin} if origin is not None else {})
    return policy.refusal(Headers(headers))


HERE = [
    "http://localhost",
    "http://localhost:3000",
    "https://localhost:3000",
    "http://127.0.0.1:8000",
    "http://127.8.8.8",
    "http://[::1]:5173",
    "http://app.localhost:8080",
    "HTTP://LocalHost:1",
]
ELSEWHERE = [
    EVIL,
    "https://evil.example:8000",
    "null",
    "",
    "http://localhost.evil.example",
    "http://evil.example#localhost",
    "http://localhost@evil.example",
    "http://evillocalhost",
    "http://127.0.0.1.evil.example",
    "http://127.evil.example",
    "http://[::2]",
    "http://192.168.1.5:8000",
    "file://",
    "ftp://localhost",
    "http://localhost:3000/",
    "http://localhost http://evil.example",
    "chrome-extension://abcdefghijklmnop",
]


@pytest.mark.parametrize("origin", HERE)
def test_without_keys_pages_of_this_machine_may_come_in(origin: str) -> None:
    assert refusal(pages(), origin) is None
    assert refusal(pages(APP), origin) is None
    assert refusal(pages(host="0.0.0.0"), origin) is None


@pytest.mark.parametrize("origin", ELSEWHERE)
def test_without_keys_other_pages_may_not(origin: str) -> None:
    assert refusal(pages(), origin) == f"origin {origin} is not allowed"
    assert refusal(pages(host="0.0.0.0"), origin) == f"origin {origin} is not allowed"


def test_programs_send_no_origin() -> None:
    for policy in (pages(), pages(APP), pages(anonymous=False), pages(APP, anonymous=False)):
        assert refusal(policy) is None


def test_one_of_two_origins_is_enough_to_be_refused() -> None:
    both = Headers(raw=[(b"origin", b"http://localhost"), (b"origin", EVIL.encode())])
    assert pages().refusal(both) == f"origin {EVIL} is not allowed"


def test_listed_pages_may_come_in_and_any_with_a_star() -> None:
    assert refusal(pages(APP), APP) is None
    assert refusal(pages(APP), EVIL) is not None
    assert refusal(pages("null"), "null") is None
    assert refusal(pages("*"), EVIL, "evil.example") is None
    assert refusal(pages("*", anonymous=False), EVIL, "evil.example") is None


def test_with_keys_a_page_that_knows_one_may_come_in_unless_there_is_a_list() -> None:
    assert refusal(pages(anonymous=False), EVIL, "evil.example") is None
    listed = pages(APP, anonymous=False)
    assert refusal(listed, APP, "whatever.example") is None
    assert refusal(listed, EVIL) is not None
    assert refusal(listed, "http://localhost:3000") is not None


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "127.1.2.3", "[::1]:8000", "x.localhost"]
)
def test_names_of_this_machine(host: str) -> None:
    assert refusal(pages(), host=host) is None


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "192.168.1.5", "x@localhost", ""]
)
def test_a_page_whose_name_was_pointed_here_is_refused(host: str) -> None:
    """DNS rebinding: the browser takes the page for one of its own server, and sends no origin."""
    assert refusal(pages(), host=host) == f"host {host} is not allowed"
    assert refusal(pages(APP), host=host) == f"host {host} is not allowed"


def test_names_that_are_known_or_cannot_be() -> None:
    assert refusal(pages(APP), host="app.example.org") is None
    assert refusal(pages(APP), host="app.example.org:8443") is None
    assert refusal(pages(f"{APP}:8443"), host="app.example.org") is None
    # Who may reach it, and by which name, only the operator knows.
    assert refusal(pages(host="0.0.0.0"), host="translator.lan:8000") is None
    assert pages().refusal(Headers({})) is None


def test_what_a_client_sent_is_quoted_in_part() -> None:
    told = refusal(pages(), "http://" + "e" * 1000)
    assert told is not None
    assert len(told) < 100


# --- the whole application


def application(**settings: Any) -> Any:
    def never(*_: object) -> Engines:
        raise AssertionError

    return create_app(Services(load_settings(overrides=settings), never))


async def ask(app: ASGIApp, kind: str, path: str, method: str = "GET", **headers: str) -> list[Message]:
    """All that a request or a socket is answered; a socket sends one message."""
    sent: list[Message] = []
    incoming: list[Message] = (
        [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "{}"}] if kind == "websocket" else []
    )
    over = asyncio.Event()

    async def receive() -> Message:
        if incoming:
            return incoming.pop(0)
        await over.wait()
        return {"type": f"{kind}.disconnect", "code": 1000}

    async def send(message: Message) -> None:
        sent.append(message)
        if message["type"] in ("websocket.close", "http.response.body", "websocket.http.response.body"):
            over.set()

    scope: Scope = {
        "type": kind, "method": method, "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "http_version": "1.1", "scheme": "http", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000),
        "headers": [(name.encode(), value.encode()) for name, value in ({"host": "localhost:8000"} | headers).items()],
        "subprotocols": [], "extensions": {"websocket.http.response": {}}, "state": {},
    }  # fmt: skip
    async with asyncio.timeout(PATIENCE_S):
        await app(scope, receive, send)
    return sent


def routes(app: Any) -> Iterator[tuple[str, str, str]]:
    for context in iter_route_contexts(app.routes):
        path = str(context.path).replace("{rest:path}", "x").replace("{", "").replace("}", "")
        methods = getattr(context.original_route, "methods", None)
        if methods is None:
            yield "websocket", path, "GET"
        else:
            yield from (("http", path, method) for method in sorted(methods))


def refused_socket(sent: list[Message]) -> str:
    """What a socket was told that was refused, whether it had been accepted or not."""
    if sent[0]["type"] == "websocket.accept":
        assert [message["type"] for message in sent[1:]] == ["websocket.send", "websocket.close"], sent
        return str(sent[1]["text"])
    assert sent[0]["type"] in ("websocket.http.response.start", "websocket.close"), sent
    return str(sent[-1].get("body", b"").decode() or sent[-1].get("reason"))


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"origin": EVIL}, f"origin {EVIL} is not allowed"),
        ({"host": "evil.example:8000"}, "host evil.example:8000 is not allowed"),
    ],
)
async def test_no_route_serves_a_page_from_elsewhere(headers: dict[str, str], told: str) -> None:
    app = application()
    seen = set()
    for kind, path, method in routes(app):
        sent = await ask(app, kind, path, method, **headers)
        seen.add(kind)
        if kind == "websocket":
            assert told in refused_socket(sent), path
        else:
            assert sent[0]["status"] == 403, (path, sent)
            assert told.encode() in b"".join(message.get("body", b"") for message in sent), path
            assert b"access-control-allow-origin" not in dict(sent[0]["headers"])
    assert seen == {"http", "websocket"}
    for kind in ("http", "websocket"):
        sent = await ask(app, kind, "/nowhere", **headers)
        assert sent[0].get("status", 403) == 403


async def test_refusals_keep_the_form_of_their_vendor() -> None:
    app = application()
    gradium, soniox, sarvam, palabra = [
        await ask(app, "websocket", path, origin=EVIL)
        for path in (
            "/api/speech/s2s",
            "/transcribe-websocket",
            "/speech-to-text/ws",
            "/streaming-api/v1/speech-to-speech/stream",
        )
    ]
    told = f"origin {EVIL} is not allowed"
    assert json.loads(gradium[1]["text"]) == {"type": "error", "message": told, "code": 1008}
    error = json.loads(soniox[1]["text"])
    assert (error["error_code"], error["error_type"], error["error_message"]) == (401, "unauthenticated", told)
    assert sarvam[0]["status"] == 403
    assert json.loads(sarvam[1]["body"]) == {"error": {"message": told, "code": "forbidden"}}
    assert (palabra[0]["status"], palabra[1]["body"].decode()) == (403, told)
    gradium, soniox, palabra = [
        await ask(app, "http", path, origin=EVIL) for path in ("/voices/", "/v1/models", "/session-storage/sessions")
    ]
    assert json.loads(gradium[1]["body"]) == {"detail": told}
    error = json.loads(soniox[1]["body"])
    assert (error["status_code"], error["error_type"], error["message"]) == (403, "permission_denied", told)
    error = json.loads(palabra[1]["body"])
    assert error["ok"] is False
    assert (error["errors"][0]["status"], error["errors"][0]["detail"]) == (403, told)


@pytest.mark.parametrize(
    ("settings", "origin", "allowed"),
    [
        ({}, "http://localhost:3000", "http://localhost:3000"),
        ({"allowed_origins": [APP]}, APP, APP),
        ({"allowed_origins": ["*"]}, EVIL, "*"),
        ({"api_keys": ["secret"]}, EVIL, "*"),
        ({"api_keys": ["secret"], "allowed_origins": [APP]}, APP, APP),
    ],
)
async def test_browsers_are_told_the_same(settings: dict[str, Any], origin: str, allowed: str) -> None:
    app = application(**settings)
    sent = await ask(app, "http", "/health", origin=origin)
    assert sent[0]["status"] == 200
    assert dict(sent[0]["headers"])[b"access-control-allow-origin"].decode() == allowed
    preflight = {"origin": origin, "access-control-request-method": "POST"}
    sent = await ask(app, "http", "/session-storage/session", "OPTIONS", **preflight)
    assert sent[0]["status"] == 200
    assert dict(sent[0]["headers"])[b"access-control-allow-origin"].decode() == allowed


async def test_a_body_that_is_too_large_is_told_to_the_page_too() -> None:
    headers = {"origin": "http://localhost:3000", "content-length": "70000"}
    sent = await ask(application(), "http", "/session-storage/session", "POST", **headers)
    assert sent[0]["status"] == 413
    assert b"access-control-allow-origin" in dict(sent[0]["headers"])
    assert json.loads(sent[1]["body"])["errors"][0]["error_code"] == "BAD_REQUEST"


# --- a vendor that forgets


async def forgetful(scope: Scope, receive: Receive, send: Send) -> None:
    socket = WebSocket(scope, receive, send)
    await socket.accept()
    await socket.send_text("welcome")
    await socket.close()


async def polite(scope: Scope, receive: Receive, send: Send) -> None:
    socket = WebSocket(scope, receive, send)
    try:
        check_page(scope)
    except AuthenticationFailed as error:
        await socket.send_denial_response(PlainTextResponse(str(error), 418))
    else:
        await forgetful(scope, receive, send)


async def test_a_vendor_cannot_forget() -> None:
    sent = await ask(PageGuard(forgetful, pages(), Refusals({})), "websocket", "/", origin=EVIL)
    assert sent == [{"type": "websocket.close", "code": 1008, "reason": f"origin {EVIL} is not allowed"}]
    sent = await ask(PageGuard(polite, pages(), Refusals({})), "websocket", "/", origin=EVIL)
    assert sent[0]["status"] == 418
    for app in (forgetful, polite):
        sent = await ask(PageGuard(app, pages(), Refusals({})), "websocket", "/", origin="http://localhost")
        assert [message["type"] for message in sent] == ["websocket.accept", "websocket.send", "websocket.close"]
