"""One connection to the realtime socket. No I/O: messages in, commands and messages out.

Most settings belong to a session from its start to its end. When one changes, the session is finished at the next place
where nobody speaks and another one goes on; so every utterance is heard with one configuration.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from dragoman.config.settings import ListenSettings
from dragoman.pipeline.events import (
    Event,
    Recognised,
    SpeechEnded,
    SpeechStarted,
    Transcript,
    Translated,
    Translation,
)
from dragoman.server.commands import Close, Command, Expect, Feed, FlushInput, Key, Output, Send
from dragoman.server.failures import BadMessage, Failure, Fault
from dragoman.server.protocols.sarvam.errors import SERVER_FAULT, STATUS, told
from dragoman.server.protocols.sarvam.languages import code_of
from dragoman.server.protocols.sarvam.parsing import AudioIn
from dragoman.server.protocols.sarvam.realtime import messages
from dragoman.server.protocols.sarvam.realtime.config import Config, listening, opening, updated
from dragoman.server.protocols.sarvam.realtime.turns import TurnSession
from dragoman.server.protocols.sarvam.sessions import SessionsAdapter
from dragoman.server.protocols.sarvam.utterances import Utterance, Utterances
from dragoman.server.wire import CONTROL_BYTES, close_reason

PADDING_S = 0.1
"""Silence behind a turn whose end the client has told, so that nothing of it waits in a resampler or half a frame."""
ODIA = "or-IN"


class Begin:
    """What the adapter receives before any message."""


class RealtimeAdapter(SessionsAdapter[TurnSession]):
    """server.commands.Adapter for the realtime socket."""

    def __init__(
        self,
        config: Config,
        base: ListenSettings,
        now: Callable[[], float] = time.time,
        control_bytes: int = CONTROL_BYTES,
    ) -> None:
        super().__init__(now, control_bytes)
        self._config = config
        self._base = base
        self._begun_at = now()
        self._in_turn = False
        """Whether the client has told that a turn begins, where it does that."""
        self._stream_s = 0.0
        """Length of all audio that came."""
        self._utterances = 0
        self._greeted = False

    def parse(self, message: str | bytes) -> object:
        """The message, or the Failure that it is."""
        return messages.parse(message, self._control_bytes)

    def _take(self, parsed: object) -> Sequence[Command | Output]:
        match parsed:
            case Begin():
                return self._open()
            case AudioIn():
                return self._audio(parsed.data)
            case messages.SpeechStart() | messages.SpeechEnd() | messages.Flush():
                return self._turn(parsed)
            case messages.ConfigUpdate():
                return self._update(parsed)
            case messages.Ping():
                return [_send(messages.Pong())]
            case messages.End():
                return self._end()
            case Failure():
                return [self._error(parsed, fatal=False)]
            case _:
                return ()

    def opened(self, key: Key, session_id: str) -> Sequence[Output]:
        """The first session is the connection's, which can be greeted now."""
        del key
        if self._greeted:
            return ()
        self._greeted, self._request_id = True, session_id
        return [_send(messages.SessionBegin(request_id=session_id, config=self._described()))]

    def _open(self, before: Key | None = None) -> list[Command | Output]:
        turns = TurnSession(next(self._keys), self._config, Utterances(self._config.mode, self._now))
        self._begin(turns)
        return [replace(opening(self._config, turns.key, self._base), after=before)]

    def _audio(self, data: bytes) -> Sequence[Command | Output]:
        actions = self._renew()
        at_s, length_s = self._stream_s, len(data) / self._config.bytes_per_s
        self._stream_s += length_s
        turns = self._hearing
        if not data or turns is None or (turns.config.manual and not self._in_turn):
            return actions
        turns.fed(at_s, length_s)
        return [*actions, Feed(turns.key, data)]

    def _renew(self) -> list[Command | Output]:
        """Begin another session where the configuration has changed and nobody speaks."""
        turns = self._hearing
        if turns is None:
            return self._open()
        if turns.speaking is not None or self._in_turn or _like(turns.config, self._config):
            return []
        return [*self._finish(), *self._open(turns.key)]

    def _turn(self, message: messages.SpeechStart | messages.SpeechEnd | messages.Flush) -> Sequence[Command | Output]:
        actions = self._renew()
        turns = self._hearing
        if turns is None or not turns.config.manual:
            fault = BadMessage("speech_start, speech_end and flush need endpointing=manual", Fault.ORDER)
            return [*actions, self._error(fault, fatal=False)]
        was_in_turn = self._in_turn
        if not isinstance(message, messages.Flush):
            self._in_turn = isinstance(message, messages.SpeechStart)
        if isinstance(message, messages.SpeechStart) or not was_in_turn:
            return actions
        rate, width = turns.config.sample_rate_hz, turns.config.bytes_per_s // turns.config.sample_rate_hz
        silence = _SILENT.get(turns.config.encoding, b"\0") * (round(PADDING_S * rate) * width)
        turns.fed_s += PADDING_S
        return [*actions, Feed(turns.key, silence), FlushInput(turns.key, next(self._flushes))]

    def _update(self, message: messages.ConfigUpdate) -> Sequence[Command | Output]:
        fields = {name: getattr(message, name) for name in message.__struct_fields__}
        try:
            self._config, applied = updated(self._config, fields)
        except BadMessage as error:
            return [self._error(error, fatal=False)]
        expecting = [Expect(self._hearing.key, self._config.keywords)] if "prompt" in applied and self._hearing else []
        return [*expecting, *self._renew(), _send(messages.ConfigUpdated(applied=applied))]

    def _render(self, turns: TurnSession, event: Event) -> Sequence[Output]:
        order, utterances = turns.order, turns.utterances
        match event:
            case SpeechStarted():
                return order.started(self._started(turns, event.at_s))
            case SpeechEnded():
                return order.ended(self._stopped(turns, event.at_s))
            case Transcript(final=False):
                return order.supposed(self._partial(turns, event))
            case Transcript():
                if utterances.translates:
                    order.translating(event.segment_id)
                turns.said = "" if event.closes else f"{turns.said} {event.text}".strip()
                return self._final(turns, utterances.heard(event))
            case Translation(final=True):
                utterances.translated(event)
            case Translated():
                final = self._final(turns, utterances.complete(event.segment_id))
                return [*final, *order.translated(event.segment_id)]
            case Recognised(flush_id=None):
                return order.recognised()
        return ()

    def _farewell(self, error: Exception | None) -> list[Output]:
        if error is None:
            return [self._session_end(), Close(1000)]
        found = told(error)
        end = [self._session_end()] if self._greeted else []
        return [self._error(error, fatal=True), *end, Close(found.close or SERVER_FAULT, close_reason(found.message))]

    def _started(self, turns: TurnSession, at_s: float) -> Sequence[Output]:
        turns.begin(at_s, self._utterances)
        self._utterances += 1
        if turns.config.manual or turns.speaking is None:
            return ()
        return [_send(messages.SpeechStarted(utterance_idx=turns.speaking))]

    def _stopped(self, turns: TurnSession, at_s: float) -> Sequence[Output]:
        number, turns.speaking = turns.speaking, None
        turns.utterances.speech_ended(at_s)
        if turns.config.manual or number is None:
            return ()
        return [_send(messages.SpeechEnded(utterance_idx=number))]

    def _partial(self, turns: TurnSession, partial: Transcript) -> Sequence[Output]:
        text = f"{turns.said} {partial.text}".strip()
        if not text or text == turns.shown:
            return ()
        turns.shown = text
        number = turns.number_at(partial.stop_s)
        language = code_of(partial.language, ODIA) if turns.config.source is None else None
        return [_send(messages.Partial(utterance_idx=number, text=text, language=language))]

    def _final(self, turns: TurnSession, utterance: Utterance | None) -> Sequence[Output]:
        if utterance is None:
            return ()
        turns.shown = ""
        detected, timed = turns.config.source is None, turns.config.return_timestamps
        final = messages.Final(
            utterance_idx=turns.number_at(utterance.stop_s),
            text=utterance.text,
            language=code_of(utterance.language, ODIA) if detected else None,
            language_confidence=round(utterance.confidence, 4) if detected else None,
            start_s=round(turns.on_stream(utterance.start_s), 3) if timed else None,
            end_s=round(turns.on_stream(utterance.stop_s, stop=True), 3) if timed else None,
        )
        return [_send(final)]

    def _described(self) -> dict[str, object]:
        config, listen = self._config, listening(self._config, self._base)
        return {
            "model": config.model,
            "language_code": config.language_code,
            "encoding": config.encoding,
            "sample_rate": config.sample_rate_hz,
            "stream_type": config.stream_type,
            "mode": config.mode,
            "prompt": config.prompt,
            "turn_detection": config.endpointing,
            "threshold": listen.threshold,
            "prefix_padding_ms": listen.pre_speech_ms,
            "silence_duration_ms": listen.end_silence_ms,
            "min_speech_duration_ms": listen.min_speech_ms,
            "return_timestamps": config.return_timestamps,
        }

    def _session_end(self) -> Send:
        return _send(
            messages.SessionEnd(
                request_id=self._request_id,
                total_duration_s=round(self._now() - self._begun_at, 3),
                total_utterances=self._utterances,
                audio_duration_s=round(self._stream_s, 3),
            )
        )

    @staticmethod
    def _error(error: Exception, *, fatal: bool) -> Send:
        found = told(error)
        message = messages.Error(
            code=found.code,
            is_fatal=fatal,
            message=found.message,
            status_code=STATUS[found.code] if fatal else None,
        )
        return Send(message.to_json(), error=found.code)


_SILENT = {"mulaw": b"\xff", "alaw": b"\xd5"}
"""Zero, in the encodings that do not write it as zeros."""


def _send(message: messages._Out) -> Send:
    return Send(message.to_json())


def _like(one: Config, two: Config) -> bool:
    """Whether one session serves both: terms to expect can be changed within it."""
    return replace(one, prompt="") == replace(two, prompt="")
