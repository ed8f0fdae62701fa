"""Waiting for what other threads and processes do.

A test waits until something is so, never for a time in which it should have become so. PATIENCE_S is no part of what a
test proves: it makes of a test that would hang one that says what it waited for, before pytest's own limit.
"""

import asyncio
import time
from collections.abc import Callable

PATIENCE_S = 60.0


def until(true: Callable[[], object], what: str = "") -> None:
    """Return as soon as it is true."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline_s, _never(what)
        time.sleep(0.01)


async def until_async(true: Callable[[], object], what: str = "") -> None:
    """`until`, while the event loop goes on."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline_s, _never(what)
        await asyncio.sleep(0.005)


def _never(what: str) -> str:
    return f"it did not come true in {PATIENCE_S:g} s{f': {what}' if what else ''}"
