"""How many sessions a key may have, seen from those sessions."""

import asyncio

import pytest

from dragoman.config.settings import load_settings
from dragoman.server.auth import caller
from dragoman.server.failures import TooManySessions
from dragoman.server.oneshot import OneShot
from dragoman.server.seats import Seats
from dragoman.server.services import Services
from tests.fakes.engines import fake_engines
from tests.server.served import in_process
from tests.server.test_oneshot import HEARING


async def test_a_session_has_a_seat_until_it_is_over() -> None:
    async with in_process(sessions=8) as services:
        services.seats = Seats(services.state, 1)
        caller.set("me")
        first, second = OneShot(services, "test"), OneShot(services, "test")
        await first.carry_out(HEARING)
        await second.carry_out(HEARING)
        with pytest.raises(TooManySessions, match="of one API key"):
            await anext(second.told())
        assert services.admission.running == 1, "a refused session leaves its place"
        caller.set("you")
        other = OneShot(services, "test")
        await other.carry_out(HEARING)
        assert services.admission.running == 2
        await first.close()
        await other.close()
        assert services.admission.running == 0
        await services.seats.settle()
        caller.set("me")
        again = OneShot(services, "test")
        await again.carry_out(HEARING)
        assert services.admission.running == 1
        await again.close()


async def test_a_full_server_takes_no_seat() -> None:
    async with in_process(sessions=1) as services:
        services.seats = Seats(services.state, 1)
        caller.set("you")
        first = OneShot(services, "test")
        await first.carry_out(HEARING)
        caller.set("me")
        refused = OneShot(services, "test")
        await refused.carry_out(HEARING)
        with pytest.raises(TooManySessions, match=r"limit of 1 sessions reached"):
            await anext(refused.told())
        await first.close()
        again = OneShot(services, "test")
        await again.carry_out(HEARING)
        assert services.admission.running == 1
        await again.close()


async def test_a_server_with_keys_minds_its_seats() -> None:
    settings = load_settings(overrides={"api_keys": ["k"], "limits": {"sessions_per_key": 1}})
    services = Services(settings, lambda _settings, _observer: fake_engines(lambda request: ""))
    services.start()
    leave = await services.seats.take("me")
    assert leave is not None
    leave()

    async def free() -> bool:
        try:
            return await services.seats.take("me") is not None
        except TooManySessions:
            return False

    while not await free():  # noqa: ASYNC110
        await asyncio.sleep(0)
    await services.stop()


async def test_without_keys_nobody_is_counted() -> None:
    services = Services(load_settings(overrides={"limits": {"sessions_per_key": 1}}), lambda *_: fake_engines(str))
    assert not services.seats.counts
