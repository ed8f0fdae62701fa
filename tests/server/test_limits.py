import asyncio

import pytest

from dragoman.server.failures import ShuttingDown, TooManySessions
from dragoman.server.limits import Admission


def test_no_more_than_the_limit() -> None:
    admission = Admission(2)
    admission.enter()
    admission.enter()
    with pytest.raises(TooManySessions, match="try again"):
        admission.enter()
    admission.leave()
    admission.enter()


async def test_drain_waits_for_those_who_are_in() -> None:
    admission = Admission(2)
    admission.enter()
    admission.begin_drain()
    with pytest.raises(ShuttingDown):
        admission.enter()
    waiting = asyncio.create_task(admission.until_empty())
    await asyncio.sleep(0)
    assert not waiting.done()
    admission.leave()
    await waiting
