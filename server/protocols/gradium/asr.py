"""Recognition, and speech translated to text: `speech/asr`. Sessions that say nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dragoman.models.base import Word
from dragoman.models.plan import TargetWish
from dragoman.pipeline.events import (
    Ended,
    Event,
    Flushed,
    Listened,
    Recognised,
    SpeechEnded,
    SpeechStarted,
    Transcript,
    Translated,
    Translation,
)
from dragoman.pipeline.timing import UNSPACED, estimate_words
from dragoman.server.commands import Command, Feed, FlushInput, Key, Open, Output, Send
from dragoman.server.protocols.gradium import messages
from dragoman.server.protocols.gradium.asr_setup import AsrRequest, parse_asr_setup
from dragoman.server.protocols.gradium.errors import lasting_error_of
from dragoman.server.protocols.gradium.parsing import AudioIn, parse
from dragoman.server.protocols.gradium.requests import FRAME_S, Active, RequestsAdapter
from dragoman.server.protocols.gradium.steps import HORIZONS_S, STEP_S, Step, Steps


@dataclass(slots=True)
class _Hearing(Active):
    request: AsrRequest = field(kw_only=True)
    steps: Steps = field(kw_only=True)


class AsrAdapter(RequestsAdapter[_Hearing]):
    """server.commands.Adapter for `speech/asr`. Its words are certain: none is taken back."""

    protocol = "gradium-asr"
    latest_is_meant = True

    def parse(self, message: str | bytes) -> object:
        """The message as one of `parsing.Parsed`."""
        return parse(message, self._control_bytes, parse_asr_setup)

    def event(self, key: Key, event: Event) -> Sequence[Output]:
        """Words, and behind them the steps that waited for them."""
        active = self._of(key)
        outputs: list[Output] = list(self._words(active, event))
        outputs += [Send(_step(step, active.client_req_id).to_json()) for step in active.steps.take()]
        match event:
            case Flushed(flush_id=(flush_id,)):
                outputs += self._flushed(active, flush_id)
            case Ended():
                outputs += self._ended(active)
        return outputs

    def _begin(self, number: int, asked: AsrRequest) -> tuple[_Hearing, Open]:
        delay_s = asked.delay_frames * FRAME_S if asked.target is None else None
        opening = Open(
            number,
            asked.input_format,
            None,
            asked.source,
            targets=() if asked.target is None else (TargetWish(asked.target, speaks=False),),
            keywords=asked.keywords,
            latency=asked.latency,
            follows=True,
        )
        return _Hearing(number, asked, request=asked, steps=Steps(delay_s)), opening

    def _ready(self, active: _Hearing, session_id: str) -> messages.Ready:
        request = active.request
        return messages.Ready(
            request_id=session_id,
            model_name=request.model_name,
            sample_rate=request.rate_hz,
            frame_size=round(request.rate_hz * FRAME_S),
            client_req_id=request.client_req_id,
            delay_in_frames=request.delay_frames,
            delay_in_tokens=request.delay_frames,
            text_stream_names=[],
        )

    def _input(self, active: _Hearing, message: AudioIn | messages.TextIn) -> Sequence[Command]:
        return [Feed(active.number, message.data)] if isinstance(message, AudioIn) and message.data else []

    def _flush(self, active: _Hearing, message: messages.FlushIn) -> Sequence[Command]:
        # Wrapped, for a flush may have no id, and what closes a segment has none.
        return [FlushInput(active.number, (message.flush_id,))]

    def _error_of(self, error: Exception) -> tuple[int, str]:
        return lasting_error_of(error)

    def _words(self, active: _Hearing, event: Event) -> Iterator[Send]:
        """What an event has to say, told to the steps too."""
        steps, translates = active.steps, active.request.target is not None
        match event:
            case Listened():
                steps.come(event.at_s)
            case SpeechStarted():
                steps.started(event.at_s)
            case SpeechEnded():
                steps.stopped(event.at_s)
            case Recognised(flush_id=None):
                steps.heard()
            case Transcript(final=True) if translates:
                steps.owe(event.segment_id)
            case Transcript(final=True):
                words = event.words or estimate_words(event.text, event.start_s, event.stop_s, event.language)
                yield from _told(words, event, active)
                steps.said(event.stop_s)
            case Translation():
                yield from _told(estimate_words(event.text, event.start_s, event.stop_s), event, active)
                steps.said(event.stop_s)
            case Translated():
                steps.settle(event.segment_id)
            case Ended():
                steps.end(event.at_s)


def _told(words: Sequence[Word], event: Transcript | Translation, active: _Hearing) -> Iterator[Send]:
    """Each word and its end. What is written without blanks is told as a whole: clients put blanks between."""
    if event.language in UNSPACED:
        words = (Word("".join(event.text.split()), event.start_s, event.stop_s),)
    name = active.client_req_id
    for word in words:
        if text := word.text.strip():
            start_s, stop_s = round(word.start_s, 6), round(max(word.start_s, word.stop_s), 6)
            yield Send(messages.Word(text=text, start_s=start_s, stream_id=0, client_req_id=name).to_json())
            yield Send(messages.EndText(stop_s=stop_s, stream_id=0, client_req_id=name).to_json())


def _step(step: Step, client_req_id: str | None) -> messages.Step:
    pairs = zip(HORIZONS_S, step.inactive, strict=True)
    return messages.Step(
        vad=[messages.Inactivity(horizon_s=horizon_s, inactivity_prob=value) for horizon_s, value in pairs],
        step_idx=step.number,
        step_duration_s=STEP_S,
        total_duration_s=step.total_s,
        client_req_id=client_req_id,
    )
