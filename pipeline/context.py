"""What the stages of one session share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from dragoman.config.settings import Settings
from dragoman.models.plan import Plan
from dragoman.models.registry import Engines
from dragoman.pipeline.clock import InputClock
from dragoman.pipeline.events import Event
from dragoman.pipeline.latency import LatencyPolicy
from dragoman.pipeline.observer import SessionObserver
from dragoman.pipeline.offload import Offload


@dataclass(frozen=True, slots=True)
class SessionContext:
    """One session's identity, choices and tools; nothing here holds audio or text.

    `emit` hands an event to whoever listens; it never blocks and may raise to end the session. `partials`: whether
    somebody wants to see what is not certain yet. `speakers`: whether somebody wants to know who speaks.
    """

    session_id: str
    plan: Plan
    engines: Engines
    settings: Settings
    offload: Offload
    observer: SessionObserver
    clock: InputClock
    emit: Callable[[Event], None]
    policy: LatencyPolicy
    partials: bool = False
    speakers: bool = False

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Tell the observer how long the block took."""
        started = monotonic()
        try:
            yield
        finally:
            self.observer.stage_time(stage, monotonic() - started)
