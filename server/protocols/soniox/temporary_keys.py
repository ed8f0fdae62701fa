"""Keys for browsers, made by somebody who has a real one: good for a while, for one session or many."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from dragoman.server.failures import AuthenticationFailed

PREFIX = "snx_temp_"
"""Every character of a key may stand in a WebSocket subprotocol, the only place where a browser can put it."""
TRANSCRIBE = "transcribe_websocket"
SPEAK = "tts_rt"
MAX_KEYS = 10_000
"""Outstanding keys beyond this many push out those that expire first."""


@dataclass(frozen=True, slots=True)
class TemporaryKey:
    """What a key is good for. `expires` is on the clock of its keeper; `session_s` None: as long as anybody's. `owner`
    is whose key made it, `reference` what that one wants to know its use by.
    """

    usage: str
    expires: float
    single_use: bool = False
    session_s: float | None = None
    owner: str = ""
    reference: str = ""


class TemporaryKeys:
    """The keys that were made and have not expired. Only the event loop touches them."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._keys: dict[str, TemporaryKey] = {}

    def issue(
        self,
        usage: str,
        lifetime_s: float,
        *,
        single_use: bool = False,
        session_s: float | None = None,
        owner: str = "",
        reference: str = "",
    ) -> str:
        """A new key."""
        now = self._now()
        if len(self._keys) >= MAX_KEYS:
            self._keys = {key: kept for key, kept in self._keys.items() if kept.expires > now}
        if len(self._keys) >= MAX_KEYS:
            del self._keys[min(self._keys, key=lambda key: self._keys[key].expires)]
        key = PREFIX + secrets.token_urlsafe(32)
        self._keys[key] = TemporaryKey(usage, now + lifetime_s, single_use, session_s, owner, reference)
        return key

    def check(self, key: str, usage: str) -> TemporaryKey:
        """What the key allows; one for a single use is then spent. Raises AuthenticationFailed."""
        found = self._keys.get(key)
        if found is None or found.expires <= self._now():
            self._keys.pop(key, None)
            raise AuthenticationFailed("temporary API key is unknown, expired or already used")
        if found.usage != usage:
            raise AuthenticationFailed(f"temporary API key is for {found.usage}, not for {usage}")
        if found.single_use:
            del self._keys[key]
        return found
