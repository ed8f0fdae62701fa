"""What work costs this process, measured so that other work on the machine does not count."""

import ctypes
import time
from collections.abc import Callable
from itertools import pairwise

import psutil

ROUNDS = 3


class _Mallinfo(ctypes.Structure):
    """`struct mallinfo2` of glibc, the sum over all threads."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


_mallinfo = getattr(ctypes.CDLL(None), "mallinfo2", None)
if _mallinfo is not None:
    _mallinfo.restype = _Mallinfo


def cpu_s(work: Callable[[], object]) -> float:
    """Processor time of this thread; compare it with that of other work, not with a number of seconds.

    The least of several: what else uses the caches, or the machine under this one, can only add to it.
    """
    costs = []
    for _ in range(ROUNDS):
        begun_s = time.thread_time()
        work()
        costs.append(time.thread_time() - begun_s)
    return min(costs)


def allocated_bytes() -> int:
    """What was allocated in this process and not freed: samples, and whatever libraries hold; not small Python objects.

    The memory of the process is something else: it has in it what allocators keep for later, which depends on all that
    ran before, and what the kernel adds when it joins such pages to huge ones, whenever it likes. It stands in only
    where the C library does not tell.
    """
    if _mallinfo is None:
        return int(psutil.Process().memory_info().rss)
    found = _mallinfo()
    return int(found.uordblks + found.hblkhd)


def leaked_bytes(levels: list[int]) -> int:
    """What every round adds, by what is held after each of them.

    What leaks, leaks in every round; what is taken once, for the longest input so far or by an engine's own allocator,
    is not in the least of several.
    """
    return min(after - before for before, after in pairwise(levels))


def growth_bytes(work: Callable[[], object]) -> int:
    """By how much memory grows with each round of the work."""
    levels = []
    for _ in range(1 + ROUNDS):
        work()
        levels.append(allocated_bytes())
    return leaked_bytes(levels)
