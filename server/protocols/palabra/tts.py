"""The socket of `Palabra.tts()`: text in, speech out. Pieces of a text are spoken sentence by sentence.

A *generation* is what the pieces up to one with `is_eos` make; its audio carries the id of the piece that completed the
sentence, and its last message is empty and marked.
"""

import time
import uuid
from collections.abc import Callable, Hashable, Sequence
from itertools import count

from dragoman.models.errors import ModelError
from dragoman.models.plan import TargetWish
from dragoman.pipeline.audio.formats import pcm
from dragoman.pipeline.events import Event, Speech, Translated, Translation
from dragoman.pipeline.items import GivenText
from dragoman.pipeline.sentences import sentence_ends
from dragoman.server.commands import Close, Command, Finish, Interrupt, Key, Open, Output, Say, Send
from dragoman.server.failures import IdleTooLong, MessageTooLarge, NotReady
from dragoman.server.protocols.palabra import messages
from dragoman.server.protocols.palabra.errors import (
    BAD_REQUEST,
    RATE_LIMIT_EXCEEDED,
    VALIDATION_ERROR,
    Refused,
    error_message,
    error_of,
    refusal_of,
)
from dragoman.server.protocols.palabra.fields import BadTask, tempo_of
from dragoman.server.protocols.palabra.job import OUTPUT_HZ, VOICE_NOT_FOUND
from dragoman.server.protocols.palabra.languages import base_of
from dragoman.server.protocols.palabra.limits import Rate
from dragoman.server.protocols.palabra.order import Turns
from dragoman.server.protocols.palabra.tts_requests import Cancel, Init, Piece, VoiceOptions, parse
from dragoman.server.protocols.palabra.tts_stream import Speaking, last_chunk
from dragoman.server.protocols.palabra.voices import Abilities
from dragoman.server.wire import CONTROL_BYTES, BaseAdapter, close_reason

MAX_WAITING = 16_384
"""Characters of pieces whose sentence has not ended."""
TEXTS_PER_SECOND = 50
MAX_SESSIONS = 4
"""So many voices may be talking, one behind the other."""


class TtsAdapter(BaseAdapter):
    """server.commands.Adapter for the socket; another voice gets a session of its own, behind the one before."""

    protocol = "palabra-tts"

    def __init__(
        self,
        abilities: Abilities,
        now: Callable[[], float] = time.monotonic,
        control_bytes: int = CONTROL_BYTES,
    ) -> None:
        super().__init__(control_bytes)
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
        self._torn: set[Key] = set()
        """The sessions whose last file has lost its end with a text that was refused."""
        self._rate = Rate(TEXTS_PER_SECOND, 1.0, now)

    def parse(self, message: str | bytes) -> object:
        """The message, or the BadTask that it is."""
        return parse(message, self._control_bytes)

    def receive(self, parsed: object) -> Sequence[Command | Output]:
        """Take one message."""
        try:
            match parsed:
                case Init():
                    return self._begin(parsed)
                case Piece():
                    return self._text(parsed)
                case Cancel():
                    return self._cancel()
                case BadTask():
                    raise parsed
                case _:
                    return ()
        except Refused as refused:
            return [error_message(refused.code, str(refused))]
        except BadTask as error:
            return [error_message(VALIDATION_ERROR, str(error))]
        except NotReady as error:
            return [error_message(*error_of(error)[:2])]

    def event(self, key: Key, event: Event) -> Sequence[Output]:
        """Audio, when it is its session's turn."""
        return self._turns.event(key, event)

    def failed(self, key: Key | None, error: Exception) -> Sequence[Output]:
        """Say why. The client may go on with another text, unless the connection itself is at fault."""
        code, text, close = error_of(error)
        if key is None and not isinstance(error, MessageTooLarge):
            kept = self._turns.drain() if isinstance(error, IdleTooLong) else []
            self._turns.clear()
            return [*kept, error_message(code, text), Close(close, close_reason(text))]
        if key == self._key:
            self._key = None
        return [*self._turns.over(key), error_message(code, text)]

    def refused(self, key: Key, text_id: Hashable, error: ModelError) -> Sequence[Output]:
        """A text is not said after all: nothing comes of it, and its generation ends without it."""
        if key in self._turns and self._turns[key].ends_file(str(text_id)):
            self._torn.add(key)
        nothing = Speech(b"", "", 0.0, 0.0, None, 0.0, last=True, text_id=text_id)
        ends = (Translated(0, text_id=text_id), nothing)
        return [refusal_of(error), *(output for end in ends for output in self._turns.event(key, end))]

    def _begin(self, init: Init) -> Sequence[Command | Output]:
        if self._init is not None:
            raise Refused(BAD_REQUEST, "init came already")
        self._init, self._options = init, init.voice_options
        return self._open(init)

    def _open(self, init: Init) -> list[Command | Output]:
        """A session for the present options, behind those before it."""
        language = base_of(init.language) or ""
        choice = self._abilities.voice(self._options.voice_id, language)
        wish = TargetWish(language, voice_id=choice.voice_id, tempo=tempo_of(self._options.speed))
        before, self._key = self._key, next(self._keys)
        self._turns.add(self._key, Speaking())
        sound = init.output.written
        commands: list[Command | Output] = [Finish(before)] if before is not None else []
        commands.append(Open(self._key, pcm(OUTPUT_HZ), sound, targets=(wish,), hears=False, after=before))
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
        named = piece.voice_options
        options = self._options.model_copy(update={name: getattr(named, name) for name in named.model_fields_set})
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
        self._turns[self._key].give(text_id, self._generation_id or "", final=final)
        said = [Say(self._key, self._given(text_id, text, final=final))]
        if self._key not in self._torn:
            return [*said]
        self._torn.discard(self._key)
        return [Say(self._key, self._given("", "", final=True)), *said]

    def _given(self, text_id: str, text: str, *, final: bool) -> GivenText:
        assert self._init is not None  # noqa: S101
        return GivenText(text_id, text, base_of(self._init.language) or "", translate=False, ends_stream=final)

    def _cancel(self) -> Sequence[Command | Output]:
        self._waiting, self._generation_id = "", None
        commands: list[Command] = [Interrupt(key) for key, _ in self._turns]
        # The file that was begun ends unheard: what is said next is one of its own.
        commands += [Say(key, self._given("", "", final=True)) for key, _ in self._turns]
        begun: dict[str, None] = {}
        for key, speaking in self._turns:
            begun |= dict.fromkeys(speaking.stop())
            self._turns.forget(key, lambda event: isinstance(event, Speech | Translation | Translated))
        return [*commands, *map(last_chunk, begun)]
