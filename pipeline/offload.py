"""Work that takes more than a moment leaves the event loop through here."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Offload:
    """A small pool of threads for signal processing (voice activity, resampling, plain samples, encoding).

    The models have owner threads of their own. Two threads are enough: what runs here takes milliseconds, whatever a
    client sends. What a client can make long is for `OwnThread`.
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


class OwnThread:
    """One session's own thread, for what its client can make long: nobody else waits for it.

    It starts with the first call, ends with `close`, and does not keep the process from ending.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `function` in the thread, behind what was asked before, and wait for its result."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
            self._thread.start()
        future: Future[T] = Future()

        def call() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(function(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001  (it is raised where it is waited for)
                future.set_exception(error)

        self._calls.put(call)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Nothing more is wanted; does not wait for what runs."""
        self._calls.put(None)

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
