"""Opening, running and forgetting sessions, without a socket: `hosting.py`."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

import pytest

from dragoman.models.errors import ModelError
from dragoman.pipeline.audio.formats import pcm
from dragoman.pipeline.events import Ended, Event, Translation
from dragoman.server.commands import Abort, Feed, Finish, Key, Open
from dragoman.server.failures import NotReady, SessionTooLong, ShuttingDown, TooManySessions
from dragoman.server.hosting import MAX_SUCCEEDED, Host
from dragoman.server.services import Services
from tests.fakes.engines import fake_engines, s16, silence, tone
from tests.server.served import in_process
from tests.waiting import until_async

UTTERANCE = s16(tone(1.0)) + s16(silence(1.0))


class Guest:
    """Keeps what it is told."""

    protocol = "test"

    def __init__(self) -> None:
        self.running: list[Key] = []
        self.events: list[tuple[Key, Event]] = []
        self.errors: list[tuple[Key, Exception]] = []
        self.unsaid: list[tuple[Key, Hashable, ModelError]] = []

    def opened(self, key: Key, session_id: str) -> None:
        assert session_id
        self.running.append(key)

    def event(self, key: Key, event: Event) -> None:
        self.events.append((key, event))

    def failed(self, key: Key, error: Exception) -> None:
        self.errors.append((key, error))

    def refused(self, key: Key, text_id: Hashable, error: ModelError) -> None:
        self.unsaid.append((key, text_id, error))

    def texts(self, key: Key) -> list[str]:
        return [event.text for of, event in self.events if of == key and isinstance(event, Translation)]

    def ended(self, key: Key) -> bool:
        return any(of == key and isinstance(event, Ended) for of, event in self.events)


def opening(key: Key, after: Key | None = None, **more: float) -> Open:
    return Open(key, pcm(16_000), pcm(8_000), target="es", after=after, limit_s=more.get("limit_s"))


@asynccontextmanager
async def hosted(services: Services) -> AsyncIterator[tuple[Host, Guest]]:
    guest = Guest()
    host = Host(guest, services)
    try:
        yield host, guest
    finally:
        await host.close()
        assert not host.busy


async def change(host: Host, old: Key, new: Key) -> None:
    """What a connection does with a changed configuration."""
    host.keep_places(old)
    await host.carry_out(Finish(old))
    await host.carry_out(opening(new, after=old))
    host.give_up_places()


async def test_a_session_from_open_to_ended() -> None:
    async with in_process() as services, hosted(services) as (host, guest):
        await host.carry_out(opening("a"))
        assert (guest.running, host.hearing, services.admission.running) == (["a"], ("a",), 1)
        await host.carry_out(Feed("a", UTTERANCE))
        await host.carry_out(Finish("a"))
        assert host.hearing == ()
        await until_async(lambda: not host.busy)
        assert guest.texts("a") == ["<es> hello there"]
        assert (guest.ended("a"), len(host.keys), services.admission.running) == (True, 0, 0)


async def test_a_changed_configuration_needs_no_room_of_its_own() -> None:
    """The house is full, with this client in it: its new session takes the old one's place, and both are heard out."""
    async with in_process(sessions=1) as services, hosted(services) as (host, guest):
        await host.carry_out(opening("old"))
        await host.carry_out(Feed("old", UTTERANCE))
        await change(host, "old", "new")
        assert services.admission.running == 1
        await host.carry_out(Feed("new", UTTERANCE))
        await host.carry_out(Finish("new"))
        await until_async(lambda: not host.busy)
        assert guest.errors == []
        assert (guest.texts("old"), guest.texts("new")) == (["<es> hello there"],) * 2
        assert services.admission.running == 0


async def test_nobody_takes_the_place_that_a_changed_configuration_waits_for() -> None:
    """The old session may be over before the new one is opened: its place is kept meanwhile."""
    async with (
        in_process(sessions=1) as services,
        hosted(services) as (host, guest),
        hosted(services) as (rival, other),
    ):
        await host.carry_out(opening("old"))
        host.keep_places("old")
        await host.carry_out(Finish("old"))
        await until_async(lambda: not host.busy)
        await rival.carry_out(opening("rival"))
        assert [type(error) for _, error in other.errors] == [TooManySessions]
        await host.carry_out(opening("new", after="old"))
        assert guest.running == ["old", "new"]
        await host.carry_out(Abort("new"))
        await until_async(lambda: services.admission.running == 0)
        await rival.carry_out(opening("rival"))
        assert other.running == ["rival"]


async def test_a_kept_place_that_nobody_takes_comes_back() -> None:
    async with in_process(sessions=1) as services, hosted(services) as (host, _):
        await host.carry_out(opening("old"))
        host.keep_places("old")
        await host.carry_out(Abort("old"))
        await until_async(lambda: not host.busy)
        assert services.admission.running == 1
        host.give_up_places()
        assert services.admission.running == 0


async def test_a_changed_configuration_is_let_in_while_the_server_drains() -> None:
    async with in_process() as services, hosted(services) as (host, guest):
        await host.carry_out(opening("old"))
        services.admission.begin_drain()
        await change(host, "old", "new")
        await host.carry_out(opening("third"))
        assert guest.running == ["old", "new"]
        assert [(key, type(error)) for key, error in guest.errors] == [("third", ShuttingDown)]


async def test_one_place_is_not_good_for_any_number_of_sessions() -> None:
    async with in_process(sessions=1) as services, hosted(services) as (host, guest):
        await host.carry_out(opening(0))
        for number in range(MAX_SUCCEEDED + 3):
            host.keep_places(number)
            await host.carry_out(opening(number + 1, after=number))  # none of them is finished
            host.give_up_places()
        assert guest.running == list(range(MAX_SUCCEEDED + 1))
        assert all(isinstance(error, TooManySessions) for _, error in guest.errors)
        assert services.admission.running == 1


async def test_a_session_that_cannot_be_opened_costs_no_place() -> None:
    async with in_process() as services, hosted(services) as (host, guest):
        await host.carry_out(Open("a", pcm(16_000), pcm(8_000), target="xx"))
        await host.carry_out(opening("old"))
        host.keep_places("old")
        await host.carry_out(Open("b", pcm(16_000), pcm(8_000), target="xx", after="old"))
        host.give_up_places()
        assert [key for key, _ in guest.errors] == ["a", "b"]
        assert services.admission.running == 0  # the old one is finishing, and gave its place away
        await host.carry_out(Finish("old"))
        await until_async(lambda: guest.ended("old"))


async def test_an_opening_that_is_cancelled_while_engines_load_costs_no_place() -> None:
    load = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with in_process() as services, hosted(services) as (host, guest):
        services._loading = loop.create_task(load.wait())  # type: ignore[arg-type]
        task = asyncio.create_task(host.carry_out(opening("a")))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        load.set()
        assert (services.admission.running, guest.running) == (0, [])


async def test_a_session_aborted_before_its_first_step_gives_its_place_back() -> None:
    async with in_process(sessions=1) as services, hosted(services) as (host, guest):
        for number in range(3):
            await host.carry_out(opening(number))
            await host.carry_out(Abort(number))
            await until_async(lambda: services.admission.running == 0)
        assert guest.running == [0, 1, 2]
        assert guest.errors == []


async def test_a_session_that_is_too_long_says_so_and_a_timeout_inside_it_does_not() -> None:
    async with in_process() as services, hosted(services) as (host, guest):
        await host.carry_out(opening("a", limit_s=0.01))
        await until_async(lambda: bool(guest.errors))
        assert isinstance(guest.errors[0][1], SessionTooLong)

        def broken(*_: object) -> str:
            raise TimeoutError("within an engine")

    async with in_process(hear=broken) as services, hosted(services) as (host, guest):
        await host.carry_out(opening("a"))
        await host.carry_out(Feed("a", UTTERANCE))
        await until_async(lambda: bool(guest.errors))
        assert "TimeoutError" in str(guest.errors[0][1])


async def test_without_engines_nobody_is_let_in() -> None:
    def none() -> object:
        raise ValueError("no such engine")

    async with in_process(none) as services, hosted(services) as (host, guest):  # type: ignore[arg-type]
        await host.carry_out(opening("a"))
        assert isinstance(guest.errors[0][1], NotReady)
        assert services.admission.running == 0


async def test_commands_for_nobody_are_nothing() -> None:
    async with in_process(fake_engines) as services, hosted(services) as (host, guest):
        for command in (Feed("x", b"12"), Finish("x"), Abort("x")):
            await host.carry_out(command)
        assert (guest.events, guest.errors) == ([], [])
