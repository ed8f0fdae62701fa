"""What fronts share, in process and in a real Redis."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
from pydantic import SecretStr

from dragoman.config.settings import SettingsError, load_settings
from dragoman.server import state as states
from dragoman.server.app import create_app
from dragoman.server.auth import Credentials, Gatekeeper
from dragoman.server.failures import AuthenticationFailed, StateAway, TooManySessions
from dragoman.server.protocols.palabra.sessions import Sessions
from dragoman.server.protocols.soniox.temporary_keys import PREFIX, TRANSCRIBE, TemporaryKeys
from dragoman.server.seats import Seats
from dragoman.server.services import Services
from dragoman.server.state import InProcess, State
from dragoman.server.usage import SharedUsage, Usage
from tests.fakes.engines import fake_engines
from tests.server.redis_server import RedisServer, running_redis
from tests.waiting import until_async

FRONTS = 4
RACERS = 200
KEYS = [SecretStr("the operator's key")]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_server(running: RedisServer) -> Iterator[RedisServer]:
    """The server, empty."""
    import redis

    with redis.Redis.from_url(running.url) as client:
        client.flushall()
    yield running
    if not running.answers():
        running.start()


@asynccontextmanager
async def fronts(server: RedisServer, count: int = FRONTS, operation_s: float = 30.0) -> AsyncIterator[list[State]]:
    """As many fronts as are wanted, each with connections of its own. Nothing is too slow for them."""
    from dragoman.server.redis_state import RedisState

    made = [RedisState(server.url, operation_s) for _ in range(count)]
    try:
        yield [*made]
    finally:
        for one in made:
            await one.close()


@pytest.fixture(params=["in process", "redis"])
async def state(request: pytest.FixtureRequest) -> AsyncIterator[State]:
    if request.param == "in process":
        yield InProcess()
        return
    async with fronts(request.getfixturevalue("redis_server"), 1) as (one,):
        yield one


async def test_an_entry_is_found_until_it_is_taken(state: State) -> None:
    await state.keep("a", "secret", b"entry", 60)
    assert await state.look("a", "secret") == await state.look("a", "secret") == b"entry"
    assert await state.look("b", "secret") is None
    assert await state.take("b", "secret") is None
    assert await state.take("a", "secret") == b"entry"
    assert await state.take("a", "secret") is None
    assert await state.look("a", "secret") is None
    assert await state.entries("a") == []


async def test_kinds_and_secrets_do_not_run_into_one_another(state: State) -> None:
    await state.keep("a", "b:c", b"one", 60)
    assert await state.look("a:b", "c") is None
    for odd in ("", "\n", "\ud800", "x" * 100_000, "{a}", "*"):
        assert await state.look("a", odd) is None
        await state.keep("a", odd, odd.encode("utf-8", "replace"), 60)
        assert await state.take("a", odd) == odd.encode("utf-8", "replace")


async def test_entries_stand_in_the_order_in_which_they_expire(state: State) -> None:
    for secret, lifetime_s in (("late", 90), ("soon", 30), ("between", 60)):
        await state.keep("a", secret, secret.encode(), lifetime_s)
    await state.keep("b", "other", b"other", 1)
    assert await state.entries("a") == [b"soon", b"between", b"late"]


async def test_an_entry_expires(state: State) -> None:
    await state.keep("a", "short", b"", 0.001)
    await state.keep("a", "long", b"long", 60)
    while await state.look("a", "short") is not None:  # noqa: ASYNC110  (Redis has a clock of its own)
        await asyncio.sleep(0.001)
    assert await state.take("a", "short") is None
    assert await state.entries("a") == [b"long"]


async def test_too_many_push_out_those_that_expire_first(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "MAX_KEPT", 3)
    if state.shared:
        monkeypatch.setattr("dragoman.server.redis_state.MAX_SHARED", 3)
    for number, lifetime_s in enumerate((90, 10, 50, 30)):
        await state.keep("a", f"{number}", b"%d" % number, lifetime_s)
    assert await state.entries("a") == [b"3", b"2", b"0"]
    assert await state.look("a", "1") is None


async def test_counters(state: State) -> None:
    assert await state.totals("used") == {}
    await state.add("used", {"sessions": 2, "heard_s": 1.25})
    await state.add("used", {})
    await state.add("used", {"heard_s": 0.5})
    await state.add("other", {"heard_s": 9})
    assert await state.totals("used") == {"sessions": 2, "heard_s": 1.75}


async def test_seats_of_a_key(state: State) -> None:
    one, other = Seats(state, 2), Seats(state, 2)
    leave = await one.take("me")
    await other.take("me")
    for front in (one, other):
        with pytest.raises(TooManySessions, match="limit of 2 sessions of one API key"):
            await front.take("me")
    await one.take("you")
    await one.renew()
    assert leave is not None
    leave()
    leave()
    await one.settle()
    assert await other.take("me") is not None
    with pytest.raises(TooManySessions):
        await one.take("me")


async def test_who_has_no_limit_takes_no_seat() -> None:
    assert await Seats(InProcess(), 0).take("me") is None
    assert await Seats(InProcess(), 1).take("") is None


async def test_usage_of_all_fronts(state: State) -> None:
    first, second = Usage(sessions=1, audio_in_s=0.1), Usage(audio_in_s=0.2)
    fronts = [SharedUsage(state, own) for own in (first, second)]
    await asyncio.gather(*(front.tell() for front in fronts), *(front.tell() for front in fronts))
    first.audio_in_s += 1
    assert await fronts[0].total() == await fronts[0].total() == Usage(sessions=1, audio_in_s=1.3)
    assert (await fronts[1].total()).sessions == 1


# Over several fronts.


async def test_of_two_hundred_over_four_fronts_one_gets_the_token(redis_server: RedisServer) -> None:
    async with fronts(redis_server) as states:
        doors = [Gatekeeper(KEYS, 60, one) for one in states]
        token, _ = await doors[0].issue_token("me")
        racing = (doors[number % FRONTS].admit(Credentials(token=token)) for number in range(RACERS))
        found = await asyncio.gather(*racing, return_exceptions=True)
        assert found.count("me") == 1
        assert sum(isinstance(one, AuthenticationFailed) for one in found) == RACERS - 1


async def test_a_temporary_key_for_one_use_is_used_once(redis_server: RedisServer) -> None:
    async with fronts(redis_server) as states:
        keepers = [TemporaryKeys(one) for one in states]
        key = await keepers[0].issue(TRANSCRIBE, 60, single_use=True, session_s=7, owner="me", reference="r")
        racing = (keepers[number % FRONTS].check(key, TRANSCRIBE) for number in range(RACERS))
        found = await asyncio.gather(*racing, return_exceptions=True)
        (winner,) = (one for one in found if not isinstance(one, BaseException))
        assert (winner.owner, winner.reference, winner.session_s) == ("me", "r", 7)
        assert sum(isinstance(one, AuthenticationFailed) for one in found) == RACERS - 1
        again = await keepers[1].issue(TRANSCRIBE, 60)
        for keeper in keepers:
            await keeper.check(again, TRANSCRIBE)


async def test_two_hundred_want_three_seats(redis_server: RedisServer) -> None:
    async with fronts(redis_server) as states:
        seats = [Seats(one, 3) for one in states]
        racing = (seats[number % FRONTS].take("me") for number in range(RACERS))
        found = await asyncio.gather(*racing, return_exceptions=True)
        assert sum(callable(one) for one in found) == 3
        assert sum(isinstance(one, TooManySessions) for one in found) == RACERS - 3


async def test_a_session_made_on_one_front_opens_sockets_on_another(redis_server: RedisServer) -> None:
    async with fronts(redis_server, 2) as states:
        one, other = (Sessions(60, state, KEYS) for state in states)
        session = await one.create("me")
        assert await other.owner(session.token) == "me"
        assert await other.all() == [session]
        assert await other.delete(session.session_id)
        assert await one.owner(session.token) is None
        assert not await one.delete(session.session_id)


async def test_nothing_secret_is_written_down(redis_server: RedisServer) -> None:
    async with fronts(redis_server, 1) as (one,):
        token, _ = await Gatekeeper(KEYS, 60, one).issue_token("me")
        temporary = await TemporaryKeys(one).issue(TRANSCRIBE, 60)
        session = await Sessions(60, one, KEYS).create("me")
        await Seats(one, 1).take("me")
        written = redis_server.contents()
        assert session.session_id in written
        for secret in (token, temporary, temporary.removeprefix(PREFIX), session.token, "the operator's key"):
            assert secret not in written


# Redis away.


async def test_a_redis_that_was_away_is_found_again_and_has_what_it_had(redis_server: RedisServer) -> None:
    async with fronts(redis_server, 2) as (one, other):
        await one.keep("a", "secret", b"entry", 600)
        redis_server.stop()
        for call in (
            one.look("a", "secret"),
            other.take("a", "secret"),
            one.keep("a", "b", b"", 1),
            one.add("c", {"d": 1}),
        ):
            with pytest.raises(StateAway):
                await call
        redis_server.start()
        assert await other.look("a", "secret") == b"entry"
        assert await one.take("a", "secret") == b"entry"


async def test_a_redis_that_says_nothing_holds_nobody_for_long(redis_server: RedisServer) -> None:
    async with fronts(redis_server, 1, operation_s=0.2) as (one,):
        redis_server.freeze()
        asked = [one.look("a", f"{number}") for number in range(100)]
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(error, StateAway) for error in found)
        redis_server.thaw()
    async with fronts(redis_server, 1) as (one,):
        assert await one.look("a", "b") is None


async def test_while_redis_is_away_each_front_counts_for_itself(redis_server: RedisServer) -> None:
    async with fronts(redis_server, 2) as (one, other):
        seats, others = Seats(one, 2), Seats(other, 2)
        minding = asyncio.create_task(seats.mind())
        leave = await seats.take("me")
        redis_server.stop()
        assert await seats.take("me") is not None
        with pytest.raises(TooManySessions):
            await seats.take("me")
        redis_server.start()
        await seats.renew()
        with pytest.raises(TooManySessions):
            await others.take("me")
        assert leave is not None
        leave()
        await until_async(lambda: not seats._left, "the seat was given back")
        assert await others.take("me") is not None
        minding.cancel()
        await asyncio.wait([minding])


async def test_usage_is_counted_while_redis_is_away(redis_server: RedisServer) -> None:
    async with fronts(redis_server, 1) as (one,):
        own = Usage(sessions=1)
        usage = SharedUsage(one, own)
        await usage.tell()
        redis_server.stop()
        own.sessions = 5
        with pytest.raises(StateAway):
            await usage.total()
        redis_server.start()
        assert (await usage.total()).sessions == 5


async def test_what_clients_are_told(redis_server: RedisServer) -> None:
    """What needs the state is refused in the vendor's form, and the rest goes on; when Redis is back, so does all."""
    settings = load_settings(overrides={"state_url": redis_server.url, "api_keys": ["k"]})
    services = Services(settings, lambda _settings, _observer: fake_engines(lambda request: ""))
    app = create_app(services)
    asked = [
        ("GET", "/api/api-keys/token", {"x-api-key": "k"}, None),
        ("GET", "/usages/summary", {"x-api-key": "k"}, None),
        (
            "POST",
            "/v1/auth/temporary-api-key",
            {"authorization": "Bearer k"},
            {"usage_type": TRANSCRIBE, "expires_in_seconds": 60},
        ),
        ("POST", "/session-storage/session", {"clientsecret": "k"}, {}),
        ("GET", "/session-storage/sessions", {"clientsecret": "k"}, None),
    ]

    async def answers(client: httpx.AsyncClient) -> list[httpx.Response]:
        return [await client.request(method, path, headers=headers, json=body) for method, path, headers, body in asked]

    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client,
    ):
        await services.until_loaded()
        assert [answer.status_code for answer in await answers(client)] == [200, 200, 201, 201, 200]
        redis_server.stop()
        token, usage, temporary, session, sessions = await answers(client)
        for answer in (token, usage, temporary, session, sessions):
            assert answer.status_code == 503
            assert "what its fronts share cannot be reached" in answer.text
        assert token.headers["retry-after"] == "5"
        assert temporary.json()["error_type"] == "service_unavailable"
        assert session.json()["errors"][0]["error_code"] == "SERVICE_UNAVAILABLE"
        assert (await client.get("/voices", headers={"x-api-key": "k"})).status_code == 200
        assert (await client.get("/ready")).status_code == 200
        redis_server.start()
        assert [answer.status_code for answer in await answers(client)] == [200, 200, 201, 201, 200]


def test_without_its_library_the_server_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.delitem(sys.modules, "dragoman.server.redis_state", raising=False)
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(SettingsError, match=r"pip install 'dragoman\[cluster\]'"):
        states.open_state(load_settings(overrides={"state_url": "redis://127.0.0.1:1"}))


@pytest.mark.parametrize("url", ["localhost", "http://u:hush@h", "redis://", "redis:// x"])
def test_a_wrong_address_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(SettingsError, match=r"state_url: .*redis://") as caught:
        load_settings(overrides={"state_url": url})
    assert "hush" not in str(caught.value)
