"""One stream on one Soniox socket: a start message, audio, the end. No I/O: messages in, commands and messages out."""

import logging
from collections.abc import Sequence
from enum import Enum, auto
from itertools import count

from dragoman.config.settings import ListenSettings
from dragoman.pipeline.events import Ended, Event
from dragoman.server.commands import Abort, Admit, Close, Command, Feed, Finish, FlushInput, Key, Open, Output, Send
from dragoman.server.failures import BadMessage, Failure, Fault, IdleTooLong, SessionTooLong
from dragoman.server.phases import step
from dragoman.server.protocols.soniox.credentials import Grant
from dragoman.server.protocols.soniox.errors import error_of, session_expired
from dragoman.server.protocols.soniox.messages import Error
from dragoman.server.protocols.soniox.parsing import AGENT, AudioIn, EndOfAudio, ObjectIn, Unreadable, parse
from dragoman.server.protocols.soniox.start import Request
from dragoman.server.protocols.soniox.stream import Stream
from dragoman.server.protocols.soniox.usage import Ledger, Use
from dragoman.server.wire import CONTROL_BYTES, BaseAdapter

log = logging.getLogger("dragoman.server.soniox")

START_S = 20.0
"""A client that has said nothing for so long after it connected has no start message."""
SILENCE_S = 20.0
"""Without audio or a keepalive for so long, a stream is over."""
STREAM_S = 300 * 60.0
"""The longest stream."""
NORMAL = 1000

_KEY = "stream"


class _Phase(Enum):
    STARTING = auto()
    """The start message has not come yet."""
    HEARING = auto()
    """Audio comes."""
    FINISHING = auto()
    """The client has said that no more audio comes; what it still says is ignored."""
    OVER = auto()
    """Nothing follows but the Close frame."""


_BEFORE = {
    _Phase.HEARING: (_Phase.STARTING,),
    _Phase.FINISHING: (_Phase.HEARING,),
    _Phase.OVER: (_Phase.STARTING, _Phase.HEARING, _Phase.FINISHING),
}


class SonioxAdapter(BaseAdapter):
    """server.commands.Adapter for Soniox real-time.

    `grant` is what a key in the handshake allows, None if there was none: then the key of the start message is looked
    at. `listen` is the operator's way of listening, which endpoint settings change.
    `ledger` is where the stream's use is written down.
    """

    protocol = "soniox"

    def __init__(
        self,
        grant: Grant | None,
        listen: ListenSettings,
        request_id: str,
        control_bytes: int = CONTROL_BYTES,
        ledger: Ledger | None = None,
    ) -> None:
        super().__init__(control_bytes)
        self._ledger = ledger or Ledger()
        self._use: Use | None = None
        self._grant = grant
        self._wanted: Request | BadMessage | None = None
        """The start message whose key is being looked at."""
        self._listen = listen
        self._request_id = request_id
        self._phase = _Phase.STARTING
        self._stream: Stream | None = None
        self._heard = False
        self._agent = False
        """Whether it was logged that the client sends an agent's text."""
        self._flushes = count()

    def parse(self, message: str | bytes) -> object:
        """The message as one of `parsing`."""
        return parse(message, self._control_bytes)

    def receive(self, parsed: object) -> Sequence[Command | Output]:
        """Take one message of the client."""
        if self._phase in (_Phase.FINISHING, _Phase.OVER):
            return ()
        try:
            if isinstance(parsed, Unreadable):
                raise parsed.error
            return self._start(parsed) if self._phase is _Phase.STARTING else self._go_on(parsed)
        except Failure as error:
            running = self._stream is not None
            return [*([Abort(_KEY)] if running else []), *self._tell(*error_of(error))]

    def event(self, key: Key, event: Event) -> Sequence[Output]:
        """Render what happened."""
        del key
        if self._phase is _Phase.OVER or self._stream is None:
            return ()
        outputs: list[Output] = [Send(result.to_json()) for result in self._stream.event(event)]
        if isinstance(event, Ended):
            self._advance(_Phase.OVER)
            self.leave()
            outputs.append(Close(NORMAL))
        return outputs

    def failed(self, key: Key | None, error: Exception) -> Sequence[Output]:
        """Say why the stream is over, and close."""
        del key
        if self._phase is _Phase.OVER:
            return ()
        code, kind, text = error_of(error)
        if isinstance(error, SessionTooLong) and error.limit_s == (self._grant or Grant()).session_s:
            code, kind, text = session_expired(error.limit_s)
        elif isinstance(error, IdleTooLong):
            missing = "start message" if self._phase is _Phase.STARTING else "audio and no keepalive"
            text = f"no {missing} for {error.limit_s:g} s"
        return self._tell(code, kind, text)

    def leave(self) -> None:
        """The stream is over, or the client is gone: write down what was used."""
        if self._use is not None and self._stream is not None:
            self._use.input_audio_ms, self._use.output_text_tokens = self._stream.audio_ms, self._stream.tokens
            self._ledger.end(self._use)

    def patience_s(self) -> float | None:
        """How long the client may be silent now."""
        return {_Phase.STARTING: START_S, _Phase.HEARING: SILENCE_S}.get(self._phase)

    def admitted(self, grant: object) -> Sequence[Command | Output]:
        """The key of the start message is good."""
        assert isinstance(grant, Grant)  # noqa: S101
        wanted, self._wanted = self._wanted, None
        if self._phase is not _Phase.STARTING or wanted is None:
            return ()
        try:
            return self._begin(wanted, grant)
        except Failure as error:
            return self._tell(*error_of(error))

    def _start(self, parsed: object) -> Sequence[Command]:
        """The first message; a keepalive may stand before it."""
        if isinstance(parsed, AudioIn) and not parsed.text:
            raise BadMessage("the first message must be a start message in a text frame, not audio", Fault.ORDER)
        if not isinstance(parsed, ObjectIn):
            raise BadMessage("the first message must be a start message: a JSON object", Fault.ORDER)
        if not isinstance(parsed.control, BadMessage) and parsed.control.type == "keepalive":
            return ()
        key = parsed.api_key
        if key is not None and not isinstance(key, str):
            raise BadMessage("invalid start message: Expected str in api_key", Fault.SETUP)
        if self._grant is None:
            self._wanted = parsed.start
            return [Admit(key)]
        if key is not None:
            raise BadMessage("the API key came with the connection and as api_key: send it once", Fault.SETUP)
        return self._begin(parsed.start, self._grant)

    def _begin(self, wanted: Request | BadMessage, grant: Grant) -> Sequence[Command]:
        self._grant = grant
        if isinstance(wanted, BadMessage):
            raise wanted
        self._stream = Stream(wanted)
        self._advance(_Phase.HEARING)
        reference = wanted.reference if grant.reference is None else grant.reference
        self._use = self._ledger.begin("stt", grant.owner, wanted.model, reference)
        return [self._open(wanted, grant)]

    def _open(self, request: Request, grant: Grant) -> Open:
        return Open(
            _KEY,
            request.input_format,
            None,
            targets=request.targets,
            candidates=request.candidates,
            keywords=request.keywords,
            locks_language=False,
            partials=request.shows_non_finals,
            speakers=request.diarizes,
            listen=request.endpoints.listening(self._listen) if request.endpoints is not None else None,
            limit_s=min(STREAM_S, grant.session_s or STREAM_S),
        )

    def _go_on(self, parsed: object) -> Sequence[Command]:
        if isinstance(parsed, AudioIn):
            self._heard = True
            return [Feed(_KEY, parsed.data)]
        if isinstance(parsed, EndOfAudio):
            if not self._heard:
                raise BadMessage("no audio was received before the end", Fault.ORDER)
            self._advance(_Phase.FINISHING)
            return [Finish(_KEY)]
        return self._control(parsed) if isinstance(parsed, ObjectIn) else ()

    def _control(self, message: ObjectIn) -> Sequence[Command]:
        if isinstance(message.control, BadMessage):
            raise message.control
        if message.control.type == AGENT and not self._agent:
            self._agent = True
            log.info("a client says what its own program says, which changes nothing here")
        if message.control.type in ("keepalive", AGENT):
            return ()
        return [FlushInput(_KEY, next(self._flushes))]

    def _tell(self, code: int, kind: str, text: str) -> Sequence[Output]:
        self._advance(_Phase.OVER)
        self.leave()
        error = Error(error_code=code, error_type=kind, error_message=text, request_id=self._request_id)
        return [Send(error.to_json(), error=code), Close(NORMAL)]

    def _advance(self, phase: _Phase) -> None:
        self._phase = step(self._phase, phase, _BEFORE)
