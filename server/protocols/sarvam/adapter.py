"""One connection to one of the vendor's sockets. No I/O: messages in, commands and messages out.

A session is opened by the first audio, because a WAV header says how it is written. It lasts as long as the connection,
unless a later header says something else: then the session is finished and another one goes on.

The vendor's pages have no message for the end. The plug-ins of LiveKit and Vision Agents send `end_of_stream`, and wait
for what is left and for Close 1000.
"""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

from dragoman.models.plan import TargetWish
from dragoman.pipeline.audio.errors import AudioError
from dragoman.pipeline.audio.formats import AudioFormat
from dragoman.pipeline.events import (
    Ended,
    Event,
    Recognised,
    SpeechEnded,
    SpeechStarted,
    Transcript,
    Translated,
    Translation,
)
from dragoman.server.commands import Close, Command, Expect, Feed, Finish, FlushInput, Key, Open, Output, Send
from dragoman.server.failures import BadMessage, Failure, Fault, ShuttingDown
from dragoman.server.protocols.sarvam import messages
from dragoman.server.protocols.sarvam.errors import told
from dragoman.server.protocols.sarvam.languages import code_of
from dragoman.server.protocols.sarvam.order import Line, Order
from dragoman.server.protocols.sarvam.parsing import AudioIn, ConfigIn, EndIn, FlushIn, parse
from dragoman.server.protocols.sarvam.payload import Payload
from dragoman.server.protocols.sarvam.query import Codec, Mode, Options
from dragoman.server.protocols.sarvam.utterances import Utterance, Utterances
from dragoman.server.wire import CONTROL_BYTES, BaseAdapter, close_reason

IDLE_S = 60.0
NORMAL = 1000
ENGLISH = (TargetWish("en", speaks=False),)


@dataclass(frozen=True, slots=True)
class _Running:
    """A session that has not ended. `opened_at` is the time of its first audio on the clock on the wall."""

    key: int
    audio_format: AudioFormat
    utterances: Utterances
    opened_at: float
    order: Order


class SarvamAdapter(BaseAdapter):
    """server.commands.Adapter for speech to text, in the speaker's language or in English.

    `now` is a clock on the wall: seconds since 1970.
    """

    protocol = "sarvam"

    def __init__(
        self, options: Options, now: Callable[[], float] = time.time, control_bytes: int = CONTROL_BYTES
    ) -> None:
        super().__init__(control_bytes)
        self._options = options
        self._now = now
        self._payload = Payload(options.codec, options.sample_rate_hz)
        self._keywords = options.keywords
        self._keys = count()
        self._flushes = count()
        self._running: dict[Key, _Running] = {}
        self._hearing: _Running | None = None
        """The session that the client talks to."""
        self._line = Line()
        self._ending = False
        """Whether the client has said that nothing follows."""
        self._parting: Exception | None = None
        """Why the connection ends, once what was heard has been said."""
        self._request_id = uuid.uuid4().hex

    def parse(self, message: str | bytes) -> object:
        """The message, or the Failure that it is."""
        return parse(message, self._control_bytes)

    def receive(self, parsed: object) -> Sequence[Command | Output]:
        """Take one message of the client."""
        if self._parting is not None or self._ending:
            return self._finish()
        match parsed:
            case AudioIn():
                return self._audio(parsed)
            case ConfigIn():
                return self._config(parsed)
            case FlushIn():
                return self._flush()
            case EndIn():
                return self._end(parsed)
            case Failure():
                return self._tell(parsed)
            case _:
                return ()

    def opened(self, key: Key, session_id: str) -> Sequence[Output]:
        """The session runs; this wire has no greeting. The first session's id is the connection's."""
        if key == 0:
            self._request_id = session_id
        return ()

    def event(self, key: Key, event: Event) -> Sequence[Output]:
        """Render what happened; events that this wire has no message for give nothing."""
        if isinstance(event, Ended):
            return self._ended(key)
        return self._line.say(key, self._render(self._running[key], event))

    def failed(self, key: Key | None, error: Exception) -> Sequence[Output]:
        """Say what ended a session or the connection: here they end together.

        Other sessions of the connection say what they have heard first; a new one that is refused ends no old one.
        """
        if key is not None and key not in self._running:
            return ()
        if key is not None and len(self._running) > 1:
            if self._running.pop(key) is self._hearing:
                self._hearing = None
            self._parting = self._parting or error
            return self._line.over(key)
        idle = not self._running
        self._running.clear()
        self._hearing = None
        outputs = self._tell(self._parting or error)
        return outputs[1:] if idle and isinstance(error, ShuttingDown) else [*self._line.close(), *outputs]

    def patience_s(self) -> float | None:
        """A minute."""
        return IDLE_S

    def _audio(self, message: AudioIn) -> Sequence[Command | Output]:
        if message.binary and self._options.codec is Codec.WAV:
            others = ", ".join(codec for codec in Codec if codec is not Codec.WAV)
            fault = f"binary frames are read only where input_audio_codec is one of {others}"
            return self._tell(BadMessage(fault, Fault.ORDER))
        try:
            taken = self._payload.take(message.data, message.sample_rate_hz)
        except AudioError as error:
            return self._part(error)
        if taken is None:
            return ()
        audio_format, samples = taken
        commands: list[Command] = []
        if self._hearing is None or self._hearing.audio_format != audio_format:
            before = self._hearing.key if self._hearing is not None else None
            commands += self._finish()
            self._hearing, opening = self._open(audio_format, before)
            commands.append(opening)
        return [*commands, Feed(self._hearing.key, samples)]

    def _open(self, audio_format: AudioFormat, before: Key | None) -> tuple[_Running, Open]:
        options = self._options
        utterances = Utterances(options.mode, self._now)
        running = _Running(next(self._keys), audio_format, utterances, self._now(), Order())
        self._running[running.key] = running
        self._line.add(running.key)
        return running, Open(
            running.key,
            audio_format,
            None,
            source=options.source,
            targets=ENGLISH if options.mode is Mode.TRANSLATE else (),
            keywords=self._keywords,
            # Each utterance says its language on this wire, and people mix theirs with English.
            locks_language=False,
            # One message for each utterance: nothing is gained by being certain of half of it earlier.
            latency="quality",
            listen=options.listen,
            after=before,
        )

    def _config(self, message: ConfigIn) -> Sequence[Command]:
        self._keywords = (*self._options.keywords, *message.terms)
        return [Expect(self._hearing.key, self._keywords)] if self._hearing is not None else ()

    def _flush(self) -> Sequence[Command]:
        hearing = self._hearing
        if hearing is None or not self._options.flushes:
            return ()
        return [FlushInput(hearing.key, next(self._flushes))]

    def _end(self, message: EndIn) -> Sequence[Command | Output]:
        """Nothing follows: what was heard is said, and then the connection ends."""
        match message.audio:
            case AudioIn():
                last = list(self._audio(message.audio))
            case Failure():
                last = list(self._tell(message.audio))
            case None:
                last = []
        if self._parting is not None:  # that audio ends the connection already
            return last
        self._ending = True
        return [*last, *(self._finish() if self._running else [Close(NORMAL)])]

    def _part(self, error: Exception) -> Sequence[Command | Output]:
        """End the connection, after what was heard before the error has been said."""
        if not self._running:
            return self._tell(error)
        self._parting = error
        return self._finish()

    def _finish(self) -> list[Command]:
        """The session that the client talks to hears nothing more."""
        hearing, self._hearing = self._hearing, None
        return [Finish(hearing.key)] if hearing is not None else []

    def _ended(self, key: Key) -> Sequence[Output]:
        running = self._running.pop(key)
        if running is self._hearing:
            self._hearing = None
        told = [*self._line.say(key, running.order.close()), *self._line.over(key)]
        if self._running:
            return told
        if self._parting is not None:
            return [*told, *self._tell(self._parting)]
        return [*told, Close(NORMAL)] if self._ending else told

    def _render(self, running: _Running, event: Event) -> Sequence[Output]:
        """What an event says; those that this wire has no message for say nothing."""
        order, utterances = running.order, running.utterances
        match event:
            case SpeechStarted():
                return order.started(self._signal("START_SPEECH", running, event.at_s))
            case SpeechEnded():
                utterances.speech_ended(event.at_s)
                return order.ended(self._signal("END_SPEECH", running, event.at_s))
            case Transcript(final=True):
                if utterances.translates:
                    order.translating(event.segment_id)
                return self._data(utterances.heard(event))
            case Translation(final=True):
                utterances.translated(event)
            case Translated():
                return [*self._data(utterances.complete(event.segment_id)), *order.translated(event.segment_id)]
            case Recognised(flush_id=None):
                return order.recognised()
        return ()

    def _signal(self, signal: str, running: _Running, at_s: float) -> Sequence[Output]:
        if not self._options.vad_signals:
            return ()
        # Audio that is sent faster than it was spoken has not been spoken in the future.
        at = min(self._now(), running.opened_at + at_s)
        return [Send(messages.to_json(messages.Event(signal_type=signal, occured_at=round(at, 3))))]

    def _data(self, utterance: Utterance | None) -> Sequence[Output]:
        if utterance is None:
            return ()
        kind = messages.Data if self._options.wire.bare else messages.FullData
        data = kind(
            request_id=self._request_id,
            transcript=utterance.text,
            language_code=code_of(utterance.language),
            language_probability=round(utterance.confidence, 4) if self._options.source is None else None,
            metrics=messages.Metrics(
                audio_duration=round(utterance.stop_s - utterance.start_s, 3),
                processing_latency=round(max(0.0, self._now() - utterance.ended_at), 3),
            ),
            speech_start=round(utterance.start_s, 3),
            speech_end=round(utterance.stop_s, 3),
        )
        return [Send(messages.to_json(data))]

    def _tell(self, error: Exception) -> list[Output]:
        found = told(error)
        outputs: list[Output] = [Send(messages.to_json(messages.error(found.message, found.code)), error=found.code)]
        return outputs if found.close is None else [*outputs, Close(found.close, close_reason(found.message))]
