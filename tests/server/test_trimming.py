"""Free memory goes back to the system, and nothing else happens."""

import asyncio
import gc
import threading

import psutil
import pytest

from dragoman.server.trimming import trim_for_ever, trimmer
from tests.waiting import until_async

PIECE = 100_000
PIECES = 800
MIB = 1 << 20


def fragments() -> list[bytearray]:
    """Much that is free between little that lives, in an arena of another thread than the main one."""
    kept: list[bytearray] = []

    def fill() -> None:
        pieces = [bytearray(PIECE) for _ in range(PIECES)]
        kept.extend(pieces[::40])
        pieces.clear()

    thread = threading.Thread(target=fill)
    thread.start()
    thread.join()
    gc.collect()
    return kept


@pytest.mark.skipif(trimmer() is None, reason="this C library has no malloc_trim")
def test_what_is_free_between_what_lives_goes_back() -> None:
    trim = trimmer()
    assert trim is not None
    kept = fragments()
    before = psutil.Process().memory_info().rss
    trim()
    gone = before - psutil.Process().memory_info().rss
    assert kept
    assert gone > PIECE * PIECES / 2


async def test_again_and_again_until_it_is_cancelled() -> None:
    called: list[int] = []
    task = asyncio.create_task(trim_for_ever(lambda: called.append(threading.get_ident()), every_s=0.0))
    await until_async(lambda: len(called) >= 3)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert threading.get_ident() not in called


async def test_nothing_to_do_ends_at_once() -> None:
    await trim_for_ever(None)
