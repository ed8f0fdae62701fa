"""The measures that other tests trust: they see a leak, and nothing else."""

import threading

import numpy as np

from tests.costs import allocated_bytes, growth_bytes, leaked_bytes


def test_what_leaks_in_every_round_is_found() -> None:
    kept: list[object] = []
    assert 90_000 < growth_bytes(lambda: kept.append(np.ones(100_000, np.uint8))) < 200_000


def test_what_is_freed_is_no_leak_however_much_it_was() -> None:
    def work() -> None:
        kept = [np.ones(size, np.uint8) for size in range(1_000, 1_000_000, 7_001)]
        thread = threading.Thread(target=lambda: np.ones(10_000_000).sum())
        thread.start()
        thread.join()
        del kept

    assert growth_bytes(work) < 50_000


def test_memory_of_any_size_and_of_any_thread_counts() -> None:
    for size in (10_000, 1_000_000, 100_000_000):
        kept: list[object] = []
        before = allocated_bytes()
        thread = threading.Thread(target=lambda size=size, kept=kept: kept.append(np.ones(size, np.uint8)))
        thread.start()
        thread.join()
        assert size * 0.9 < allocated_bytes() - before < size + 200_000


def test_what_is_taken_once_is_no_leak() -> None:
    assert leaked_bytes([100, 900, 900, 910]) == 0
    assert leaked_bytes([100, 110, 900, 930]) == 10
