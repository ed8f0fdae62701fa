"""What a session holds in memory, counted object by object: a number that no allocator and no other test changes."""

import asyncio
import gc
import sys
from collections.abc import Iterable
from types import BuiltinFunctionType, FunctionType, ModuleType

import numpy as np

from dragoman.pipeline.session import Session


def held_bytes(session: Session, shared: Iterable[object]) -> int:
    """Bytes of the session and of what its tasks work on, without what is `shared` with others, such as engines.

    To be called from the test's task, while the session's are the only others.
    """
    seen = {id(one) for one in (*shared, asyncio.current_task(), asyncio.get_running_loop())}
    left: list[object] = [session, *asyncio.all_tasks()]
    total = 0
    while left:
        one = left.pop()
        if id(one) in seen or isinstance(one, type | ModuleType | BuiltinFunctionType):
            continue
        seen.add(id(one))
        total += sys.getsizeof(one)
        if isinstance(one, FunctionType):
            left += [one.__closure__, one.__defaults__]  # not its globals, which are everything
        elif isinstance(one, np.ndarray):
            left.append(one.base)
        else:
            left += gc.get_referents(one)
    return total
