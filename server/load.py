"""How many sessions this machine can serve in time, from what the engines were measured to need.

For each engine the time that its calls took for final requests is set against the seconds of speech that its stage
served meanwhile: its real-time factor (RTF). Whatever is heard is served by every stage. A text that was given instead
of speech is served only by the stages that it goes through, and counts as the seconds that it takes to say it; so
neither look the engines behind it dear, nor those that it passes by cheap. Partials do not count, because they give
way, nor do calls that failed, which tell of no work that was done. A session that streams in real time needs that share
of one of the engine's workers, and of one of the machine's cores; the sessions that fit are those that the scarcest of
these can carry. Old measurements fade, with a half-life of HALF_LIFE_S.
"""

import math
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping

from dragoman.models.base import Batching
from dragoman.models.batching import BatchRecord

HALF_LIFE_S = 60.0

EVIDENCE_S = 20.0
"""An engine that has served less speech than this says nothing about the machine."""


class LoadMeter:
    """Engines tell it their calls, from their threads; sessions tell it their audio and their texts."""

    def __init__(self, cores: int | None = None, now: Callable[[], float] = time.monotonic) -> None:
        available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._cores = cores or available
        self._now = now
        self._lock = threading.Lock()
        self._workers: Mapping[str, int] = {}
        self._stages: Mapping[str, str] = {}
        self._busy_s: defaultdict[str, float] = defaultdict(float)
        self._heard_s = 0.0
        self._given_s: defaultdict[str, float] = defaultdict(float)
        self._faded_s = now()

    def engines(self, batching: Mapping[str, Batching], stages: Mapping[str, str]) -> None:
        """Which engines there are, how many calls each makes at once, and the stage that each is for."""
        self._workers = {name: how.workers for name, how in batching.items()}
        self._stages = stages

    def engine(self, record: BatchRecord) -> None:
        """One call of an engine."""
        if record.failed:
            return
        with self._lock:
            self._fade()
            self._busy_s[record.name] += record.run_s * record.finals / record.size

    def audio(self, seconds: float) -> None:
        """Audio came in, in any session."""
        with self._lock:
            self._fade()
            self._heard_s += seconds

    def text(self, stage: str, seconds: float) -> None:
        """A stage served a text that was given, and takes so long to be said."""
        with self._lock:
            self._fade()
            self._given_s[stage] += seconds

    def capacity(self, share: float) -> float:
        """How many sessions fit into `share` of the machine; infinite while too little is known."""
        with self._lock:
            self._fade()
            served_s = {name: self._heard_s + self._given_s[self._stages.get(name, "")] for name in self._busy_s}
            factors = {name: self._busy_s[name] / served_s[name] for name in served_s if served_s[name] >= EVIDENCE_S}
        needs = [factor / self._workers.get(name, 1) for name, factor in factors.items()]
        scarcest = max([*needs, sum(factors.values()) / self._cores], default=0.0)
        return share / scarcest if scarcest > 0 else math.inf

    def _fade(self) -> None:
        now = self._now()
        factor = 0.5 ** ((now - self._faded_s) / HALF_LIFE_S)
        self._faded_s = now
        self._heard_s *= factor
        for measured in (self._busy_s, self._given_s):
            for name in measured:
                measured[name] *= factor
