"""A fault that comes at a chosen moment: a coroutine is interrupted where it waits for the n-th time.

With n from 1 up until nothing is left to interrupt, a test has seen every place at which something can be cancelled or
fail, whatever the code looks like inside:

    at = 1
    while await run_interrupted(make, at, asyncio.CancelledError()):
        assert nothing_is_held()
        at += 1
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextvars import ContextVar
from types import CoroutineType
from typing import Any

_fault: ContextVar["_Fault | None"] = ContextVar("fault", default=None)


async def run_interrupted(
    make_coroutine: Callable[[], Coroutine[Any, Any, object]], at: int, with_: BaseException, *, tasks: bool = False
) -> bool:
    """Run `make_coroutine()` and raise `with_` in it where it waits for the `at`-th time, counted from 1.

    Gives whether it waited so often. A CancelledError comes as a task's does: what is waited for is cancelled first.
    Anything else comes as if what is waited for had failed with it; a task group's own wait, which cannot fail, does
    not count then. `tasks`: what the tasks wait for that the coroutine starts counts too, in the order in which it
    happens; a CancelledError is still the coroutine's own, another error is raised in whichever task waits. When the
    coroutine raises `with_` in the end, or CancelledError after one, that is no surprise; anything else that it raises
    is raised here.
    """
    loop, fault = asyncio.get_running_loop(), _Fault(at, with_)
    factory = loop.get_task_factory()

    def make_task(
        loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any
    ) -> asyncio.Task[Any]:
        found = _fault.get()
        return asyncio.Task(coroutine if found is None else _Counted(coroutine, found), loop=loop, **options)

    if tasks:
        loop.set_task_factory(make_task)
    token = _fault.set(fault if tasks else None)
    try:
        fault.task = asyncio.Task(_Counted(make_coroutine(), fault), loop=loop)
    finally:
        _fault.reset(token)
    try:
        await asyncio.wait({fault.task})
    finally:
        fault.task.cancel()
        loop.set_task_factory(factory)
    if fault.reached and fault.task.cancelled():
        return True
    error = fault.task.exception()
    if error is not None and error is not with_:
        raise error
    return fault.reached


class _Fault:
    """When to raise what, in whom."""

    def __init__(self, at: int, error: BaseException) -> None:
        self.error = error
        self.task: asyncio.Task[Any] | None = None
        self._left = at

    @property
    def reached(self) -> bool:
        return self._left <= 0

    def is_now(self) -> bool:
        """Count another time that somebody waits."""
        self._left -= 1
        return self._left == 0


class _Counted(Coroutine[Any, Any, Any]):
    """A coroutine each of whose waits is counted, one of them interrupted."""

    def __init__(self, inner: Coroutine[Any, Any, Any], fault: _Fault) -> None:
        self._inner = inner
        self._fault = fault

    def send(self, value: Any) -> Any:
        return self._waits(self._inner.send(value))

    def throw(self, *error: Any) -> Any:
        return self._waits(self._inner.throw(*error))

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        raise TypeError("only a task can run this, by send and throw")

    def _waits(self, awaited: Any) -> Any:
        cancels = isinstance(self._fault.error, asyncio.CancelledError)
        if not cancels and _innermost(self._inner) == "TaskGroup.__aexit__":
            return awaited
        if not self._fault.is_now():
            return awaited
        if not cancels:
            return self.throw(self._fault.error)
        assert self._fault.task is not None
        self._fault.task.cancel()
        return awaited


def _innermost(waiting: object) -> str:
    """The name of the coroutine function that waits; what lies behind an asynchronous generator is not looked at."""
    name = ""
    while isinstance(waiting, CoroutineType):
        name, waiting = waiting.cr_code.co_qualname, waiting.cr_await
    return name
