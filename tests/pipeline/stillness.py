"""When a session in this process has done all that it can do with what it was given.

A session's stages wait for an item in a queue, a job in the pool or a call of an engine. All of them are counted where
the session waits for them, on the event loop, so being still is a fact and no guess of how long things take: `settled`
lets a test speak in real time, however slow the machine is.
"""

import asyncio
import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, Self, TypeVar

from dragoman.models.registry import Engines
from dragoman.pipeline.offload import Offload
from dragoman.pipeline.session import Session
from tests.fakes.work_clock import FakeWorkClock

P = ParamSpec("P")
T = TypeVar("T")

TURNS = 50
"""Of the event loop: more than there are steps from a result that has come to the next thing that is waited for."""


class Stillness:
    """Counts what engines are asked while the block lasts, and what runs in `offload`, which is the session's pool.

    `work_clock` is for the session too.
    """

    def __init__(self, engines: Engines) -> None:
        self.offload = CountingOffload(self)
        self.work_clock = FakeWorkClock()
        """Its session's: no time passes on it, however slow the machine is."""
        self._engines = engines
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def __enter__(self) -> Self:
        for name, method in inspect.getmembers(type(self._engines), inspect.isfunction):
            if inspect.iscoroutinefunction(method):
                setattr(self._engines, name, self._counted(getattr(self._engines, name)))
            elif inspect.isasyncgenfunction(method):
                setattr(self._engines, name, self._counted_steps(getattr(self._engines, name)))
        return self

    def __exit__(self, *_: object) -> None:
        for name, method in inspect.getmembers(type(self._engines), inspect.isfunction):
            if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method):
                delattr(self._engines, name)
        self.offload.close()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Something is waited for that the event loop does not do."""
        self._running += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    async def settled(self, session: Session) -> None:
        """Return when nothing runs and nothing waits in the session's queues."""
        calm = 0
        while calm < TURNS:
            await self._idle.wait()
            calm = 0 if any(session.depths.values()) else calm + 1
            await asyncio.sleep(0)
            if self._running:
                calm = 0

    def _counted(self, method: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        async def call(*args: P.args, **kwargs: P.kwargs) -> T:
            with self.running():
                return await method(*args, **kwargs)

        return call

    def _counted_steps(self, method: Callable[P, AsyncGenerator[T, None]]) -> Callable[P, AsyncGenerator[T, None]]:
        async def steps(*args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T, None]:
            blocks = method(*args, **kwargs)
            try:
                while True:
                    with self.running():
                        try:
                            block = await anext(blocks)
                        except StopAsyncIteration:
                            return
                    yield block
            finally:
                await blocks.aclose()

        return steps


class CountingOffload(Offload):
    """The pool, with its jobs counted."""

    def __init__(self, stillness: Stillness) -> None:
        super().__init__()
        self._stillness = stillness

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        with self._stillness.running():
            return await super().run(function, *args, **kwargs)
