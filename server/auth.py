"""Who may connect: API keys, and short-lived tokens that work once."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass

from pydantic import SecretStr

from dragoman.server.failures import AuthenticationFailed
from dragoman.server.state import State

caller: ContextVar[str] = ContextVar("caller", default="")
"""Whose request the running task serves, as `owner_of` names keys; empty where anybody may come in. Whoever lets
somebody in sets it, and the tasks that are begun for the request have it too."""

_TOKENS = "token"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client presented; where in the request it stood is the vendor's business."""

    key: str | None = None
    token: str | None = None


def owner_of(key: str | None) -> str:
    """Whose something is: an API key, as a name that does not tell it."""
    return hashlib.sha256((key or "").encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Gatekeeper:
    """Checks credentials. Without configured keys everybody may come in (the settings then keep strangers out).

    Keys are compared in constant time against every configured key, and never logged. Tokens are kept in `state`, so
    that one that another front gave out works here.
    """

    def __init__(self, keys: Sequence[SecretStr], token_s: float, state: State) -> None:
        self._keys = [key.get_secret_value().encode() for key in keys]
        self._token_s = token_s
        self._state = state

    @property
    def anonymous(self) -> bool:
        """Whether no key is asked for."""
        return not self._keys

    def check(self, key: str | None) -> str:
        """Let a client with this key in; whose it is, empty where no key is asked for. Raises AuthenticationFailed."""
        if self.anonymous:
            return self.welcome("")
        if not key:
            raise AuthenticationFailed("API key is missing")
        offered = key.encode("utf-8", "surrogatepass")
        matches = [hmac.compare_digest(offered, known) for known in self._keys]
        if not any(matches):
            raise AuthenticationFailed("API key is not valid")
        return self.welcome(owner_of(key))

    async def admit(self, credentials: Credentials) -> str:
        """As `check`, for who may bring a token instead. A token is spent by being looked at.

        Raises AuthenticationFailed, and StateAway where nobody can say whether a token is good.
        """
        if credentials.token is None:
            return self.check(credentials.key)
        owner = await self._state.take(_TOKENS, credentials.token)
        if owner is None:
            raise AuthenticationFailed("token is unknown, expired or already used")
        return self.welcome(owner.decode())

    def welcome(self, owner: str) -> str:
        """Somebody was let in by what an owner's key has made."""
        owner = "" if self.anonymous else owner
        caller.set(owner)
        return owner

    async def issue_token(self, owner: str) -> tuple[str, float]:
        """A new token of an owner, and its lifetime in seconds. Raises StateAway."""
        token = secrets.token_urlsafe(32)
        await self._state.keep(_TOKENS, token, owner.encode(), self._token_s)
        return token, self._token_s
