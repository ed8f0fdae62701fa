"""What work costs this process, measured so that other work on the machine does not count."""

import time
from collections.abc import Callable

import psutil

ROUNDS = 3


def cpu_s(work: Callable[[], object]) -> float:
    """Processor time of this thread; compare it with that of other work, not with a number of seconds."""
    begun_s = time.thread_time()
    work()
    return time.thread_time() - begun_s


def growth_bytes(work: Callable[[], object]) -> int:
    """By how much memory grows with each round of the work.

    What leaks, leaks in every round; what an allocator takes now and then is not in the least of several.
    """
    process, grown = psutil.Process(), []
    work()
    for _ in range(ROUNDS):
        before = process.memory_info().rss
        work()
        grown.append(process.memory_info().rss - before)
    return min(grown)
