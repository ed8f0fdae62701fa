"""Memory that was freed goes back to the system.

What threads of engines and codecs free stays in their arenas of the C library, in pieces between what lives, and is
given back only from an arena's end: a server that holds the same for hours grows all the same, by some 80 MiB in half
an hour on two cores, and by more where there are more cores and so more arenas. glibc's `malloc_trim` gives back whole
pages wherever they lie. Elsewhere there is nothing to do.
"""

import asyncio
import ctypes
from collections.abc import Callable

EVERY_S = 60.0

Trim = Callable[[], object]


def trimmer() -> Trim | None:
    """What gives free memory back, or None where the C library has no such thing. It takes milliseconds."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None:
        return None
    trim.argtypes = [ctypes.c_size_t]
    return lambda: trim(0)


async def trim_for_ever(trim: Trim | None, every_s: float = EVERY_S) -> None:
    """Give back what is free once in a while, in a thread: it waits for nothing but the allocator's locks."""
    while trim is not None:
        await asyncio.sleep(every_s)
        await asyncio.to_thread(trim)
