"""Where this vendor's clients put their key, and what each key allows."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers

from dragoman.server.auth import Gatekeeper, owner_of
from dragoman.server.protocols.soniox.temporary_keys import PREFIX, TRANSCRIBE, TemporaryKeys

SUBPROTOCOL = "soniox-api-key"
"""Browsers offer two subprotocols: this, and the key."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a key allows. `session_s` is the length of a session, None: the server's. `owner` is whose it is, and
    `reference`, for a temporary key, what its maker wants to know its use by.
    """

    session_s: float | None = None
    owner: str = ""
    reference: str | None = None


class Door:
    """Looks at keys, the operator's and temporary ones."""

    def __init__(self, gatekeeper: Gatekeeper, temporary: TemporaryKeys) -> None:
        self._gatekeeper = gatekeeper
        self._temporary = temporary

    async def admit(self, key: str | None, usage: str = TRANSCRIBE) -> Grant:
        """What the key allows on the socket for `usage`. Raises AuthenticationFailed and StateAway."""
        if key is not None and key.startswith(PREFIX):
            found = await self._temporary.check(key, usage)
            self._gatekeeper.welcome(found.owner)
            return Grant(found.session_s, found.owner, found.reference)
        return Grant(owner=self.owner(key))

    def owner(self, key: str | None) -> str:
        """Whose a key is that may do everything, so no temporary one. Raises AuthenticationFailed."""
        self._gatekeeper.check(key)
        return owner_of(key)


def bearer(headers: Headers) -> str | None:
    """Header `Authorization: Bearer …`."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() or None if scheme.lower() == "bearer" else None


def offered(subprotocols: Sequence[str]) -> str | None:
    """The key among the offered subprotocols."""
    if len(subprotocols) < 2 or subprotocols[0] != SUBPROTOCOL:
        return None
    return subprotocols[1]
