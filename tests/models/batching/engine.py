"""An engine that tests hold and release, and how they give its owner work."""

import asyncio
import threading
from collections.abc import Sequence

from dragoman.models.batching import EngineOwner, Priority
from tests.waiting import PATIENCE_S

Owner = EngineOwner[str, str]


class Engine:
    """Shouts its requests back. While held, a call waits; texts that start with "bad" break their whole batch."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.entered = threading.Event()
        self.released = threading.Event()
        self.released.set()
        self.errors: dict[str, BaseException] = {"bad": ValueError("a secret of the engine")}

    def run(self, texts: Sequence[str]) -> list[str]:
        self.calls.append(list(texts))
        self.entered.set()
        assert self.released.wait(PATIENCE_S)
        for text in texts:
            if text in self.errors:
                raise self.errors[text]
        return [text.upper() for text in texts]

    @property
    def order(self) -> list[str]:
        return [text for call in self.calls for text in call]


async def hold(engine: Engine, owner: Owner) -> "asyncio.Task[str]":
    """Keep the engine busy with a request "held" until `engine.released` is set."""
    engine.entered.clear()
    engine.released.clear()
    task = submit(owner, "held", "holder")
    assert await asyncio.to_thread(engine.entered.wait, PATIENCE_S)
    return task


def submit(owner: Owner, text: str, session_id: str = "a", priority: Priority = Priority.FINAL) -> "asyncio.Task[str]":
    return asyncio.get_running_loop().create_task(
        owner.submit(text, session_id=session_id, priority=priority), name=text
    )


async def queued(owner: Owner, depth: int) -> None:
    """Let the tasks run until `depth` requests wait."""
    async with asyncio.timeout(PATIENCE_S):
        while owner.depth != depth:  # noqa: ASYNC110  (the owner has no such event, nor needs one)
            await asyncio.sleep(0)
