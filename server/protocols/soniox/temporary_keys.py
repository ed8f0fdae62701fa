"""Keys for browsers, made by somebody who has a real one: good for a while, for one session or many."""

import secrets

import msgspec

from dragoman.server.failures import AuthenticationFailed
from dragoman.server.state import State

PREFIX = "snx_temp_"
"""Every character of a key may stand in a WebSocket subprotocol, the only place where a browser can put it."""
TRANSCRIBE = "transcribe_websocket"
SPEAK = "tts_rt"

_KEYS = "soniox-key"


class TemporaryKey(msgspec.Struct, frozen=True):
    """What a key is good for. `session_s` None: as long as anybody's. `owner` is whose key made it, `reference` what
    that one wants to know its use by.
    """

    usage: str
    single_use: bool = False
    session_s: float | None = None
    owner: str = ""
    reference: str = ""


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(TemporaryKey)


class TemporaryKeys:
    """The keys that were made and have not expired, of all fronts that share `state`."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def issue(
        self,
        usage: str,
        lifetime_s: float,
        *,
        single_use: bool = False,
        session_s: float | None = None,
        owner: str = "",
        reference: str = "",
    ) -> str:
        """A new key. Raises StateAway."""
        key = PREFIX + secrets.token_urlsafe(32)
        told = TemporaryKey(usage, single_use, session_s, owner, reference)
        await self._state.keep(_KEYS, key, _encode(told), lifetime_s)
        return key

    async def check(self, key: str, usage: str) -> TemporaryKey:
        """What the key allows; one for a single use is then spent. Raises AuthenticationFailed and StateAway."""
        entry = await self._state.look(_KEYS, key)
        if entry is None:
            raise _unknown()
        found = _decoder.decode(entry)
        if found.usage != usage:
            raise AuthenticationFailed(f"temporary API key is for {found.usage}, not for {usage}")
        # Of all who have seen it, one takes it.
        if found.single_use and await self._state.take(_KEYS, key) is None:
            raise _unknown()
        return found


def _unknown() -> AuthenticationFailed:
    return AuthenticationFailed("temporary API key is unknown, expired or already used")
