"""A clause on its way from a synthesizer's thread to the session that waits for it, block by block."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace

from dragoman.models.base import Samples, SynthesisRequest, Synthesizer
from dragoman.models.text.spoken import spoken


@dataclass(frozen=True, slots=True)
class SpokenSamples:
    """One block of a clause; `last` when the engine has no more."""

    samples: Samples
    last: bool


class SpokenClause:
    """One clause that is being spoken: the engine's thread puts blocks in, one task iterates over them.

    Not bounded: a clause is a sentence, and the engine must not wait for a session.
    """

    def __init__(self, request: SynthesisRequest, loop: asyncio.AbstractEventLoop) -> None:
        self.request = request
        self._loop = loop
        self._blocks: asyncio.Queue[SpokenSamples | None] = asyncio.Queue()
        self._stopped = threading.Event()

    @property
    def stopped(self) -> bool:
        """Whether nobody listens any more."""
        return self._stopped.is_set()

    def deliver(self, block: SpokenSamples) -> None:
        """Hand over the next block, from the engine's thread."""
        try:
            self._loop.call_soon_threadsafe(self._blocks.put_nowait, block)
        except RuntimeError:  # the loop was closed
            self.stop()

    def stop(self) -> None:
        """The session has gone: the engine need not go on."""
        self._stopped.set()

    def end(self) -> None:
        """Nothing follows; on the event loop, behind the last block."""
        self._blocks.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[SpokenSamples]:
        while (block := await self._blocks.get()) is not None:
            yield block


def speak_clauses(engine: Synthesizer) -> Callable[[Sequence[SpokenClause]], Sequence[None]]:
    """The call that an owner makes: speak each clause, a block at a time.

    A block is handed over once it is known whether another follows, so that the length of a clause that comes in one
    block is known from the start.
    """

    def run(clauses: Sequence[SpokenClause]) -> Sequence[None]:
        for clause in clauses:
            held: Samples | None = None
            request = clause.request
            text = spoken(request.text, request.voice.language)
            for block in engine.synthesize(replace(request, text=text)):
                if clause.stopped:
                    break
                if held is not None:
                    clause.deliver(SpokenSamples(held, last=False))
                held = block
            if held is not None:
                clause.deliver(SpokenSamples(held, last=True))
        return [None] * len(clauses)

    return run
