"""Who may connect: API keys, and short-lived tokens that work once."""

import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from pydantic import SecretStr

from dragoman.server.failures import AuthenticationFailed

MAX_TOKENS = 10_000
"""Outstanding tokens beyond this many push out the oldest."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client presented; where in the request it stood is the vendor's business."""

    key: str | None = None
    token: str | None = None


class Gatekeeper:
    """Checks credentials. Without configured keys everybody may come in (the settings then keep strangers out).

    Keys are compared in constant time against every configured key, and never logged.
    """

    def __init__(self, keys: Sequence[SecretStr], token_s: float, now: Callable[[], float] = monotonic) -> None:
        self._keys = [key.get_secret_value().encode() for key in keys]
        self._token_s = token_s
        self._now = now
        self._tokens: dict[str, float] = {}

    @property
    def anonymous(self) -> bool:
        """Whether no key is asked for."""
        return not self._keys

    def check(self, credentials: Credentials) -> None:
        """Let the client in or raise AuthenticationFailed. A token is spent by being looked at."""
        if credentials.token is not None:
            expires = self._tokens.pop(credentials.token, None)
            if expires is None or expires < self._now():
                raise AuthenticationFailed("token is unknown, expired or already used")
            return
        if self.anonymous:
            return
        if not credentials.key:
            raise AuthenticationFailed("API key is missing")
        offered = credentials.key.encode()
        matches = [hmac.compare_digest(offered, key) for key in self._keys]
        if not any(matches):
            raise AuthenticationFailed("API key is not valid")

    def issue_token(self) -> tuple[str, float]:
        """A new token and its lifetime in seconds."""
        now = self._now()
        # All live equally long, so the oldest stand in front.
        while self._tokens and (len(self._tokens) >= MAX_TOKENS or next(iter(self._tokens.values())) < now):
            del self._tokens[next(iter(self._tokens))]
        token = secrets.token_urlsafe(32)
        self._tokens[token] = now + self._token_s
        return token, self._token_s
