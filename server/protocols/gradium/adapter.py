"""Speech to speech: `speech/s2s`."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from dragoman.pipeline.events import Ended, Event, Flushed, Speech, Translation
from dragoman.server.commands import Command, Feed, Key, Open, Output, Send
from dragoman.server.protocols.gradium import messages
from dragoman.server.protocols.gradium.parsing import AudioIn, parse
from dragoman.server.protocols.gradium.requests import FRAME_S, Active, RequestsAdapter
from dragoman.server.protocols.gradium.setup import Request, parse_setup
from dragoman.server.protocols.gradium.sound import audio_of


@dataclass(slots=True)
class _Talk(Active):
    """A request. `unsaid` holds clauses whose first audio has not come yet."""

    request: Request = field(kw_only=True)
    unsaid: dict[int, Translation] = field(default_factory=dict)


class GradiumAdapter(RequestsAdapter[_Talk]):
    """server.commands.Adapter for Gradium speech-to-speech."""

    def parse(self, message: str | bytes) -> object:
        """The message as one of `parsing.Parsed`."""
        return parse(message, self._control_bytes, parse_setup)

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
                return self._flushed(active, event.flush_id)
            case Ended():
                return self._ended(active)
            case _:
                return ()

    def _begin(self, number: int, asked: Request) -> tuple[_Talk, Open]:
        opening = Open(
            number,
            asked.input_format,
            asked.output_format,
            asked.source,
            asked.target,
            asked.voice_id,
            latency=asked.latency,
        )
        return _Talk(number, asked, request=asked), opening

    def _ready(self, active: _Talk, session_id: str) -> messages.Ready:
        request = active.request
        return messages.Ready(
            request_id=session_id,
            model_name=request.model_name,
            sample_rate=request.rate_hz,
            frame_size=round(request.rate_hz * FRAME_S),
            client_req_id=request.client_req_id,
        )

    def _input(self, active: _Talk, message: AudioIn | messages.TextIn) -> Sequence[Command]:
        return [Feed(active.number, message.data)] if isinstance(message, AudioIn) and message.data else []

    def _speech(self, active: _Talk, speech: Speech) -> Sequence[Output]:
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
        return [*outputs, *audio_of(speech, active.client_req_id)]
