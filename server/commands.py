"""The language between a vendor's adapter and the connection: commands one way, outputs the other.

An adapter does no I/O. It turns a client's messages into commands about sessions, which it names by keys of its own,
and what happens to those sessions into outputs for the socket.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

from dragoman.config.settings import ListenSettings
from dragoman.models.errors import ModelError
from dragoman.models.plan import TargetWish
from dragoman.pipeline.audio.formats import AudioFormat
from dragoman.pipeline.events import Event
from dragoman.pipeline.items import GivenText
from dragoman.pipeline.latency import Latency

Key = Hashable
"""An adapter's name for one of the sessions on its connection."""


@dataclass(frozen=True, slots=True)
class Open:
    """Start a session. `source` None: detect, among `candidates` where there are any.

    `target` and `voice_id` are for the usual single target (None: no translation, the default voice); `targets` takes
    their place, and none of them means that speech is only written down. `output_format` None: text only. The rest is
    as in `SessionRequest` and `Engines.plan`; `limit_s` is a shorter length of the session than the operator's. Not
    `hears`: the session is given text only (`Say`), and no recogniser is needed. `after`: the session, finished already
    or about to be, whose place among the server's sessions this one takes over: a changed configuration needs no room.
    """

    key: Key
    input_format: AudioFormat
    output_format: AudioFormat | None
    source: str | None = None
    target: str | None = None
    voice_id: str | None = None
    targets: tuple[TargetWish, ...] | None = None
    candidates: frozenset[str] = frozenset()
    keywords: tuple[str, ...] = ()
    locks_language: bool = True
    partials: bool = False
    latency: Latency | None = None
    listen: ListenSettings | None = None
    limit_s: float | None = None
    input_limit_s: float = math.inf
    hears: bool = True
    speakers: bool = False
    follows: bool = False
    after: Key | None = None


@dataclass(frozen=True, slots=True)
class Admit:
    """Look at a key that came in a message (None: none came); `Adapter.admitted` is given what it allows.

    Until then no other message is received. Where it opens nothing, the connection fails.
    """

    key: str | None


@dataclass(frozen=True, slots=True)
class Feed:
    """More of a session's input."""

    key: Key
    data: bytes


@dataclass(frozen=True, slots=True)
class Say:
    """Text to be said in a session as if it had been heard. It may be refused (`Adapter.refused`)."""

    key: Key
    given: GivenText


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Stop saying what a session heard or was given so far, in these target languages or in all."""

    key: Key
    languages: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Expect:
    """Names and terms that a session is to expect from its next segment on, in place of those before."""

    key: Key
    keywords: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FlushInput:
    """Commit what a session has heard so far."""

    key: Key
    flush_id: Hashable


@dataclass(frozen=True, slots=True)
class Finish:
    """A session's input is complete."""

    key: Key


@dataclass(frozen=True, slots=True)
class Send:
    """One message for the client. `audio_s` is the length of the audio in it; `error` its code if it is an error."""

    data: str | bytes
    audio_s: float = 0.0
    error: int | str | None = None


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection with this close code; what is behind it is not sent."""

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Abort:
    """End a session at once; nothing more is heard of it."""

    key: Key


Command = Abort | Admit | Open | Expect | Feed | Say | Interrupt | FlushInput | Finish
Output = Send | Close


class Adapter(Protocol):
    """One client's connection as its vendor sees it. No method may block or do I/O."""

    protocol: str
    """The vendor's name, for metrics and logs."""

    def parse(self, message: str | bytes) -> object:
        """Read one message of the client, faults included. Changes nothing here: large ones are read in a worker."""
        ...

    def receive(self, parsed: object) -> Sequence[Command | Output]:
        """Take what `parse` read. Raises nothing: what is wrong becomes an output."""
        ...

    def admitted(self, grant: object) -> Sequence[Command | Output]:
        """The key that the adapter wanted to be looked at (`Admit`) allows this."""
        ...

    def opened(self, key: Key, session_id: str) -> Sequence[Output]:
        """The session was opened and is running."""
        ...

    def event(self, key: Key, event: Event) -> Sequence[Output]:
        """Something happened in a session. Raises a ModelError or Failure to end that session with it."""
        ...

    def failed(self, key: Key | None, error: Exception) -> Sequence[Output]:
        """A session (or, where `key` is None, the whole connection) ended with a Failure, ModelError or AudioError."""
        ...

    def refused(self, key: Key, text_id: Hashable, error: ModelError) -> Sequence[Output]:
        """A text cannot be said; the session goes on."""
        ...

    def patience_s(self) -> float | None:
        """How long the client may be silent from now on, in seconds; None: as long as the operator lets it.

        Past it, what was heard is said, and the connection fails with IdleTooLong.
        """
        ...
