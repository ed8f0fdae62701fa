"""The socket of `Palabra.tts()`: text in, speech out. Pieces of a text are spoken sentence by sentence.

A *generation* is what the pieces up to one with `is_eos` make; its audio carries the id of the piece that completed the
sentence, and its last message is empty and marked.
"""

import time
import uuid
from collections.abc import Callable, Hashable, Sequence
from itertools import count

import msgspec

from dragoman.models.errors import ModelError
from dragoman.models.plan import TargetWish
from dragoman.pipeline.audio.formats import pcm
from dragoman.pipeline.events import Event, Speech, Translated, Translation
from dragoman.pipeline.items import GivenText
from dragoman.pipeline.sentences import sentence_ends
from dragoman.server.commands import Close, Command, Finish, Interrupt, Key, Open, Output, Say, Send
from dragoman.server.failures import MessageTooLarge, NotReady, quoted
from dragoman.server.protocols.palabra import messages
from dragoman.server.protocols.palabra.errors import (
    BAD_REQUEST,
    RATE_LIMIT_EXCEEDED,
    VALIDATION_ERROR,
    Refused,
    close_reason,
    error_message,
    error_of,
)
from dragoman.server.protocols.palabra.fields import BadTask
from dragoman.server.protocols.palabra.job import VOICE_NOT_FOUND
from dragoman.server.protocols.palabra.languages import base_of
from dragoman.server.protocols.palabra.limits import Rate
from dragoman.server.protocols.palabra.order import Turns
from dragoman.server.protocols.palabra.requests import read
from dragoman.server.protocols.palabra.tts_requests import Init, Piece, VoiceOptions
from dragoman.server.protocols.palabra.tts_stream import GivenPiece, Speaking
from dragoman.server.protocols.palabra.voices import Abilities

MAX_WAITING = 16_384
"""Characters of pieces whose sentence has not ended."""
TEXTS_PER_SECOND = 50
MAX_SESSIONS = 4
"""So many voices may be talking, one behind the other."""


class TtsAdapter:
    """server.commands.Adapter for the socket; another voice gets a session of its own, behind the one before."""

    protocol = "palabra-tts"

    def __init__(self, abilities: Abilities, now: Callable[[], float] = time.monotonic) -> None:
        self._abilities = abilities
        self._keys = count()
        self._text_ids = count()
        self._turns: Turns[Speaking] = Turns()
        self._init: Init | None = None
        self._options = VoiceOptions()
        self._key: int | None = None
        """The session that speaks with the present options."""
        self._waiting = ""
        """Text whose sentence has not ended."""
        self._generation_id: str | None = None
        self._rate = Rate(TEXTS_PER_SECOND, 1.0, now)

    def parse(self, message: str | bytes) -> object:
        """The message as a dictionary, or the text of what is wrong with it."""
        try:
            fields = msgspec.json.decode(message)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            return f"message is not JSON: {error}"
        return fields if isinstance(fields, dict) else "message is not a JSON object"

    def receive(self, parsed: object) -> Sequence[Command | Output]:
        """Take one message."""
        try:
            if not isinstance(parsed, dict):
                raise Refused(VALIDATION_ERROR, str(parsed))
            match parsed.get("type"):
                case "init":
                    return self._begin(read(Init, parsed))
                case "text":
                    return self._text(read(Piece, parsed))
                case "cancel":
                    return self._cancel()
                case kind:
                    raise Refused(VALIDATION_ERROR, f"type: '{quoted(str(kind))}' is no message")
        except Refused as refused:
            return [error_message(refused.code, str(refused))]
        except BadTask as error:
            return [error_message(VALIDATION_ERROR, str(error))]
        except NotReady as error:
            return [error_message(*error_of(error)[:2])]

    def opened(self, key: Key, session_id: str) -> Sequence[Output]:
        """Nothing is said about it."""
        del key, session_id
        return ()

    def event(self, key: Key, event: Event) -> Sequence[Output]:
        """Audio, when it is its session's turn."""
        return self._turns.event(key, event)

    def failed(self, key: Key | None, error: Exception) -> Sequence[Output]:
        """Say why. The client may go on with another text, unless the connection itself is at fault."""
        code, text, close = error_of(error)
        if key is None and not isinstance(error, MessageTooLarge):
            self._turns.clear()
            return [error_message(code, text), Close(close, close_reason(text))]
        if key == self._key:
            self._key = None
        return [*self._turns.over(key), error_message(code, text)]

    def refused(self, key: Key, text_id: Hashable, error: ModelError) -> Sequence[Output]:
        """Nothing is translated on this wire."""
        del key, text_id
        return [error_message(VALIDATION_ERROR, str(error))]

    def patience_s(self) -> float | None:
        """The operator's limit."""
        return None

    def _begin(self, init: Init) -> Sequence[Command | Output]:
        if self._init is not None:
            raise Refused(BAD_REQUEST, "init came already")
        self._init, self._options = init, init.voice_options
        return self._open(init)

    def _open(self, init: Init) -> list[Command | Output]:
        """A session for the present options, behind those before it."""
        language = base_of(init.language) or ""
        choice = self._abilities.voice(self._options.voice_id, language)
        wish = TargetWish(language, voice_id=choice.voice_id, tempo=self._options.speed or 1.0)
        before, self._key = self._key, next(self._keys)
        self._turns.add(self._key, Speaking(init.output))
        sound = pcm(init.output.sample_rate)
        commands: list[Command | Output] = [Finish(before)] if before is not None else []
        commands.append(Open(self._key, sound, sound, targets=(wish,), hears=False))
        if choice.complaint is not None:
            commands.append(Send(messages.warning(VOICE_NOT_FOUND, choice.complaint)))
        return commands

    def _text(self, piece: Piece) -> Sequence[Command | Output]:
        if (init := self._init) is None:
            raise Refused(BAD_REQUEST, "there is no init yet")
        if not self._rate.take():
            raise Refused(RATE_LIMIT_EXCEEDED, f"more than {TEXTS_PER_SECOND} texts in a second")
        if len(self._waiting) > MAX_WAITING:
            raise Refused(RATE_LIMIT_EXCEEDED, "too much text waits for the end of its sentence: send is_eos")
        options = read(VoiceOptions, {**self._options.model_dump(), **piece.voice_options})
        if options != self._options and len(self._turns) >= MAX_SESSIONS:
            raise Refused(RATE_LIMIT_EXCEEDED, "the voice was changed too often: earlier texts are still being said")
        outputs: list[Command | Output] = []
        if piece.generation_id is not None or self._generation_id is None:
            self._generation_id = piece.generation_id or uuid.uuid4().hex[:8]
        if options != self._options or self._key is None:
            outputs += self._say(self._waiting, final=False) if self._waiting.strip() and self._key is not None else []
            self._waiting = "" if self._key is not None else self._waiting
            self._options = options
            outputs += self._open(init)
        self._waiting += piece.text
        if piece.is_eos:
            said, self._waiting = self._waiting, ""
            outputs += self._say(said, final=True)
            self._generation_id = None
        elif ends := sentence_ends(self._waiting):
            said, self._waiting = self._waiting[: ends[-1]], self._waiting[ends[-1] :]
            outputs += self._say(said, final=False)
        return outputs

    def _say(self, text: str, *, final: bool) -> list[Command | Output]:
        assert self._init is not None  # noqa: S101
        assert self._key is not None  # noqa: S101
        text_id = str(next(self._text_ids))
        self._turns[self._key].texts[text_id] = GivenPiece(self._generation_id or "", final)
        return [Say(self._key, GivenText(text_id, text, base_of(self._init.language) or "", translate=False))]

    def _cancel(self) -> Sequence[Command | Output]:
        self._waiting, self._generation_id = "", None
        commands = [Interrupt(key) for key, _ in self._turns]
        outputs: list[Output] = []
        for key, speaking in self._turns:
            outputs += speaking.stop()
            self._turns.forget(key, lambda event: isinstance(event, Speech | Translation | Translated))
        return [*commands, *outputs]
