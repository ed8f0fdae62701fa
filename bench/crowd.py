"""Many clients at once, in one process that does nothing else.

Their speakers are independent: each begins at another place of the talk, so that its costly passages do not coincide.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from dragoman.bench.client import Conversation, converse
from dragoman.bench.crowd import starts
from dragoman.bench.processes import Meter, Usage
from dragoman.bench.talk import Talk


@dataclass(frozen=True, slots=True)
class Crowd:
    """What the clients saw. `places_s` tells where in the talk each session began to speak.

    `window_s` is the span in which all of them spoke, on the monotonic clock; `usage` is the server's in that span,
    `clients_s` the clients' own processor seconds in it.
    """

    conversations: list[Conversation]
    places_s: list[float]
    window_s: tuple[float, float]
    usage: Usage
    clients_s: float


def crowd(url: str, server_pid: int, talk: Talk, size: int, seed: int) -> Crowd:
    """Hold `size` sessions, each over the whole talk, from a place of its own round to there again.

    Raises ValueError when the last one would begin after the first one has ended.
    """
    return asyncio.run(_crowd(url, server_pid, talk, size, seed))


def places(begins: Sequence[float], duration_s: float, seed: int) -> list[float]:
    """Where in the talk each session begins to speak, for sessions that begin at `begins`.

    At any moment the speakers are then spread over the talk: one in each of as many equal parts, at random within it.
    """
    generator = random.Random(seed)
    part_s = duration_s / len(begins)
    return [((number + generator.random()) * part_s + begin_s) % duration_s for number, begin_s in enumerate(begins)]


async def _crowd(url: str, server_pid: int, talk: Talk, size: int, seed: int) -> Crowd:
    begins = starts(size, seed)
    places_s = places(begins, talk.duration_s, seed)
    messages = [talk.turned(place_s).messages() for place_s in places_s]
    window_length_s = begins[0] + talk.duration_s - begins[-1]
    if window_length_s <= 0:
        raise ValueError(f"{size} sessions never speak all at once: the talk is too short")
    zero_s = time.monotonic()

    async def one(number: int) -> Conversation:
        await asyncio.sleep(zero_s + begins[number] - time.monotonic())
        return await converse(url, messages[number], talk.duration_s)

    tasks = [asyncio.create_task(one(number)) for number in range(size)]
    await asyncio.sleep(zero_s + begins[-1] - time.monotonic())
    meter, own_s = Meter(server_pid), time.process_time()
    window_s = (zero_s + begins[-1], zero_s + begins[-1] + window_length_s)
    await asyncio.sleep(window_s[1] - time.monotonic())
    usage, own_s = meter.read(), time.process_time() - own_s
    return Crowd(list(await asyncio.gather(*tasks)), places_s, window_s, usage, own_s)
