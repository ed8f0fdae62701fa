"""What a session says before it is its turn to be heard, within bounds."""

from collections.abc import Callable, Iterator

from dragoman.models.errors import Overloaded
from dragoman.pipeline.events import Event, Speech, Transcript, Translation

MOST_BYTES = 33_554_432
"""As much as may wait for a client that does not read (`limits.output_wait_bytes`)."""

EVENT_BYTES = 256
WORD_BYTES = 128
"""What an event and a word weigh beside their text and audio."""


class HeldEvents:
    """Events in order, kept until somebody takes them all."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._events: list[Event] = []
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._events)

    def append(self, event: Event) -> None:
        """Keep an event. Raises Overloaded where too much is kept; raised out of an adapter that ends the session."""
        size = size_bytes(event)
        if self._events and self._bytes + size > self._most_bytes:
            raise Overloaded("this session")
        self._events.append(event)
        self._bytes += size

    def take(self) -> Iterator[Event]:
        """All that is kept, which is forgotten here."""
        events, self._events, self._bytes = self._events, [], 0
        return iter(events)

    def forget(self, which: Callable[[Event], bool]) -> None:
        """Forget these."""
        self._events = [event for event in self._events if not which(event)]
        self._bytes = sum(map(size_bytes, self._events))


def size_bytes(event: Event) -> int:
    """About how much memory an event holds."""
    match event:
        case Speech():
            return EVENT_BYTES + len(event.audio)
        case Transcript():
            return EVENT_BYTES + 4 * len(event.text) + WORD_BYTES * len(event.words)
        case Translation():
            return EVENT_BYTES + 4 * len(event.text)
        case _:
            return EVENT_BYTES
