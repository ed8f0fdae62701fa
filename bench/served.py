"""Sessions over a real socket, one at a time, and the processor time of the server meanwhile."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from dragoman.bench.client import Conversation, SessionFailed, converse
from dragoman.bench.processes import Meter, Usage
from dragoman.bench.talk import Talk
from dragoman.testing import RunningServer, running_server

WARM_S = 6.0
SETTLE_S = 0.3
"""After a session has closed, what it leaves to do is done within this time."""


@dataclass(frozen=True, slots=True)
class Round:
    """One session and what the server and its children used for it."""

    conversation: Conversation
    usage: Usage


@contextmanager
def warm_server(
    talk: Talk, engines: str = "embedded", settings: Mapping[str, str] | None = None
) -> Iterator[RunningServer]:
    """A server that has served a few seconds of the talk already, until the block ends."""
    with running_server(engines, environment=settings) as server:
        play(server, talk.first(WARM_S), paced=False)
        time.sleep(SETTLE_S)
        yield server


def play(server: RunningServer, talk: Talk, *, paced: bool = True) -> Round:
    """Serve the talk once. Raises SessionFailed."""
    messages = talk.messages()
    meter = Meter(server.process.pid)
    conversation = asyncio.run(converse(server.url, messages, talk.duration_s, paced=paced))
    time.sleep(SETTLE_S)
    usage = meter.read()
    if conversation.failure:
        raise SessionFailed(conversation.failure)
    return Round(conversation, usage)
