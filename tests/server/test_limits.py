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


def test_a_loan_gives_way_to_a_session() -> None:
    admission = Admission(2)
    older, newer = admission.lend(), admission.lend()
    with pytest.raises(TooManySessions):
        admission.lend()
    place = admission.enter()
    assert (older.recalled, newer.recalled, admission.running) == (False, True, 2)
    newer.leave()
    assert admission.running == 2
    other = admission.enter()
    assert older.recalled
    with pytest.raises(TooManySessions):
        admission.enter()
    place.leave()
    other.leave()
    assert admission.running == 0


def test_a_loan_that_was_given_back_is_not_taken_again() -> None:
    admission = Admission(1)
    admission.lend().leave()
    place = admission.enter()
    with pytest.raises(TooManySessions):
        admission.enter()
    assert admission.running == 1
    place.leave()


async def test_who_waits_for_a_loan_has_it_when_there_is_room() -> None:
    admission = Admission(1)
    place = admission.enter()
    waiting = asyncio.create_task(admission.until_lent())
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.done()
    place.leave()
    loan = await waiting
    assert (loan.recalled, admission.running) == (False, 1)


async def test_a_drain_does_not_wait_for_loans() -> None:
    admission = Admission(2)
    loan = admission.lend()
    admission.begin_drain()
    assert loan.recalled
    await admission.until_empty()
    with pytest.raises(ShuttingDown):
        admission.lend()
