"""Where this vendor's clients put their key: in the URL of a socket, not always escaped, or in headers."""

from urllib.parse import unquote, unquote_plus

from starlette.datastructures import Headers

from dragoman.server.auth import Credentials, Gatekeeper
from dragoman.server.failures import AuthenticationFailed
from dragoman.server.protocols.palabra.sessions import Sessions


def check_token(query: bytes, gatekeeper: Gatekeeper, sessions: Sessions) -> None:
    """Let a socket in by `token`: a key, as it stands or decoded, or the token of a session. Raises."""
    raw = _raw_token(query.decode("latin-1"))
    spellings = list(dict.fromkeys([raw, unquote(raw), unquote_plus(raw)])) if raw else []
    if any(sessions.knows(token) for token in spellings):
        return
    for token in spellings[:-1]:
        try:
            gatekeeper.check(Credentials(key=token))
        except AuthenticationFailed:
            continue
        return
    gatekeeper.check(Credentials(key=spellings[-1] if spellings else None))


def check_bearer(headers: Headers, gatekeeper: Gatekeeper) -> None:
    """`Authorization: Bearer KEY`. Raises AuthenticationFailed."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    gatekeeper.check(Credentials(key=key.strip() if scheme.lower() == "bearer" else None))


def check_secret(headers: Headers, gatekeeper: Gatekeeper) -> None:
    """`ClientSecret: KEY`; the `ClientId` beside it may be anything. Raises AuthenticationFailed."""
    gatekeeper.check(Credentials(key=headers.get("clientsecret")))


def _raw_token(query: str) -> str:
    return next((value for name, _, value in (part.partition("=") for part in query.split("&")) if name == "token"), "")
