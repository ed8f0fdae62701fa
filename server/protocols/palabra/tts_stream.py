"""One session's audio as the messages of `Palabra.tts()`, under the ids of the generations that it belongs to."""

from dataclasses import dataclass, field

import msgspec

from dragoman.pipeline.audio.wav import streaming_header
from dragoman.pipeline.events import Event, Speech, Translated, Translation
from dragoman.server.commands import Output, Send
from dragoman.server.protocols.palabra import messages
from dragoman.server.protocols.palabra.tts_requests import Sound


@dataclass(slots=True)
class GivenPiece:
    """A text that was given to a session. `final`: the generation ends with it; `complete`: no more clauses come."""

    generation_id: str
    final: bool
    complete: bool = False
    unsaid: int = 0


@dataclass(slots=True)
class Speaking:
    """One session's audio."""

    sound: Sound
    texts: dict[str, GivenPiece] = field(default_factory=dict)
    clauses: dict[int, GivenPiece] = field(default_factory=dict)
    begun: str | None = None
    """The generation that has its header."""

    def event(self, event: Event) -> list[Output]:
        """Render what happened."""
        match event:
            case Translation(text_id=str(text_id)) if (text := self.texts.get(text_id)) is not None:
                text.unsaid += 1
                self.clauses[event.clause_id] = text
            case Speech() if event.clause_id is not None and (said := self.clauses.get(event.clause_id)) is not None:
                outputs = [self._audio(said.generation_id, event)] if event.audio else []
                if event.last:
                    del self.clauses[event.clause_id]
                    said.unsaid -= 1
                return [*outputs, *self._ended(said)]
            case Translated(text_id=str(text_id)) if (done := self.texts.pop(text_id, None)) is not None:
                done.complete = True
                return self._ended(done)
        return []

    def stop(self) -> list[Output]:
        """Say nothing more; every generation that was begun has ended."""
        left = dict.fromkeys(text.generation_id for text in (*self.clauses.values(), *self.texts.values()))
        self.texts.clear()
        self.clauses.clear()
        self.begun = None
        return [_chunk(generation_id, b"", None) for generation_id in left]

    def _audio(self, generation_id: str, speech: Speech) -> Output:
        data = speech.audio
        if self.sound.format == "wav" and self.begun != generation_id:
            data = streaming_header(self.sound.sample_rate) + data
        self.begun = generation_id
        return _chunk(generation_id, data, speech.stop_s - speech.start_s)

    def _ended(self, text: GivenPiece) -> list[Output]:
        if not (text.complete and text.final and not text.unsaid):
            return []
        self.begun = None
        return [_chunk(text.generation_id, b"", None)]


def _chunk(generation_id: str, data: bytes, audio_s: float | None) -> Send:
    """A message of audio; without any it is a generation's last."""
    fields = {
        "audio": messages.encode_base64(data),
        "generation_id": generation_id,
        "last_chunk": audio_s is None,
        "audio_len": None if audio_s is None else round(audio_s, 6),
    }
    text = msgspec.json.encode({"message_type": "audio_chunk", "data": fields}).decode()
    return Send(text, audio_s or 0.0)
