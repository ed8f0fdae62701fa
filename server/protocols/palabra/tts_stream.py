"""One session's audio as the messages of `Palabra.tts()`, under the ids of the generations that it belongs to."""

from dataclasses import dataclass, field

import msgspec

from dragoman.pipeline.events import Event, Speech, Translated, Translation, Unspoken
from dragoman.server.commands import Output, Send
from dragoman.server.protocols.palabra.errors import SERVER_ERROR, error_message
from dragoman.server.wire import encode_base64


@dataclass(slots=True)
class _Generation:
    """What the pieces of a text make. `final`: it ends with those that were given.

    `waiting` counts its texts that may still become clauses, its clauses whose audio has not ended, and its last text
    until that file has ended.
    """

    generation_id: str
    final: bool = False
    waiting: int = 0


@dataclass(slots=True)
class Speaking:
    """One session's audio; each generation is a file."""

    _texts: dict[str, _Generation] = field(default_factory=dict)
    _clauses: dict[int, _Generation] = field(default_factory=dict)
    _open: _Generation | None = None
    """The generation that was given last, if more of it may come."""
    _files: dict[str, _Generation] = field(default_factory=dict)
    """By the text that ends each."""

    def give(self, text_id: str, generation_id: str, *, final: bool) -> None:
        """A text goes in. `final`: the generation ends with it."""
        one = self._open
        if one is None or one.generation_id != generation_id:
            one = _Generation(generation_id)
        one.final, one.waiting = final, one.waiting + 1
        self._texts[text_id] = one
        if final:
            one.waiting += 1
            self._files[text_id] = one
        self._open = None if final else one

    def ends_file(self, text_id: str) -> bool:
        """Whether a generation's file ends with a text, and has not ended."""
        return text_id in self._files

    def event(self, event: Event) -> list[Output]:
        """Render what happened."""
        match event:
            case Translation(text_id=str(text_id)) if (one := self._texts.get(text_id)) is not None:
                one.waiting += 1
                self._clauses[event.clause_id] = one
            case Speech() if event.clause_id is not None and (one := self._clauses.get(event.clause_id)) is not None:
                outputs = _audio(one, event)
                if event.last:
                    del self._clauses[event.clause_id]
                    outputs += _done(one)
                return outputs
            case Speech(text_id=str(text_id), last=True) if (one := self._files.pop(text_id, None)) is not None:
                return [*_audio(one, event), *_done(one)]
            case Translated(text_id=str(text_id)) if (one := self._texts.pop(text_id, None)) is not None:
                return _done(one)
            case Unspoken():
                return [error_message(SERVER_ERROR, event.reason)]
        return []

    def stop(self) -> list[str]:
        """Say nothing more. The ids of the generations that were begun and have not ended."""
        begun = [self._open] if self._open is not None else []
        unsaid = [*self._clauses.values(), *self._texts.values(), *self._files.values(), *begun]
        self._texts.clear()
        self._clauses.clear()
        self._files.clear()
        self._open = None
        return [one.generation_id for one in unsaid]


def _audio(one: _Generation, speech: Speech) -> list[Output]:
    return [_chunk(one.generation_id, speech.audio, speech.stop_s - speech.start_s)] if speech.audio else []


def _done(one: _Generation) -> list[Output]:
    """One of a generation's texts or clauses, or its file, has come to its end."""
    one.waiting -= 1
    return [] if one.waiting or not one.final else [last_chunk(one.generation_id)]


def last_chunk(generation_id: str) -> Send:
    """The message that ends a generation."""
    return _chunk(generation_id, b"", None)


def _chunk(generation_id: str, data: bytes, audio_s: float | None) -> Send:
    """A message of audio; without any it is a generation's last."""
    fields = {
        "audio": encode_base64(data),
        "generation_id": generation_id,
        "last_chunk": audio_s is None,
        "audio_len": None if audio_s is None else round(audio_s, 6),
    }
    text = msgspec.json.encode({"message_type": "audio_chunk", "data": fields}).decode()
    return Send(text, audio_s or 0.0)
