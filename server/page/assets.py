"""The page's files, read once: their bytes, their types, their ETags, and the headers that go with all of them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

INDEX = "index.html"
FACTS = "server.json"
"""Made at the start, not a file: what the page must know of the server before it has a key."""

TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "mjs": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "json": "application/json",
}

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",  # the page's own address; for sockets too
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""Content-Security-Policy (W3C CSP 3): nothing but files of this page, nothing inline, no connection elsewhere."""

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "microphone=(self), display-capture=(self), camera=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # Kept, but asked for each time: a new version of the server is a new page at once.
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file. `etag` is of its content, quotation marks included (RFC 9110, 8.8.3)."""

    body: bytes
    media_type: str
    etag: str


def load_assets(*, version: str, asks_for_key: bool) -> dict[str, Asset]:
    """Every file by its name; the names are all that there are, so no path leads out of them."""
    folder = resources.files(__package__).joinpath("static")
    files = {entry.name: entry.read_bytes() for entry in folder.iterdir() if _suffix(entry.name) in TYPES}
    files[FACTS] = json.dumps({"version": version, "asks_for_key": asks_for_key}).encode()
    return {name: _asset(name, body) for name, body in files.items()}


def _asset(name: str, body: bytes) -> Asset:
    return Asset(body, TYPES[_suffix(name)], f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def _suffix(name: str) -> str:
    return name.rpartition(".")[2]
