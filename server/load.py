"""How many sessions this machine can serve in time, from what the engines were measured to need.

For each engine the time that its calls took for final requests is set against the seconds of audio that came in
meanwhile: its real-time factor (RTF). Partials do not count, because they give way. A session that streams in real
time needs that share of one of the engine's workers, and of one of the machine's cores; the sessions that fit are
those that the scarcest of these can carry. Old measurements fade, with a half-life of HALF_LIFE_S.
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
"""Less audio than this says nothing about the machine."""


class LoadMeter:
    """Engines tell it their calls, from their threads; sessions tell it their audio."""

    def __init__(self, cores: int | None = None, now: Callable[[], float] = time.monotonic) -> None:
        available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._cores = cores or available
        self._now = now
        self._lock = threading.Lock()
        self._workers: dict[str, int] = {}
        self._busy_s: defaultdict[str, float] = defaultdict(float)
        self._audio_s = 0.0
        self._faded_s = now()

    def engines(self, batching: Mapping[str, Batching]) -> None:
        """Which engines there are, and how many calls each makes at once."""
        self._workers = {name: how.workers for name, how in batching.items()}

    def engine(self, record: BatchRecord) -> None:
        """One call of an engine."""
        with self._lock:
            self._fade()
            self._busy_s[record.name] += record.run_s * record.finals / record.size

    def audio(self, seconds: float) -> None:
        """Audio came in, in any session."""
        with self._lock:
            self._fade()
            self._audio_s += seconds

    def capacity(self, share: float) -> float:
        """How many sessions fit into `share` of the machine; infinite while too little is known."""
        with self._lock:
            self._fade()
            if self._audio_s < EVIDENCE_S:
                return math.inf
            factors = {name: busy_s / self._audio_s for name, busy_s in self._busy_s.items()}
        needs = [factor / self._workers.get(name, 1) for name, factor in factors.items()]
        scarcest = max([*needs, sum(factors.values()) / self._cores], default=0.0)
        return share / scarcest if scarcest > 0 else math.inf

    def _fade(self) -> None:
        now = self._now()
        factor = 0.5 ** ((now - self._faded_s) / HALF_LIFE_S)
        self._faded_s = now
        self._audio_s *= factor
        for name in self._busy_s:
            self._busy_s[name] *= factor
