"""One connection to `/text-to-speech/ws`. No I/O: messages in, commands and messages out.

What is spoken between two flushes is an utterance. It has a session of its own, so that its audio is a file of its own
where the codec has such, and so that a connection that waits in somebody's pool takes no place. Another configuration
in the middle ends the session and not the utterance.

Clients take `final` for the end of an utterance, so it comes once for each flush, behind all audio of what was sent
before, also where that is none.
"""

import uuid
from collections.abc import Hashable, Sequence
from itertools import count

from dragoman.models.errors import ModelError, Overloaded
from dragoman.pipeline.events import Ended, Event, Speech, Unspoken
from dragoman.pipeline.items import GivenText
from dragoman.server.commands import Close, Command, Finish, Key, Output, Say, Send
from dragoman.server.failures import BadMessage, Failure, Fault, IdleTooLong, MessageTooLarge, NotReady
from dragoman.server.protocols.sarvam.errors import STATUS, UNSUPPORTED, told
from dragoman.server.protocols.sarvam.order import Line
from dragoman.server.protocols.sarvam.rest.errors import Unprocessable, status_of
from dragoman.server.protocols.sarvam.speech import messages
from dragoman.server.protocols.sarvam.speech.buffer import TextBuffer
from dragoman.server.protocols.sarvam.speech.codecs import SpeechCodec
from dragoman.server.protocols.sarvam.speech.orders import SpeechOrder, read_order
from dragoman.server.protocols.sarvam.speech.parsing import Configure, Flush, Parsed, Text, parse
from dragoman.server.protocols.sarvam.speech.speakers import Speakers
from dragoman.server.wire import CONTROL_BYTES, BaseAdapter, close_reason

IDLE_S = 60.0
MOST_WAITING = 16
"""Utterances, one behind the other."""
MOST_HELD = 8 << 20
"""Bytes of speech of those that are not the first."""


class SpeechAdapter(BaseAdapter):
    """server.commands.Adapter for text in and speech out.

    `completes`: whether `final` is told. `model` is what the address says.
    """

    protocol = "sarvam-tts"

    def __init__(
        self,
        speakers: Speakers,
        *,
        model: str | None = None,
        completes: bool = False,
        control_bytes: int = CONTROL_BYTES,
    ) -> None:
        super().__init__(control_bytes)
        self._speakers = speakers
        self._model = model
        self._completes = completes
        self._order: SpeechOrder | None = None
        self._buffer = TextBuffer()
        self._keys = count()
        self._text_ids = count()
        self._line = Line()
        self._talking: dict[Key, SpeechOrder] = {}
        """The sessions that have not ended."""
        self._flushed: set[Key] = set()
        """Those behind which an utterance ends."""
        self._key: Key | None = None
        """The session that the client's text goes to."""
        self._before: Key | None = None
        """The one before it."""
        self._request_id = uuid.uuid4().hex

    def parse(self, message: str | bytes) -> object:
        """The message, or the Failure that it is."""
        return parse(message, self._control_bytes)

    def receive(self, parsed: object) -> Sequence[Command | Output]:
        """Take one message of the client."""
        try:
            return self._take(parsed)  # type: ignore[arg-type]
        except (BadMessage, Unprocessable, NotReady, Overloaded) as error:
            return [self._error(error)]

    def event(self, key: Key, event: Event) -> Sequence[Output]:
        """Audio, when it is its utterance's turn."""
        match event:
            case Speech() if event.audio:
                order = self._talking[key]
                sound = messages.audio(event.audio, event.stop_s - event.start_s, order.media_type, self._request_id)
                outputs = self._line.say(key, [sound])
                if self._line.held_bytes > MOST_HELD:
                    raise Overloaded("this connection")
                return outputs
            case Unspoken():
                return self._line.say(key, [messages.error(event.reason, 422, self._request_id)])
            case Ended():
                return self._ended(key)
        return ()

    def failed(self, key: Key | None, error: Exception) -> Sequence[Output]:
        """Say why. The client may go on with another text, unless the connection itself is at fault."""
        if key is not None:
            if key not in self._talking:
                return ()
            return [*self._line.say(key, [self._error(error)]), *self._ended(key)]
        if isinstance(error, MessageTooLarge) and error.without_audio:
            return [self._error(error)]
        held = self._line.close() if isinstance(error, IdleTooLong) else []
        self._talking.clear()
        found = told(error)
        message = messages.error(found.message, STATUS[found.code], self._request_id)
        return [*held, message, Close(found.close or UNSUPPORTED, close_reason(found.message))]

    def refused(self, key: Key, text_id: Hashable, error: ModelError) -> Sequence[Output]:
        """A text is not said; the utterance goes on without it."""
        del text_id
        return self._line.say(key, [self._error(error)]) if key in self._talking else ()

    def patience_s(self) -> float | None:
        """A minute."""
        return IDLE_S

    def _take(self, parsed: Parsed) -> Sequence[Command | Output]:
        match parsed:
            case Configure():
                return self._configure(parsed)
            case Text():
                return self._text(parsed)
            case Flush():
                return self._flush()
            case Failure():
                return [self._error(parsed)]
            case _:
                return ()

    def _configure(self, message: Configure) -> Sequence[Command | Output]:
        """Whatever came before is spoken as it was to be."""
        order = read_order(message.wish, self._speakers, SpeechCodec.MP3, self._model)
        commands = [*self._say(self._buffer.take()), *self._finish()]
        self._order = order
        return commands

    def _text(self, message: Text) -> Sequence[Command | Output]:
        order = self._order
        if order is None:
            error = BadMessage("text came before config: send config first", Fault.ORDER)
            return [self._error(error), Close(UNSUPPORTED, close_reason(str(error)))]
        self._check_room()
        return self._say(self._buffer.put(message.text, order.least, order.most))

    def _flush(self) -> Sequence[Command | Output]:
        if self._key is None:
            self._check_room()
        commands = self._say(self._buffer.take())
        if self._key is not None:
            self._flushed.add(self._key)
            return [*commands, *self._finish()]
        # Nothing is left to be spoken: it ends with what is being spoken, or at once.
        key = next(self._keys)
        self._line.add(key)
        return [*self._line.say(key, self._final()), *self._line.over(key)]

    def _check_room(self) -> None:
        """Raises Overloaded."""
        if self._key is None and len(self._line) >= MOST_WAITING:
            raise Overloaded("this connection")

    def _say(self, texts: list[str]) -> list[Command]:
        """Speak texts, in a session that is opened where there is none."""
        commands: list[Command] = []
        for text in texts:
            order = self._order
            assert order is not None  # noqa: S101
            if self._key is None:
                self._key = next(self._keys)
                self._line.add(self._key)
                self._talking[self._key] = order
                commands.append(order.opening(self._key, after=self._before))
            given = GivenText(next(self._text_ids), text, order.language, translate=False)
            commands.append(Say(self._key, given))
        return commands

    def _finish(self) -> list[Command]:
        """Nothing more is said in the session."""
        key, self._key = self._key, None
        if key is None:
            return []
        self._before = key
        return [Finish(key)]

    def _ended(self, key: Key) -> Sequence[Output]:
        """A session has said everything, or has broken."""
        del self._talking[key]
        if key == self._key:
            self._key = None
        final = self._final() if key in self._flushed else []
        self._flushed.discard(key)
        return [*self._line.say(key, final), *self._line.over(key)]

    def _final(self) -> list[Send]:
        return [messages.final()] if self._completes else []

    def _error(self, error: Exception) -> Send:
        return messages.error(str(error), status_of(error)[0], self._request_id)
