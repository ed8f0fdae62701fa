"""Requests on one Gradium socket: single use, sequential reuse, and many at once by `client_req_id`.

What the vendor's sockets share; what a request does is said by the adapter of each (`adapter.py`, `asr.py`, `tts.py`).
No I/O: messages in, commands and messages out. Every request has a number here; its `client_req_id`, if it has one, may
be used again as soon as the request is over.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar, Generic, TypeVar

from dragoman.server.commands import Abort, Close, Command, Finish, FlushInput, Key, Open, Output, Send
from dragoman.server.failures import BadMessage, Fault, NotReady, ShuttingDown, quoted
from dragoman.server.protocols.gradium import messages
from dragoman.server.protocols.gradium.errors import GOING_AWAY, error_of
from dragoman.server.protocols.gradium.parsing import AudioIn, SetupIn, Unreadable
from dragoman.server.protocols.gradium.setup import Asked
from dragoman.server.wire import CONTROL_BYTES, BaseAdapter, close_reason

FRAME_S = 0.08
"""The length of the frame whose size `ready` tells."""


@dataclass(slots=True)
class Active:
    """A request that is neither ended nor failed."""

    number: int
    asked: Asked
    complete: bool = False

    @property
    def client_req_id(self) -> str | None:
        """What its client calls it."""
        return self.asked.client_req_id


ActiveT = TypeVar("ActiveT", bound=Active)


class RequestsAdapter(BaseAdapter, ABC, Generic[ActiveT]):
    """server.commands.Adapter but for what a request does: `parse` and the methods at the end of this class."""

    protocol = "gradium"
    latest_is_meant: ClassVar[bool] = False
    """Whether a message without an id is for the latest of several requests; else it is an error."""

    def __init__(self, control_bytes: int = CONTROL_BYTES) -> None:
        super().__init__(control_bytes)
        self._numbers = count()
        self._active: dict[int, ActiveT] = {}
        self._used = False
        self._close: Close | None = None
        """How the socket closes once nothing is active; None while it stays open."""

    def receive(self, parsed: object) -> Sequence[Command | Output]:
        """Take one message of the client."""
        try:
            match parsed:
                case SetupIn():
                    return self._setup(parsed)
                case AudioIn() | messages.TextIn():
                    active = self._find(parsed.client_req_id)
                    return [] if active.complete else self._input(active, parsed)
                case messages.EndOfStreamIn():
                    return self._end_of_stream(parsed)
                case messages.FlushIn():
                    active = self._find(parsed.client_req_id)
                    return [] if active.complete else self._flush(active, parsed)
                case Unreadable():
                    return self._unreadable(parsed)
                case _:
                    return ()
        except (BadMessage, NotReady) as error:
            return self._reject(error, getattr(parsed, "client_req_id", None))

    def opened(self, key: Key, session_id: str) -> Sequence[Output]:
        """The request runs: say ready."""
        return [Send(self._ready(self._of(key), session_id).to_json())]

    def failed(self, key: Key | None, error: Exception) -> Sequence[Output]:
        """Say what ended a request or the connection; close once nothing else is active."""
        if key is not None:
            # A request that has just ended has nothing more to say, whatever its session still ran into.
            active = self._active.pop(key, None) if isinstance(key, int) else None
            return self._reject(error, active.client_req_id) if active is not None else ()
        code, message = self._error_of(error)
        idle, self._close = not self._active, Close(code, close_reason(message))
        self._active.clear()
        if isinstance(error, ShuttingDown):
            self._close = Close(GOING_AWAY, close_reason(message))
            if idle:
                return [self._close]
        return [_error(code, message, None), self._close]

    # What a request does.

    @abstractmethod
    def _begin(self, number: int, asked: Any) -> tuple[ActiveT, Open]:
        """A request, and the session that serves it. Raises BadMessage or NotReady."""

    @abstractmethod
    def _ready(self, active: ActiveT, session_id: str) -> messages.Ready:
        """What the client is told once the request runs."""

    @abstractmethod
    def _input(self, active: ActiveT, message: AudioIn | messages.TextIn) -> Sequence[Command]:
        """Audio or text of a request."""

    def _flush(self, active: ActiveT, message: messages.FlushIn) -> Sequence[Command]:
        return [FlushInput(active.number, message.flush_id)]

    def _finish(self, active: ActiveT) -> list[Command]:
        """The request's input is complete."""
        if active.complete:
            return []
        active.complete = True
        return [Finish(active.number)]

    def _error_of(self, error: Exception) -> tuple[int, str]:
        return error_of(error)

    # What all of them share.

    def _setup(self, message: SetupIn[Any]) -> Sequence[Command | Output]:
        self._used = True
        asked = message.request
        if isinstance(asked, BadMessage):
            raise asked
        name = asked.client_req_id
        if any(active.client_req_id == name for active in self._active.values()):
            raise BadMessage(f"Session already active{'' if name is None else f' ({quoted(name)})'}", Fault.ORDER)
        number = next(self._numbers)
        active, opening = self._begin(number, asked)
        self._active[number] = active
        return [opening]

    def _end_of_stream(self, message: messages.EndOfStreamIn) -> Sequence[Command | Output]:
        if message.client_req_id is None and self._used:
            unscoped = any(active.client_req_id is None for active in self._active.values())
            if not self._active:
                self._close = Close(1000)
                return [Send(messages.EndOfStream().to_json()), self._close]
            if len(self._active) > 1 and not unscoped:
                self._close = Close(1000)
                return [command for active in self._active.values() for command in self._finish(active)]
        return self._finish(self._find(message.client_req_id))

    def _find(self, client_req_id: str | None) -> ActiveT:
        """Whom a message is for: the request of its id; without an id the unscoped one, or the only one."""
        for active in self._active.values():
            if active.client_req_id == client_req_id:
                return active
        if client_req_id is None and (len(self._active) == 1 or (self._active and self.latest_is_meant)):
            return self._active[max(self._active)]
        if client_req_id is None and self._active:
            raise BadMessage("several requests are active: client_req_id is missing", Fault.ORDER)
        raise BadMessage("Session not found. Send setup first.", Fault.ORDER)

    def _unreadable(self, message: Unreadable) -> Sequence[Command | Output]:
        """What is no message at all ends the connection; a message with a fault ends the request it was meant for."""
        if message.fatal:
            return self.failed(None, message.error)
        if message.nobodys:
            return self._reject(message.error, None)
        try:
            active = self._find(message.client_req_id)
        except BadMessage:
            return self._reject(message.error, message.client_req_id)
        del self._active[active.number]
        return [Abort(active.number), *self._reject(message.error, active.client_req_id)]

    def _reject(self, error: Exception, client_req_id: str | None) -> Sequence[Output]:
        code, message = self._error_of(error)
        self._close = Close(code, close_reason(message))
        return [_error(code, message, client_req_id), *self._close_if_idle()]

    def _flushed(self, active: ActiveT, flush_id: Any) -> list[Output]:
        return [Send(messages.Flushed(flush_id=flush_id, client_req_id=active.client_req_id).to_json())]

    def _ended(self, active: ActiveT) -> list[Output]:
        del self._active[active.number]
        if active.asked.close_ws_on_eos and self._close is None:
            self._close = Close(1000)
        end = messages.EndOfStream(client_req_id=active.client_req_id)
        return [Send(end.to_json()), *self._close_if_idle()]

    def _close_if_idle(self) -> Sequence[Output]:
        return [self._close] if self._close is not None and not self._active else []

    def _of(self, key: Key) -> ActiveT:
        assert isinstance(key, int)  # noqa: S101
        return self._active[key]


def _error(code: int, message: str, client_req_id: str | None) -> Send:
    return Send(messages.Error(message=message, code=code, client_req_id=client_req_id).to_json(), error=code)
