"""Work that takes more than a moment leaves the event loop through here."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Offload:
    """A small pool of threads for signal processing (decoding, voice activity, resampling, encoding).

    The models have owner threads of their own. Two threads are enough: what runs here takes milliseconds.
    """

    def __init__(self, threads: int = 2) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="dragoman-signal")

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `function` in the pool and wait for its result without blocking the event loop."""
        call = asyncio.get_running_loop().run_in_executor
        return await call(self._pool, lambda: function(*args, **kwargs))

    def close(self) -> None:
        """Wait for what runs and end the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)
