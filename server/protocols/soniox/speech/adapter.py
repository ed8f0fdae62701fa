"""The streams of one speech socket, each a session that is given text. No I/O: messages in, commands and messages out.

A stream gets its session with the first text that can be said, so one that is opened early holds no place. What is
wrong with a stream ends that stream; what is wrong with the connection, its key among it, ends the socket.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from dragoman.models.errors import ModelError
from dragoman.pipeline.events import Ended, Event
from dragoman.server.commands import Abort, Admit, Close, Command, Finish, Key, Output, Say, Send
from dragoman.server.failures import BadMessage, Failure, Fault, SessionTooLong
from dragoman.server.protocols.soniox.credentials import Grant
from dragoman.server.protocols.soniox.errors import LIMIT_EXCEEDED, error_of, session_expired
from dragoman.server.protocols.soniox.speech.messages import Cancel, Config, SpeechError, Text
from dragoman.server.protocols.soniox.speech.order import SpeechOrder, read_order
from dragoman.server.protocols.soniox.speech.parsing import KeepAlive, Unreadable, Wrong, parse
from dragoman.server.protocols.soniox.speech.stream import SpokenStream
from dragoman.server.protocols.soniox.speech.voices import Voices
from dragoman.server.protocols.soniox.usage import Ledger, Use
from dragoman.server.wire import CONTROL_BYTES, BaseAdapter

MAX_STREAMS = 5
NORMAL = 1000
MAX_OVER = 64
"""Ids of streams that are over of which it is remembered: what was on its way to them is no error."""


class TooManyStreams(Exception):
    """One stream more than a connection may have."""

    def __init__(self) -> None:
        super().__init__(f"a connection may have {MAX_STREAMS} streams at once")


@dataclass(slots=True)
class _Live:
    """A stream that is not over. `limit_s` is what its key allows; `key` None: it has no session yet."""

    stream: SpokenStream
    order: SpeechOrder
    use: Use
    limit_s: float | None = None
    key: int | None = None


class SpeechAdapter(BaseAdapter):
    """server.commands.Adapter for the speech socket.

    `grant` is what a key in the handshake allows, None if there was none. The key of a configuration is looked at once
    for the connection. `texts_bytes` is the operator's limit of that name.
    """

    protocol = "soniox-tts"

    def __init__(
        self,
        grant: Grant | None,
        voices: Voices,
        ledger: Ledger,
        request_id: str,
        texts_bytes: int,
        control_bytes: int = CONTROL_BYTES,
    ) -> None:
        super().__init__(control_bytes)
        self._grant = grant
        self._voices = voices
        self._ledger = ledger
        self._request_id = request_id
        self._texts_bytes = texts_bytes
        self._live: dict[str, _Live] = {}
        self._keys = count()
        self._granted: dict[str, Grant] = {}
        """What keys of configurations allow: one for a single use is used by the connection."""
        self._wanted: Config | None = None
        """The configuration whose key is being looked at."""
        self._over: OrderedDict[str, None] = OrderedDict()
        self._closed = False

    def parse(self, message: str | bytes) -> object:
        """The message as one of `parsing`."""
        return parse(message, self._control_bytes)

    def receive(self, parsed: object) -> Sequence[Command | Output]:
        """Take one message of the client."""
        match parsed:
            case _ if self._closed:
                return ()
            case Unreadable():
                return self.failed(None, parsed.error)
            case Wrong():
                return self._refuse(parsed.stream_id, parsed.error)
            case Config() | Text() | Cancel():
                return self._taken(parsed)
            case KeepAlive() | _:
                return ()

    def admitted(self, grant: object) -> Sequence[Command | Output]:
        """The key of a configuration is good."""
        assert isinstance(grant, Grant)  # noqa: S101
        wanted, self._wanted = self._wanted, None
        if self._closed or wanted is None:
            return ()
        if wanted.api_key is None:
            self._grant = grant
        else:
            self._granted[wanted.api_key] = grant
            while len(self._granted) > MAX_OVER:
                del self._granted[next(iter(self._granted))]
        return self._taken(wanted)

    def event(self, key: Key, event: Event) -> Sequence[Output]:
        """Render what happened in a stream's session."""
        live = self._of(key)
        if live is None:
            return ()
        if isinstance(event, Ended):
            self._forget(live)
            return live.stream.end()
        return live.stream.event(event)

    def failed(self, key: Key | None, error: Exception) -> Sequence[Output]:
        """Say why a stream is over; or the connection, and close it."""
        if self._closed:
            return ()
        if key is None:
            self._closed = True
            self.leave()
            return [self._error(None, error), Close(NORMAL)]
        live = self._of(key)
        if live is None:
            return ()
        self._forget(live)
        expired = isinstance(error, SessionTooLong) and error.limit_s == live.limit_s
        told = session_expired(live.limit_s or 0.0) if expired else error_of(error)
        return [self._told(live.stream.stream_id, *told), live.stream.over()]

    def leave(self) -> None:
        """The connection is over, and so are its streams."""
        for live in tuple(self._live.values()):
            self._forget(live)

    def _taken(self, message: Config | Text | Cancel) -> Sequence[Command | Output]:
        try:
            return self._take(message)
        except (Failure, ModelError, TooManyStreams) as error:
            return self._refuse(message.stream_id, error)

    def _take(self, message: Config | Text | Cancel) -> Sequence[Command | Output]:
        live = self._live.get(message.stream_id)
        if isinstance(message, Config):
            return self._begin(message, live)
        if live is None:
            if message.stream_id in self._over:
                return ()
            raise BadMessage("there is no stream with this stream_id: send its configuration first", Fault.ORDER)
        if isinstance(message, Text):
            return self._say(live, message)
        return self._end(live) if message.cancel else ()

    def _begin(self, config: Config, live: _Live | None) -> Sequence[Command | Output]:
        grant = self._grant if config.api_key is None else self._granted.get(config.api_key)
        if grant is None:
            self._wanted = config
            return [Admit(config.api_key)]
        if live is not None:
            raise BadMessage("a stream with this stream_id is open", Fault.ORDER)
        if len(self._live) >= MAX_STREAMS:
            raise TooManyStreams
        order = read_order(config, self._voices)
        stream = SpokenStream(config.stream_id, order.choice.language, timed=config.return_timestamps is True)
        reference = order.reference if grant.reference is None else grant.reference
        use = self._ledger.begin("tts", grant.owner, order.model, reference)
        self._live[config.stream_id] = _Live(stream, order, use, grant.session_s)
        self._over.pop(config.stream_id, None)
        return ()

    def _say(self, live: _Live, message: Text) -> Sequence[Command | Output]:
        stream, finished = live.stream, live.stream.complete
        commands: list[Command | Output] = []
        waiting = stream.waiting_bytes
        for given in stream.take(message.text or "", final=message.text_end is True):
            if waiting and waiting + given.size_bytes > self._texts_bytes:
                raise BadMessage(f"more than {self._texts_bytes} bytes of text wait to be said", Fault.SETUP)
            if live.key is None:
                live.key = next(self._keys)
                commands.append(live.order.opening(live.key, live.limit_s))
            commands.append(Say(live.key, given))
        if finished or not stream.complete:
            return commands
        if live.key is not None:
            return [*commands, Finish(live.key)]
        self._forget(live)
        return stream.end()

    def _end(self, live: _Live) -> Sequence[Command | Output]:
        """Say nothing more of a stream."""
        self._forget(live)
        return [*([Abort(live.key)] if live.key is not None else []), live.stream.over()]

    def _refuse(self, stream_id: str, error: Exception) -> Sequence[Command | Output]:
        """A message of a stream is wrong, which ends it."""
        live = self._live.get(stream_id)
        stream = live.stream if live is not None else SpokenStream(stream_id, "", timed=False)
        aborted = [Abort(live.key)] if live is not None and live.key is not None else []
        if live is not None:
            self._forget(live)
        return [*aborted, self._error(stream_id, error), stream.over()]

    def _of(self, key: Key | None) -> _Live | None:
        return next((live for live in self._live.values() if live.key == key), None) if key is not None else None

    def _forget(self, live: _Live) -> None:
        stream, use = live.stream, live.use
        self._live.pop(stream.stream_id, None)
        self._over[stream.stream_id] = None
        while len(self._over) > MAX_OVER:
            self._over.popitem(last=False)
        use.input_text_tokens, use.output_audio_ms = stream.text_tokens, round(stream.audio_s * 1_000)
        self._ledger.end(use)

    def _error(self, stream_id: str | None, error: Exception) -> Output:
        too_many = isinstance(error, TooManyStreams)
        return self._told(stream_id, *((LIMIT_EXCEEDED, "limit_exceeded", str(error)) if too_many else error_of(error)))

    def _told(self, stream_id: str | None, code: int, kind: str, text: str) -> Output:
        told = SpeechError(
            stream_id=stream_id, error_code=code, error_type=kind, error_message=text, request_id=self._request_id
        )
        return Send(told.to_json(), error=code)
