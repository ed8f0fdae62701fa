"""JSON that is made to be expensive, and what reading something costs in memory."""

import tracemalloc
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LISTS = "[" + ",".join(["[]"] * 300_000) + "]"
"""Three bytes for each list; a list takes 56 where it is built, and its place in another 8."""
KEYS = "{" + ",".join(f'"{number}":{{}}' for number in range(100_000)) + "}"
NESTED = '{"a":' * 100_000 + "1" + "}" * 100_000
LONG = '"' + "x" * 1_000_000 + '"'
NUMBERS = "[" + ",".join(["1e3"] * 250_000) + "]"
WIDE = '"' + "\u0905" * 300_000 + '"'
ESCAPED = '"' + "\\u0905" * 150_000 + '"'

EXPENSIVE = {
    "lists": LISTS,
    "keys": KEYS,
    "nested": NESTED,
    "long": LONG,
    "numbers": NUMBERS,
    "wide": WIDE,
    "escaped": ESCAPED,
}
"""Values of 900 kB and more, by what they are made of."""


def peak_bytes(work: Callable[[], T]) -> tuple[T, int]:
    """What `work` gives, and the most memory that it held while it ran."""
    tracemalloc.start()
    try:
        result = work()
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
