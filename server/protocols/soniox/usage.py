"""What was used: one entry for each stream, each spoken text and each transcription since the server started."""

import uuid
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

MAX_ENTRIES = 20_000
"""Of those that are over; more push out the oldest, of whichever key."""

Kind = Literal["stt", "tts", "async"]


def utc_now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


@dataclass(eq=False, slots=True)
class Use:
    """One request. Tokens of text are words. `ended` None: it still runs."""

    kind: Kind
    owner: str
    model: str
    reference: str
    started: datetime
    ended: datetime | None = None
    input_text_tokens: int = 0
    input_audio_ms: int = 0
    output_text_tokens: int = 0
    output_audio_ms: int = 0
    uid: str = field(default_factory=lambda: str(uuid.uuid4()))


class Ledger:
    """The entries of all keys. Only the event loop touches it."""

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self.now = now
        self._running: set[Use] = set()
        self._over: deque[Use] = deque(maxlen=MAX_ENTRIES)

    def begin(self, kind: Kind, owner: str, model: str, reference: str) -> Use:
        """A request begins to be served."""
        use = Use(kind, owner, model, reference, self.now())
        self._running.add(use)
        return use

    def end(self, use: Use) -> None:
        """It is over; saying so again changes nothing."""
        if use in self._running:
            self._running.discard(use)
            use.ended = self.now()
            self._over.append(use)

    def running(self, kind: Kind, owner: str | None = None) -> int:
        """How many requests of a kind run now, of one key or of all."""
        return sum(use.kind == kind and owner in (None, use.owner) for use in self._running)

    def over(self, owner: str) -> Iterator[Use]:
        """A key's requests that are over, in the order in which they ended."""
        return (use for use in self._over if use.owner == owner)

    def all_of(self, owner: str) -> Iterator[Use]:
        """A key's requests that are over, and those that run."""
        yield from self.over(owner)
        yield from (use for use in self._running if use.owner == owner)
