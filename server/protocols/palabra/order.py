"""Several sessions on one socket, one behind the other: what a later one says waits until the earlier ones are over."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from dragoman.pipeline.events import Ended, Event
from dragoman.server.commands import Key, Output
from dragoman.server.held import HeldEvents


class Rendering(Protocol):
    """One session's events as messages."""

    def event(self, event: Event) -> list[Output]:
        """Render what happened."""
        ...


RenderingT = TypeVar("RenderingT", bound=Rendering)


@dataclass(slots=True)
class _Turn(Generic[RenderingT]):
    rendering: RenderingT
    held: HeldEvents = field(default_factory=HeldEvents)


class Turns(Generic[RenderingT]):
    """The sessions that are not over, in order. Only the first is rendered, the events of the others are kept."""

    def __init__(self) -> None:
        self._turns: dict[Key, _Turn[RenderingT]] = {}

    def __len__(self) -> int:
        return len(self._turns)

    def __contains__(self, key: Key) -> bool:
        return key in self._turns

    def __iter__(self) -> Iterator[tuple[Key, RenderingT]]:
        return iter([(key, turn.rendering) for key, turn in self._turns.items()])

    def __getitem__(self, key: Key) -> RenderingT:
        return self._turns[key].rendering

    def add(self, key: Key, rendering: RenderingT) -> None:
        """A session behind those that are there."""
        self._turns[key] = _Turn(rendering)

    def event(self, key: Key, event: Event) -> list[Output]:
        """What there is to tell now that this has happened. Raises Overloaded where too much waits for its turn."""
        turn = self._turns.get(key)
        if turn is None:
            return []
        if key != next(iter(self._turns)):
            turn.held.append(event)
            return []
        return self.over(key) if isinstance(event, Ended) else turn.rendering.event(event)

    def over(self, key: Key) -> list[Output]:
        """A session is over, or given up; what those behind it have kept is told as far as it is their turn."""
        if self._turns.pop(key, None) is None or not self._turns:
            return []
        first = next(iter(self._turns))
        outputs: list[Output] = []
        for event in self._turns[first].held.take():
            outputs += self.event(first, event)
        return outputs

    def forget(self, key: Key, which: Callable[[Event], bool]) -> None:
        """Never tell what a session has kept of these events."""
        self._turns[key].held.forget(which)

    def drain(self) -> list[Output]:
        """All sessions are over: what those that waited have kept, in turn."""
        outputs: list[Output] = []
        while self._turns:
            outputs += self.over(next(iter(self._turns)))
        return outputs

    def clear(self) -> None:
        """Forget every session."""
        self._turns.clear()
