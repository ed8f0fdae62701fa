"""Sessions at once, at the speed of speech, and what the server takes meanwhile."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from dragoman.bench.client import Conversation, Wish, converse
from dragoman.bench.processes import Memory, Meter, Usage
from dragoman.bench.talk import Talk

STAGGER_S = (0.25, 0.75)
"""Each session begins this long after the one before, at random."""
LEAD_S = 0.5
"""From the readiness of all to the first session."""
EVERY_S = 2.0
"""Between two looks at the server's memory."""


@dataclass(slots=True)
class Crowd:
    """What the clients saw. `usage` is the server's, from before the first session until the last has ended, and
    `memory` what it held in between; nothing where its process is not known. `clients_s`: the clients' own processor
    seconds.
    """

    conversations: list[Conversation] = field(default_factory=list)
    clients_s: float = 0.0
    usage: Usage | None = None
    memory: list[Memory] = field(default_factory=list)


def starts(size: int, seed: int) -> list[float]:
    """When each session begins, in seconds; the same for the same seed."""
    generator = random.Random(seed)  # noqa: S311
    found = [LEAD_S]
    while len(found) < size:
        found.append(found[-1] + generator.uniform(*STAGGER_S))
    return found


async def hold(url: str, talks: Sequence[Talk], wish: Wish, pid: int | None, seed: int) -> Crowd:
    """One session for each talk. Raises psutil.Error where there is no process `pid`, or none that may be looked at."""
    crowd, own_s, zero_s = Crowd(), time.process_time(), time.monotonic()
    meter = Meter(pid) if pid is not None else None
    looking = asyncio.create_task(_look(pid, crowd.memory)) if pid is not None else None

    async def one(talk: Talk, begin_s: float) -> Conversation:
        await asyncio.sleep(zero_s + begin_s - time.monotonic())
        return await converse(url, talk.encoded(), talk.duration_s, wish=wish)

    begins = zip(talks, starts(len(talks), seed), strict=True)
    crowd.conversations += await asyncio.gather(*(one(talk, begin_s) for talk, begin_s in begins))
    if looking is not None:
        looking.cancel()
        await asyncio.wait([looking])
    crowd.usage = meter.read() if meter is not None else None
    crowd.clients_s = time.process_time() - own_s
    return crowd


async def _look(pid: int, memory: list[Memory]) -> None:
    while True:
        memory.append(await asyncio.to_thread(Memory.of, pid))
        await asyncio.sleep(EVERY_S)
