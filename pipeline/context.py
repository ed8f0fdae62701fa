"""What the stages of one session share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from dragoman.config.settings import Settings
from dragoman.models.plan import Plan
from dragoman.models.registry import Engines
from dragoman.pipeline.clock import InputClock, RealTime, WorkClock
from dragoman.pipeline.events import Event
from dragoman.pipeline.latency import LatencyPolicy
from dragoman.pipeline.observer import SessionObserver
from dragoman.pipeline.offload import Offload
from dragoman.pipeline.partials import Partials


@dataclass(frozen=True, slots=True)
class SessionContext:
    """One session's identity, choices and tools; nothing here holds audio or text.

    `emit` hands an event to whoever listens; it never blocks and may raise to end the session. `partials`: whether
    somebody wants to see what is not certain yet. `speakers`: whether somebody wants to know who speaks. `follows`:
    whether somebody wants to know how much audio has come in. `trials` are questions that may fail.
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
    follows: bool = False
    work_clock: WorkClock = field(default_factory=RealTime)
    trials: Partials = field(default_factory=Partials)

    def grows(self, source: str, target: str) -> bool:
        """Whether clauses on their way from `source` to `target` are translated again while they grow."""
        if not self.policy.retranslate_words or source == target:
            return False
        chosen = self.settings.translate.agreement
        return chosen == "on" or (chosen == "auto" and self.engines.translates_growing(source, target))

    def by_phrases(self, source: str) -> bool:
        """Whether clauses in `source` may end before a phrase: in no branch if not in all of them."""
        targets = [branch.wish.target_of(source) for branch in self.plan.branches]
        return not any(target is not None and self.grows(source, target) for target in targets)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Tell the observer how long the block took."""
        started = monotonic()
        try:
            yield
        finally:
            self.observer.stage_time(stage, monotonic() - started)
