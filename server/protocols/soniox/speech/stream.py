"""One stream: pieces of text until a sentence ends, then the session's events as messages."""

from dataclasses import dataclass

from dragoman.models.sentences import sentence_ends
from dragoman.pipeline.events import Event, Speech, Translated, Translation, Unspoken
from dragoman.pipeline.items import GivenText
from dragoman.server.commands import Output, Send
from dragoman.server.failures import BadMessage, Fault
from dragoman.server.protocols.soniox.speech.messages import MAX_TEXT, Audio, Terminated, Timestamps
from dragoman.server.wire import encode_base64


@dataclass(slots=True)
class _Clause:
    """A clause that is being said: its characters, how many of them were told, where its audio began."""

    characters: str
    told: int = 0
    start_s: float | None = None


class SpokenStream:
    """Text in, texts to say out; events in, messages out. `timed`: audio says where its characters are."""

    def __init__(self, stream_id: str, language: str, *, timed: bool) -> None:
        self.stream_id = stream_id
        self.complete = False
        """Whether the client has said that no text follows."""
        self.text_tokens = 0
        """Words that were given to be said."""
        self.audio_s = 0.0
        """Audio that was made of them."""
        self._language = language
        self._timed = timed
        self._held = ""
        """Text whose sentence has not ended."""
        self._given = 0
        self._waiting: dict[str, int] = {}
        """Bytes of texts that were given and may still wait in the session."""
        self._clauses: dict[int, _Clause] = {}

    def take(self, text: str, *, final: bool) -> list[GivenText]:
        """The next piece of the text; what can be said now. A sentence that does not end is said in parts."""
        if self.complete and text.strip():
            raise BadMessage("text came behind text_end", Fault.ORDER)
        self._held += text
        self.complete = self.complete or final
        if self.complete:
            stop = len(self._held)
        elif ends := sentence_ends(self._held):
            stop = ends[-1]
        else:
            stop = self._held.rfind(" ") + 1 or len(self._held) if len(self._held) > MAX_TEXT else 0
        said, self._held = self._held[:stop], self._held[stop:]
        if not said.strip():
            return []
        given = GivenText(f"{self._given}", said, self._language, translate=False)
        self._given += 1
        self._waiting[f"{given.text_id}"] = given.size_bytes
        self.text_tokens += len(said.split())
        return [given]

    @property
    def waiting_bytes(self) -> int:
        """No less than what waits in the session to be said."""
        return sum(self._waiting.values())

    def event(self, event: Event) -> list[Output]:
        """Render what happened. Raises BadMessage where a clause cannot be spoken."""
        match event:
            case Translation(text_id=str()) if self._timed:
                blank = " " if event.clause_id else ""
                self._clauses[event.clause_id] = _Clause(blank + event.text)
            case Translated(text_id=str(text_id)):
                self._waiting.pop(text_id, None)
            case Speech():
                return self._speech(event)
            case Unspoken():
                raise BadMessage(f"text cannot be spoken: {event.reason}", Fault.SETUP)
        return []

    def end(self) -> list[Output]:
        """All was said: the end of the audio, then that of the stream, each by itself."""
        return [Send(Audio(stream_id=self.stream_id, audio="", audio_end=True).to_json()), self.over()]

    def over(self) -> Output:
        """Nothing more comes."""
        return Send(Terminated(stream_id=self.stream_id, terminated=True).to_json())

    def _speech(self, speech: Speech) -> list[Output]:
        length_s = speech.stop_s - speech.start_s
        self.audio_s += length_s
        timestamps = self._timestamps(speech)
        if not speech.audio and timestamps is None:
            return []
        audio = Audio(
            stream_id=self.stream_id, audio=encode_base64(speech.audio), audio_end=False, timestamps=timestamps
        )
        return [Send(audio.to_json(), audio_s=length_s)]

    def _timestamps(self, speech: Speech) -> Timestamps | None:
        """The characters of this piece. No engine says where each is, so they share the clause's time evenly."""
        clause = self._clauses.get(speech.clause_id) if speech.clause_id is not None else None
        if clause is None:
            return None
        if clause.start_s is None:
            clause.start_s = speech.start_s
        count = len(clause.characters)
        whole_s, here_s = speech.clause_stop_s - clause.start_s, speech.stop_s - clause.start_s
        until = count if speech.last else min(count, int(count * here_s / whole_s)) if whole_s > 0 else clause.told
        told, clause.told = clause.told, max(clause.told, until)
        if speech.last and speech.clause_id is not None:
            del self._clauses[speech.clause_id]
        if (new := clause.told - told) <= 0:
            return None
        step_s = (speech.stop_s - speech.start_s) / new
        edges = [round(speech.start_s + step_s * number, 4) for number in range(new + 1)]
        return Timestamps(
            characters=list(clause.characters[told : clause.told]),
            character_start_times_seconds=edges[:-1],
            character_end_times_seconds=edges[1:],
        )
