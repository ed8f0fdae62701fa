"""The sessions that clients make by REST before they dial: ids and tokens, nothing more."""

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass

MAX_SESSIONS = 10_000
"""More than this push out the oldest."""


@dataclass(frozen=True, slots=True)
class RestSession:
    """What was given to a client. `token` opens sockets until the session is deleted or too old."""

    session_id: str
    token: str
    expires_s: float


class Sessions:
    """The sessions of one server, each for `lifetime_s` seconds of the clock `now`."""

    def __init__(self, lifetime_s: float, now: Callable[[], float]) -> None:
        self._lifetime_s = lifetime_s
        self._now = now
        self._by_id: dict[str, RestSession] = {}
        self._tokens: set[str] = set()

    def create(self) -> RestSession:
        """A new session."""
        self._forget_old()
        if len(self._by_id) >= MAX_SESSIONS:
            self.delete(next(iter(self._by_id)))
        session = RestSession(str(uuid.uuid4()), secrets.token_urlsafe(32), self._now() + self._lifetime_s)
        self._by_id[session.session_id] = session
        self._tokens.add(session.token)
        return session

    def delete(self, session_id: str) -> bool:
        """Whether there was such a session. Sockets that it has opened stay open."""
        session = self._by_id.pop(session_id, None)
        if session is None:
            return False
        self._tokens.discard(session.token)
        return True

    def all(self) -> list[RestSession]:
        """Those that are not too old, oldest first."""
        self._forget_old()
        return list(self._by_id.values())

    def knows(self, token: str) -> bool:
        """Whether a token opens sockets."""
        self._forget_old()
        return token in self._tokens

    def _forget_old(self) -> None:
        # All live equally long, so the oldest stand in front.
        now = self._now()
        while self._by_id and next(iter(self._by_id.values())).expires_s < now:
            self.delete(next(iter(self._by_id)))
