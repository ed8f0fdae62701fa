import asyncio

import pytest

from dragoman.server.failures import ShuttingDown, TooManySessions
from dragoman.server.limits import Admission


def test_no_more_than_the_limit() -> None:
    admission = Admission(2)
    admission.enter()
    place = admission.enter()
    with pytest.raises(TooManySessions, match="try again"):
        admission.enter()
    place.leave()
    admission.enter()


def test_a_place_is_given_back_once() -> None:
    admission = Admission(2)
    place = admission.enter()
    admission.enter()
    place.leave()
    place.leave()
    assert admission.running == 1


async def test_drain_waits_for_those_who_are_in() -> None:
    admission = Admission(2)
    place = admission.enter()
    admission.begin_drain()
    with pytest.raises(ShuttingDown):
        admission.enter()
    waiting = asyncio.create_task(admission.until_empty())
    await asyncio.sleep(0)
    assert not waiting.done()
    place.leave()
    await waiting
