"""When to try again what broke."""

import time
from collections.abc import Iterator

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0


def pauses(patience_s: float) -> Iterator[float]:
    """How long to wait before each try: not at all, then each time twice as long, up to LONGEST_PAUSE_S.

    Ends when a try would begin more than `patience_s` seconds after the first.
    """
    end_s, pause_s = time.monotonic() + patience_s, FIRST_PAUSE_S
    yield 0.0
    while time.monotonic() + pause_s <= end_s:
        yield pause_s
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
