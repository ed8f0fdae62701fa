"""So many commands in so much time."""

from collections import deque
from collections.abc import Callable


class Rate:
    """At most `count` in any `window_s` seconds of the clock `now`."""

    def __init__(self, count: int, window_s: float, now: Callable[[], float]) -> None:
        self._count = count
        self._window_s = window_s
        self._now = now
        self._times: deque[float] = deque()

    def take(self) -> bool:
        """Count one, unless there were too many already."""
        now = self._now()
        while self._times and self._times[0] <= now - self._window_s:
            self._times.popleft()
        if len(self._times) >= self._count:
            return False
        self._times.append(now)
        return True
