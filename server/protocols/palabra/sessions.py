"""The sessions that clients make by REST before they dial: ids and tokens, nothing more.

A token is never kept. It is made of its session's id and the operator's keys, so that every front can tell it again,
and nobody who reads what they share can.
"""

import base64
import hashlib
import hmac
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from dragoman.server.state import State

_SESSIONS, _TOKENS = "palabra-session", "palabra-token"


@dataclass(frozen=True, slots=True)
class RestSession:
    """What was given to a client. `token` opens sockets until the session is deleted or too old."""

    session_id: str
    token: str


class Sessions:
    """The sessions of all fronts that share `state`, each for `lifetime_s` seconds. Every method raises StateAway."""

    def __init__(self, lifetime_s: float, state: State, keys: Sequence[SecretStr] = ()) -> None:
        self._lifetime_s = lifetime_s
        self._state = state
        told = "\n".join(sorted(key.get_secret_value() for key in keys))
        self._seal = hashlib.sha256(told.encode("utf-8", "surrogatepass")).digest()

    async def create(self, owner: str = "") -> RestSession:
        """A new session, of the key with this name."""
        session = self._session(str(uuid.uuid4()))
        # The token last: what is listed but opens nothing yet does no harm.
        await self._state.keep(_SESSIONS, session.session_id, session.session_id.encode(), self._lifetime_s)
        await self._state.keep(_TOKENS, session.token, owner.encode(), self._lifetime_s)
        return session

    async def delete(self, session_id: str) -> bool:
        """Whether there was such a session. Sockets that it has opened stay open."""
        await self._state.take(_TOKENS, self._session(session_id).token)
        return await self._state.take(_SESSIONS, session_id) is not None

    async def all(self) -> list[RestSession]:
        """Those that are not too old, oldest first."""
        return [self._session(session_id.decode()) for session_id in await self._state.entries(_SESSIONS)]

    async def owner(self, token: str) -> str | None:
        """Whose session a token opens sockets for; None where it opens none."""
        found = await self._state.look(_TOKENS, token)
        return None if found is None else found.decode()

    def _session(self, session_id: str) -> RestSession:
        told = hmac.new(self._seal, session_id.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
        return RestSession(session_id, base64.urlsafe_b64encode(told).decode().rstrip("="))
