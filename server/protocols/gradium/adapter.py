"""Requests on one Gradium socket: single use, sequential reuse, and many at once by `client_req_id`.

No I/O: messages in, commands and messages out. Every request has a number here; its `client_req_id`, if it has one, may
be used again as soon as the request is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from dragoman.pipeline.events import Ended, Event, Flushed, Speech, Translation
from dragoman.server.commands import Abort, Close, Command, Feed, Finish, FlushInput, Key, Open, Output, Send
from dragoman.server.failures import BadMessage, Fault, ShuttingDown, quoted
from dragoman.server.protocols.gradium import messages
from dragoman.server.protocols.gradium.errors import GOING_AWAY, error_of
from dragoman.server.protocols.gradium.parsing import AudioIn, SetupIn, Unreadable, parse
from dragoman.server.protocols.gradium.setup import Request
from dragoman.server.wire import CONTROL_BYTES, BaseAdapter, close_reason, encode_base64

FRAME_S = 0.08
"""The length of the frame whose size `ready` tells."""


@dataclass(slots=True)
class _Active:
    """A request that is neither ended nor failed. `unsaid` holds clauses whose first audio has not come yet."""

    number: int
    request: Request
    complete: bool = False
    unsaid: dict[int, Translation] = field(default_factory=dict)

    @property
    def client_req_id(self) -> str | None:
        return self.request.client_req_id


class GradiumAdapter(BaseAdapter):
    """server.commands.Adapter for Gradium speech-to-speech."""

    protocol = "gradium"

    def __init__(self, control_bytes: int = CONTROL_BYTES) -> None:
        super().__init__(control_bytes)
        self._numbers = count()
        self._active: dict[int, _Active] = {}
        self._used = False
        self._close: Close | None = None
        """How the socket closes once nothing is active; None while it stays open."""

    def parse(self, message: str | bytes) -> object:
        """The message as one of `parsing.Parsed`."""
        return parse(message, self._control_bytes)

    def receive(self, parsed: object) -> Sequence[Command | Output]:
        """Take one message of the client."""
        try:
            match parsed:
                case SetupIn():
                    return self._setup(parsed)
                case AudioIn():
                    return self._audio(parsed)
                case messages.EndOfStreamIn():
                    return self._end_of_stream(parsed)
                case messages.FlushIn():
                    return self._flush(parsed)
                case Unreadable():
                    return self._unreadable(parsed)
                case _:
                    return ()
        except BadMessage as error:
            return self._reject(error, getattr(parsed, "client_req_id", None))

    def opened(self, key: Key, session_id: str) -> Sequence[Output]:
        """The request runs: say ready."""
        active = self._of(key)
        request = active.request
        ready = messages.Ready(
            request_id=session_id,
            model_name=request.model_name,
            sample_rate=request.rate_hz,
            frame_size=round(request.rate_hz * FRAME_S),
            client_req_id=request.client_req_id,
        )
        return [Send(ready.to_json())]

    def event(self, key: Key, event: Event) -> Sequence[Output]:
        """Render what happened; events that this wire has no message for give nothing."""
        active = self._of(key)
        match event:
            case Translation():
                active.unsaid[event.clause_id] = event
                return ()
            case Speech():
                return self._speech(active, event)
            case Flushed():
                flush_id: Any = event.flush_id
                return [Send(messages.Flushed(flush_id=flush_id, client_req_id=active.client_req_id).to_json())]
            case Ended():
                return self._ended(active)
            case _:
                return ()

    def failed(self, key: Key | None, error: Exception) -> Sequence[Output]:
        """Say what ended a request or the connection; close once nothing else is active."""
        if key is not None:
            # A request that has just ended has nothing more to say, whatever its session still ran into.
            active = self._active.pop(key, None) if isinstance(key, int) else None
            return self._reject(error, active.client_req_id) if active is not None else ()
        code, message = error_of(error)
        idle, self._close = not self._active, Close(code, close_reason(message))
        self._active.clear()
        if isinstance(error, ShuttingDown):
            self._close = Close(GOING_AWAY, close_reason(message))
            if idle:
                return [self._close]
        return [_error(code, message, None), self._close]

    def _setup(self, message: SetupIn) -> Sequence[Command | Output]:
        self._used = True
        request = message.request
        if isinstance(request, BadMessage):
            raise request
        name = request.client_req_id
        if any(active.client_req_id == name for active in self._active.values()):
            raise BadMessage(f"Session already active{'' if name is None else f' ({quoted(name)})'}", Fault.ORDER)
        number = next(self._numbers)
        self._active[number] = _Active(number, request)
        return [
            Open(
                number,
                request.input_format,
                request.output_format,
                request.source,
                request.target,
                request.voice_id,
                latency=request.latency,
            )
        ]

    def _audio(self, message: AudioIn) -> Sequence[Command]:
        active = self._find(message.client_req_id)
        return [Feed(active.number, message.data)] if message.data and not active.complete else []

    def _flush(self, message: messages.FlushIn) -> Sequence[Command]:
        active = self._find(message.client_req_id)
        return [] if active.complete else [FlushInput(active.number, message.flush_id)]

    def _end_of_stream(self, message: messages.EndOfStreamIn) -> Sequence[Command | Output]:
        if message.client_req_id is None and self._used:
            unscoped = any(active.client_req_id is None for active in self._active.values())
            if not self._active:
                self._close = Close(1000)
                return [Send(messages.EndOfStream().to_json()), self._close]
            if len(self._active) > 1 and not unscoped:
                self._close = Close(1000)
                return [command for active in self._active.values() for command in _finish(active)]
        return _finish(self._find(message.client_req_id))

    def _find(self, client_req_id: str | None) -> _Active:
        """Whom a message is for: the request of its id; without an id the unscoped one, or the only one."""
        for active in self._active.values():
            if active.client_req_id == client_req_id:
                return active
        if client_req_id is None and len(self._active) == 1:
            return next(iter(self._active.values()))
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
        code, message = error_of(error)
        self._close = Close(code, close_reason(message))
        return [_error(code, message, client_req_id), *self._close_if_idle()]

    def _ended(self, active: _Active) -> Sequence[Output]:
        del self._active[active.number]
        if active.request.close_ws_on_eos and self._close is None:
            self._close = Close(1000)
        end = messages.EndOfStream(client_req_id=active.client_req_id)
        return [Send(end.to_json()), *self._close_if_idle()]

    def _close_if_idle(self) -> Sequence[Output]:
        return [self._close] if self._close is not None and not self._active else []

    def _speech(self, active: _Active, speech: Speech) -> Sequence[Output]:
        outputs: list[Output] = []
        # The text of a clause goes out with its first sound, because only then is its place on the timeline known.
        if speech.clause_id is not None and (clause := active.unsaid.pop(speech.clause_id, None)) is not None:
            text = messages.Text(
                text=clause.text,
                start_s=round(speech.start_s, 6),
                stop_s=round(speech.clause_stop_s, 6),
                stream_id=0,
                client_req_id=active.client_req_id,
                source_start_s=round(clause.start_s, 3) if active.request.source_times else None,
                source_stop_s=round(clause.stop_s, 3) if active.request.source_times else None,
            )
            outputs.append(Send(text.to_json()))
        if speech.audio:
            audio = messages.Audio(
                audio=encode_base64(speech.audio),
                start_s=round(speech.start_s, 6),
                stop_s=round(speech.stop_s, 6),
                stream_id=0,
                client_req_id=active.client_req_id,
            )
            outputs.append(Send(audio.to_json(), speech.stop_s - speech.start_s))
        return outputs

    def _of(self, key: Key) -> _Active:
        assert isinstance(key, int)  # noqa: S101
        return self._active[key]


def _finish(active: _Active) -> list[Command]:
    if active.complete:
        return []
    active.complete = True
    return [Finish(active.number)]


def _error(code: int, message: str, client_req_id: str | None) -> Send:
    return Send(messages.Error(message=message, code=code, client_req_id=client_req_id).to_json(), error=code)
