"""Where this vendor's clients put their key: in the URL of a socket, not always escaped, or in headers."""

from urllib.parse import unquote, unquote_plus

from starlette.datastructures import Headers

from dragoman.server.auth import Gatekeeper
from dragoman.server.failures import AuthenticationFailed
from dragoman.server.protocols.palabra.sessions import Sessions


async def check_token(query: bytes, gatekeeper: Gatekeeper, sessions: Sessions) -> None:
    """Let a socket in by `token`: a key, as it stands or decoded, or the token of a session.

    Raises AuthenticationFailed, and StateAway where it is no key and nobody can say whether it is a session's token.
    """
    raw = _raw_token(query.decode("latin-1"))
    spellings = list(dict.fromkeys([raw, unquote(raw), unquote_plus(raw)])) if raw else []
    refusal = AuthenticationFailed("API key is missing")
    for key in spellings or [""]:
        try:
            gatekeeper.check(key)
        except AuthenticationFailed as error:
            refusal = error
        else:
            return
    for token in spellings:
        if (owner := await sessions.owner(token)) is not None:
            gatekeeper.welcome(owner)
            return
    raise refusal


def check_bearer(headers: Headers, gatekeeper: Gatekeeper) -> str:
    """`Authorization: Bearer KEY`; whose it is. Raises AuthenticationFailed."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return gatekeeper.check(key.strip() if scheme.lower() == "bearer" else None)


def check_secret(headers: Headers, gatekeeper: Gatekeeper) -> str:
    """`ClientSecret: KEY`; whose it is. The `ClientId` beside it may be anything. Raises AuthenticationFailed."""
    return gatekeeper.check(headers.get("clientsecret"))


def _raw_token(query: str) -> str:
    return next((value for name, _, value in (part.partition("=") for part in query.split("&")) if name == "token"), "")
