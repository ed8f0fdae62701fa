"""Under which address a client reaches the server that stands behind a proxy, and who is believed about it."""

from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from dragoman.server.proxies import TrustedProxies, public_url

LOOPBACK = "127.0.0.1"


@pytest.fixture(autouse=True)
def _nobody_else_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)


async def told(
    headers: dict[str, str], *, peer: str = LOOPBACK, trusted: str | None = None, configured: str = ""
) -> dict[str, Any]:
    """The public URL and what the application sees."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        body = {
            "url": public_url(request, configured),
            "client": request.client.host if request.client else None,
            "host": request.headers["host"],
        }
        await JSONResponse(body)(scope, receive, send)

    transport = httpx.ASGITransport(TrustedProxies(application, trusted), client=(peer, 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        answer: dict[str, Any] = (await client.get("/x", headers=headers)).json()
        return answer


HTTPS = {"X-Forwarded-Proto": "https"}
THERE = {"Host": "there.example", **HTTPS}


@pytest.mark.parametrize(
    ("headers", "url"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"Host": "there.example"}, "http://there.example"),
        ({"Host": "[::1]:8000"}, "http://[::1]:8000"),
        # As nginx sends them with the configuration of docs/security.md.
        ({"Host": "there.example:8820", **HTTPS}, "https://there.example:8820"),
        (THERE, "https://there.example"),
        # Proxies that keep the name and the port apart.
        ({**THERE, "X-Forwarded-Port": "8820"}, "https://there.example:8820"),
        ({**THERE, "X-Forwarded-Port": "443"}, "https://there.example"),
        ({**HTTPS, "Host": "there.example:8820", "X-Forwarded-Port": "443"}, "https://there.example:8820"),
        ({"Host": "there.example", "X-Forwarded-Port": "80"}, "http://there.example"),
        # Caddy, Traefik.
        ({"X-Forwarded-Host": "there.example", **HTTPS}, "https://there.example"),
        ({"X-Forwarded-Host": "there.example:8443", **HTTPS}, "https://there.example:8443"),
        ({"X-Forwarded-Host": "[2001:db8::1]", "X-Forwarded-Port": "99", **HTTPS}, "https://[2001:db8::1]:99"),
        ({"X-Forwarded-Host": "there.example", "X-Forwarded-Prefix": "/live"}, "http://there.example/live"),
        ({"X-Forwarded-Host": "there.example", "X-Forwarded-Prefix": "/a/b-c_1/"}, "http://there.example/a/b-c_1"),
        ({"X-Forwarded-Prefix": "/"}, "http://127.0.0.1:8000"),
        ({"X-Forwarded-Proto": "wss"}, "https://127.0.0.1:8000"),
        # Two proxies in a row.
        ({"X-Forwarded-Host": "outer.example, inner.example", "X-Forwarded-Proto": "https, http"},
         "https://outer.example"),
        # What cannot be is as good as nothing.
        ({"X-Forwarded-Host": "evil.example/path?x=#", "X-Forwarded-Proto": "javascript"}, "http://127.0.0.1:8000"),
        ({"X-Forwarded-Host": "a b", "X-Forwarded-Port": "x", "X-Forwarded-Prefix": "no"}, "http://127.0.0.1:8000"),
        ({"X-Forwarded-Prefix": "//evil.example"}, "http://127.0.0.1:8000"),
        ({"X-Forwarded-Prefix": "/a?b"}, "http://127.0.0.1:8000"),
    ],
)  # fmt: skip
async def test_what_a_proxy_on_this_machine_says(headers: dict[str, str], url: str) -> None:
    assert (await told(headers))["url"] == url


FORGED = {
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Port": "99",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-For": "203.0.113.9",
}


@pytest.mark.parametrize(
    ("peer", "trusted", "believed"),
    [
        ("127.0.0.1", None, True),
        ("::1", None, True),
        ("192.0.2.7", None, False),
        ("127.0.0.1", "10.0.0.0/8", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("192.0.2.7", "*", True),
        ("192.0.2.7", "127.0.0.1, 192.0.2.7", True),
        ("192.0.2.8", "127.0.0.1, 192.0.2.7", False),
    ],
)
async def test_who_is_believed(peer: str, trusted: str | None, believed: bool) -> None:
    answer = await told(FORGED, peer=peer, trusted=trusted)
    assert answer["url"] == ("https://evil.example:99/evil" if believed else "http://127.0.0.1:8000")
    assert answer["client"] == ("203.0.113.9" if believed else peer)
    assert answer["host"] == "127.0.0.1:8000", "who tells friends by it sees what was sent"


async def test_the_environment_names_who_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "192.0.2.7")
    assert (await told(FORGED, peer="192.0.2.7"))["url"] == "https://evil.example:99/evil"
    assert (await told(FORGED))["url"] == "http://127.0.0.1:8000"


@pytest.mark.parametrize("configured", ["https://there.example/live", "https://there.example/live/"])
async def test_what_the_operator_says_counts(configured: str) -> None:
    assert (await told(FORGED, configured=configured))["url"] == "https://there.example/live"
