"""Synthesis: `speech/tts`. Sessions that hear nothing."""

import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from dragoman.models.errors import ModelError, UnknownVoice
from dragoman.models.plan import TargetWish
from dragoman.pipeline.events import Ended, Event, Flushed, Speech, Translation
from dragoman.pipeline.items import GivenText
from dragoman.pipeline.timing import estimate_words
from dragoman.server.commands import Abort, Command, Finish, FlushInput, Key, Open, Output, Say, Send
from dragoman.server.failures import BadMessage, Fault
from dragoman.server.protocols.gradium import messages
from dragoman.server.protocols.gradium.errors import lasting_error_of
from dragoman.server.protocols.gradium.formats import INPUTS
from dragoman.server.protocols.gradium.parsing import READS, AudioIn, SetupIn, parse
from dragoman.server.protocols.gradium.requests import FRAME_S, Active, RequestsAdapter
from dragoman.server.protocols.gradium.said import Part, Saying
from dragoman.server.protocols.gradium.sound import audio_of
from dragoman.server.protocols.gradium.tts_setup import TtsRequest, parse_tts_setup
from dragoman.server.protocols.gradium.voices import Voices
from dragoman.server.wire import CONTROL_BYTES

FORGOTTEN_S = 60.0
"""A request with an id, without input or output for so long, was left behind: there are clients that begin one for each
turn and say nothing of those that they give up."""
STREAMS = ["tts"]


@dataclass(slots=True)
class _Reading(Active):
    """A request. `unsaid` holds clauses whose first audio has not come yet."""

    request: TtsRequest = field(kw_only=True)
    language: str = field(kw_only=True)
    touched_s: float = field(kw_only=True)
    saying: Saying = field(default_factory=Saying)
    unsaid: dict[int, Translation] = field(default_factory=dict)
    fault: ModelError | None = None
    """Why the request is about to end."""


class TtsAdapter(RequestsAdapter[_Reading]):
    """server.commands.Adapter for `speech/tts`."""

    protocol = "gradium-tts"
    latest_is_meant = True

    def __init__(
        self, voices: Voices, now: Callable[[], float] = time.monotonic, control_bytes: int = CONTROL_BYTES
    ) -> None:
        super().__init__(control_bytes)
        self._voices = voices
        self._now = now
        self._text_ids = count()

    def parse(self, message: str | bytes) -> object:
        """The message as one of `parsing.Parsed`."""
        return parse(message, self._control_bytes, parse_tts_setup, READS)

    def event(self, key: Key, event: Event) -> Sequence[Output]:
        """Words with their first sound, and sound. Raises what ends the request."""
        active = self._of(key)
        active.touched_s = self._now()
        if active.fault is not None:
            raise active.fault
        match event:
            case Translation():
                active.unsaid[event.clause_id] = event
                return ()
            case Speech():
                return [*self._words(active, event), *audio_of(event, active.client_req_id)]
            case Flushed():
                return self._flushed(active, event.flush_id)
            case Ended():
                return self._ended(active)
            case _:
                return ()

    def refused(self, key: Key, text_id: Hashable, error: ModelError) -> Sequence[Output]:
        """A text of which nothing is said ends its request: what follows would be nonsense without it."""
        del text_id
        self._of(key).fault = error
        return ()

    def _setup(self, message: SetupIn[Any]) -> Sequence[Command | Output]:
        now_s = self._now()
        left = [
            active.number
            for active in self._active.values()
            if active.client_req_id is not None and now_s - active.touched_s > FORGOTTEN_S
        ]
        for number in left:
            del self._active[number]
        return [*map(Abort, left), *super()._setup(message)]

    def _begin(self, number: int, asked: TtsRequest) -> tuple[_Reading, Open]:
        try:
            speaker = self._voices.speaker(asked.voice, asked.language)
        except UnknownVoice as error:
            raise BadMessage(lasting_error_of(error)[1], Fault.MODEL) from error
        wish = TargetWish(speaker.language, voice_id=speaker.voice_id, tempo=asked.tempo)
        opening = Open(number, INPUTS["pcm"], asked.output_format, targets=(wish,), hears=False)
        return _Reading(number, asked, request=asked, language=speaker.language, touched_s=self._now()), opening

    def _ready(self, active: _Reading, session_id: str) -> messages.Ready:
        request = active.request
        return messages.Ready(
            request_id=session_id,
            model_name=request.model_name,
            sample_rate=request.rate_hz,
            frame_size=round(request.rate_hz * FRAME_S),
            client_req_id=request.client_req_id,
            audio_stream_names=STREAMS,
            text_stream_names=STREAMS,
        )

    def _input(self, active: _Reading, message: AudioIn | messages.TextIn) -> Sequence[Command]:
        active.touched_s = self._now()
        return self._said(active, active.saying.push(message.text)) if isinstance(message, messages.TextIn) else []

    def _flush(self, active: _Reading, message: messages.FlushIn) -> Sequence[Command]:
        return [*self._said(active, active.saying.finish()), FlushInput(active.number, message.flush_id)]

    def _finish(self, active: _Reading) -> list[Command]:
        if active.complete:
            return []
        active.complete = True
        return [*self._said(active, active.saying.finish()), Finish(active.number)]

    def _error_of(self, error: Exception) -> tuple[int, str]:
        return lasting_error_of(error)

    def _said(self, active: _Reading, parts: list[Part]) -> list[Command]:
        return [
            Say(
                active.number,
                GivenText(next(self._text_ids), part.text, active.language, translate=False, pause_s=part.pause_s),
            )
            for part in parts
        ]

    def _words(self, active: _Reading, speech: Speech) -> Iterator[Send]:
        """The words of a clause whose first sound this is: only now is their place on the timeline known."""
        clause = active.unsaid.pop(speech.clause_id, None) if speech.clause_id is not None else None
        if clause is None:
            return
        for word in estimate_words(clause.text, speech.start_s, speech.clause_stop_s, clause.language):
            text = messages.Text(
                text=word.text,
                start_s=round(word.start_s, 6),
                stop_s=round(word.stop_s, 6),
                stream_id=0,
                client_req_id=active.client_req_id,
            )
            yield Send(text.to_json())
