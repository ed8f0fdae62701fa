"""One connection to one of the vendor's sockets. No I/O: messages in, commands and messages out.

A session is opened by the first audio, because a WAV header says how it is written. It lasts as long as the connection,
unless a later header says something else: then the session is finished and another one goes on.

The vendor's pages have no message for the end. The plug-ins of LiveKit and Vision Agents send `end_of_stream`, and wait
for what is left and for Close 1000.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dragoman.models.plan import TargetWish
from dragoman.pipeline.audio.errors import AudioError
from dragoman.pipeline.audio.formats import AudioFormat
from dragoman.pipeline.events import (
    Event,
    Recognised,
    SpeechEnded,
    SpeechStarted,
    Transcript,
    Translated,
    Translation,
)
from dragoman.server.commands import Close, Command, Expect, Feed, FlushInput, Key, Open, Output, Send
from dragoman.server.failures import BadMessage, Failure, Fault
from dragoman.server.protocols.sarvam import messages
from dragoman.server.protocols.sarvam.errors import told
from dragoman.server.protocols.sarvam.languages import code_of
from dragoman.server.protocols.sarvam.order import Order
from dragoman.server.protocols.sarvam.parsing import AudioIn, ConfigIn, EndIn, FlushIn, parse
from dragoman.server.protocols.sarvam.payload import Payload
from dragoman.server.protocols.sarvam.query import Codec, Mode, Options
from dragoman.server.protocols.sarvam.sessions import Phase, SessionsAdapter
from dragoman.server.protocols.sarvam.utterances import Utterance, Utterances
from dragoman.server.wire import CONTROL_BYTES, close_reason

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


class SarvamAdapter(SessionsAdapter[_Running]):
    """server.commands.Adapter for speech to text, in the speaker's language or in English."""

    def __init__(
        self, options: Options, now: Callable[[], float] = time.time, control_bytes: int = CONTROL_BYTES
    ) -> None:
        super().__init__(now, control_bytes)
        self._options = options
        self._payload = Payload(options.codec, options.sample_rate_hz)
        self._keywords = options.keywords

    def parse(self, message: str | bytes) -> object:
        """The message, or the Failure that it is."""
        return parse(message, self._control_bytes)

    def opened(self, key: Key, session_id: str) -> Sequence[Output]:
        """The session runs; this wire has no greeting. The first session's id is the connection's."""
        if key == 0:
            self._request_id = session_id
        return ()

    def _take(self, parsed: object) -> Sequence[Command | Output]:
        match parsed:
            case AudioIn():
                return self._audio(parsed)
            case ConfigIn():
                return self._config(parsed)
            case FlushIn():
                return self._flush()
            case EndIn():
                return self._last(parsed)
            case Failure():
                return self._tell(parsed)
            case _:
                return ()

    def _audio(self, message: AudioIn) -> Sequence[Command | Output]:
        if message.binary and self._options.codec is Codec.WAV:
            others = ", ".join(codec for codec in Codec if codec is not Codec.WAV)
            fault = f"binary frames are read only where input_audio_codec is one of {others}"
            return self._tell(BadMessage(fault, Fault.ORDER))
        try:
            taken = self._payload.take(message.data, message.sample_rate_hz)
        except AudioError as error:
            return self._end(error)
        if taken is None:
            return ()
        audio_format, samples = taken
        if self._hearing is None or self._hearing.audio_format != audio_format:
            before = self._hearing.key if self._hearing is not None else None
            commands = self._finish()
            opening = self._open(audio_format, before)
            return [*commands, opening, Feed(opening.key, samples)]
        return [Feed(self._hearing.key, samples)]

    def _open(self, audio_format: AudioFormat, before: Key | None) -> Open:
        options = self._options
        utterances = Utterances(options.mode, self._now)
        running = _Running(next(self._keys), audio_format, utterances, self._now(), Order())
        self._begin(running)
        return Open(
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

    def _last(self, message: EndIn) -> Sequence[Command | Output]:
        """The end, with the last audio perhaps."""
        match message.audio:
            case AudioIn():
                last = list(self._audio(message.audio))
            case Failure():
                last = list(self._tell(message.audio))
            case None:
                last = []
        # That audio may end the connection already.
        return [*last, *self._end()] if self._phase is Phase.OPEN else last

    def _render(self, running: _Running, event: Event) -> Sequence[Output]:
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

    def _farewell(self, error: Exception | None) -> list[Output]:
        return [Close(NORMAL)] if error is None else self._tell(error)

    def _tell(self, error: Exception) -> list[Output]:
        found = told(error)
        outputs: list[Output] = [Send(messages.to_json(messages.error(found.message, found.code)), error=found.code)]
        return outputs if found.close is None else [*outputs, Close(found.close, close_reason(found.message))]
