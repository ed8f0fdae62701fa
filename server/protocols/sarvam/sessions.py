"""The sessions of one connection that listens: one is fed, those before it say what they heard, then all is over."""

import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from enum import Enum, auto
from itertools import count
from typing import Generic, Protocol, TypeVar

from dragoman.pipeline.events import Ended, Event
from dragoman.server.commands import Command, Finish, Key, Output
from dragoman.server.failures import ShuttingDown
from dragoman.server.phases import step
from dragoman.server.protocols.sarvam.order import Line, Order
from dragoman.server.wire import CONTROL_BYTES, BaseAdapter

IDLE_S = 60.0


class Phase(Enum):
    """Where a connection is, as its adapter sees it."""

    OPEN = auto()
    ENDING = auto()
    """Nothing more is heard; what was is said, then the client is told the end."""
    OVER = auto()


_BEFORE = {Phase.ENDING: (Phase.OPEN, Phase.ENDING), Phase.OVER: tuple(Phase)}


class Session(Protocol):
    """One that has not ended."""

    @property
    def key(self) -> int:
        """Its name among the connection's."""
        ...

    @property
    def order(self) -> Order:
        """In which order its utterances are told."""
        ...


SessionT = TypeVar("SessionT", bound=Session)


class SessionsAdapter(BaseAdapter, ABC, Generic[SessionT]):
    """server.commands.Adapter but for what the messages are. `now` is a clock on the wall: seconds since 1970."""

    protocol = "sarvam"

    def __init__(self, now: Callable[[], float] = time.time, control_bytes: int = CONTROL_BYTES) -> None:
        super().__init__(control_bytes)
        self._now = now
        self._phase = Phase.OPEN
        self._why: Exception | None = None
        """Why the connection ends, if not because the client wants it."""
        self._keys = count()
        self._flushes = count()
        self._running: dict[Key, SessionT] = {}
        self._hearing: SessionT | None = None
        """The session that is fed."""
        self._line = Line()
        self._request_id = uuid.uuid4().hex

    def receive(self, parsed: object) -> Sequence[Command | Output]:
        """Take one message of the client."""
        return self._take(parsed) if self._phase is Phase.OPEN else self._finish()

    def event(self, key: Key, event: Event) -> Sequence[Output]:
        """Render what happened; events that this wire has no message for give nothing."""
        session = self._running[key]
        if not isinstance(event, Ended):
            return self._line.say(key, self._render(session, event))
        self._forget(key)
        told = [*self._line.say(key, session.order.close()), *self._line.over(key)]
        return told if self._running or self._phase is Phase.OPEN else [*told, *self._over()]

    def failed(self, key: Key | None, error: Exception) -> Sequence[Output]:
        """Say what ended a session or the connection: here they end together.

        Other sessions of the connection say what they have heard first; a new one that is refused ends no old one.
        """
        if key is not None and key not in self._running:
            return ()
        self._why = self._why or error
        if key is not None and len(self._running) > 1:
            self._forget(key)
            self._phase = step(self._phase, Phase.ENDING, _BEFORE)
            return self._line.over(key)
        idle = not self._running and isinstance(error, ShuttingDown)
        self._running.clear()
        self._hearing = None
        outputs = self._over()
        return outputs[-1:] if idle else [*self._line.close(), *outputs]

    def patience_s(self) -> float | None:
        """A minute."""
        return IDLE_S

    # What the messages are.

    @abstractmethod
    def _take(self, parsed: object) -> Sequence[Command | Output]:
        """One message of a client that is still heard."""

    @abstractmethod
    def _render(self, session: SessionT, event: Event) -> Sequence[Output]:
        """What an event says; those that this wire has no message for say nothing."""

    @abstractmethod
    def _farewell(self, error: Exception | None) -> list[Output]:
        """The end of the connection, the Close frame last, and why it ends, if not because the client wants it."""

    # What they share.

    def _begin(self, session: SessionT) -> None:
        """This one is fed from now on."""
        self._running[session.key] = self._hearing = session
        self._line.add(session.key)

    def _finish(self) -> list[Command]:
        """The session that is fed hears nothing more."""
        hearing, self._hearing = self._hearing, None
        return [Finish(hearing.key)] if hearing is not None else []

    def _end(self, why: Exception | None = None) -> list[Command | Output]:
        """Nothing follows: what was heard is said, and then the connection ends."""
        self._phase = step(self._phase, Phase.ENDING, _BEFORE)
        self._why = self._why or why
        return [*self._finish()] if self._running else [*self._over()]

    def _over(self) -> list[Output]:
        self._phase = step(self._phase, Phase.OVER, _BEFORE)
        return self._farewell(self._why)

    def _forget(self, key: Key) -> None:
        if self._running.pop(key) is self._hearing:
            self._hearing = None
