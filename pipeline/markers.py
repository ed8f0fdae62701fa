"""Flush and end, when every branch of a session has reached them."""

from collections.abc import Callable

from dragoman.pipeline.events import Ended, Event, Flushed
from dragoman.pipeline.items import End, Flush


class Markers:
    """Waits for each marker until all `branches` have reached it, then says so. Each branch reaches them in order."""

    def __init__(self, branches: int, emit: Callable[[Event], None]) -> None:
        self._branches = branches
        self._emit = emit
        self._reached: dict[int, int] = {}  # by the marker's identity: two flushes may have the same id

    def reached(self, marker: Flush | End) -> None:
        """One branch has said everything before the marker."""
        count = self._reached.get(id(marker), 0) + 1
        if count < self._branches:
            self._reached[id(marker)] = count
            return
        self._reached.pop(id(marker), None)
        self._emit(Ended(marker.at_s) if isinstance(marker, End) else Flushed(marker.flush_id, marker.at_s))
