"""A fake fault at the n-th await: every task that a scenario starts is watched, and one of its awaits is interrupted.

`Interruption` counts the steps of all tasks that are created while it is installed. At the chosen step the coroutine
is thrown `Fault` in place of what it was waiting for, or `act` is called instead. A scenario is run for step 0, 1, 2 …
until a run is over before its step came: then every await was interrupted once.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any


class Fault(Exception):
    """What nothing expects."""


class Interruption:
    """A task factory for an event loop: interrupts step `at`, once. `reached`: it came; `where`: whose it was."""

    def __init__(self, at: int, act: Callable[[], object] | None = None) -> None:
        self.reached = False
        self.where = ""
        self._left = at
        self._act = act

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watch every task that is created from now on."""
        loop.set_task_factory(self._make)

    def _make(
        self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any
    ) -> asyncio.Task[Any]:
        return asyncio.Task(_Watched(coroutine, self), loop=loop, **options)

    def due(self, coroutine: Coroutine[Any, Any, Any]) -> bool:
        """Whether the coroutine is to be thrown the fault at this step."""
        if self.reached:
            return False
        self._left -= 1
        if self._left >= 0:
            return False
        self.reached, self.where = True, getattr(coroutine, "__qualname__", repr(coroutine))
        if self._act is not None:
            self._act()
        return self._act is None


class _Watched(Coroutine[Any, Any, Any]):
    """A coroutine whose resumptions are counted."""

    def __init__(self, inner: Coroutine[Any, Any, Any], interruption: Interruption) -> None:
        self._inner = inner
        self._interruption = interruption
        self._begun = False

    def send(self, value: Any) -> Any:
        # The first step is the beginning, not an await.
        if self._begun and self._interruption.due(self._inner):
            return self._inner.throw(Fault("thrown by the test"))
        self._begun = True
        return self._inner.send(value)

    def throw(self, *arguments: Any) -> Any:
        return self._inner.throw(*arguments)

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._inner.__await__()
