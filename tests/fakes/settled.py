"""When a session has done what it can with what it was fed, however fast or busy the machine is.

A test that feeds the next piece then feeds it "in real time", as far as stages can tell.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from dragoman.models.registry import Engines
from dragoman.pipeline.offload import Offload
from dragoman.pipeline.session import Session


class FakeWatchedOffload(Offload):
    """A pool of which one can see whether anybody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.awaited = 0

    async def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        self.awaited += 1
        try:
            return await super().run(function, *args, **kwargs)
        finally:
            self.awaited -= 1


async def settled(session: Session, engines: Engines, offload: FakeWatchedOffload) -> None:
    """Wait until nothing waits in the session's queues, no thread works for it, and the event loop has nothing to do.

    The session's input must be plain samples, which need no thread of their own.
    """
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    while True:
        await asyncio.sleep(0)
        if any(map(_works, engines._owners)) or offload.awaited:
            await asyncio.sleep(0.0005)  # lets the threads have the interpreter
        elif not ready and not any(session.depths.values()):
            return


def _works(owner: Any) -> bool:
    with owner._changed:
        return bool(len(owner._queue) or any(owner._running.values()))
