import resource

import pytest
from starlette.types import Message, Scope

from dragoman.server.door import FEWEST, FILES, MOST, RESERVE, AddressGuard, Door, Entry, most_connections, state_with
from dragoman.server.refusals import Refusals


class Operator:
    """Hears what the door says."""

    def __init__(self) -> None:
        self.told: list[str] = []


@pytest.fixture
def operator() -> Operator:
    return Operator()


def entries(door: Door, address: str, count: int) -> list[Entry]:
    """Those that are let in; all of them are busy."""
    found = []
    for _ in range(count):
        if (entry := door.enter(address)) is not None:
            entry.give_way = lambda: False
            found.append(entry)
    return found


def test_no_more_than_the_limit(operator: Operator) -> None:
    door = Door(3, 100, operator.told.append)
    let_in = entries(door, "192.0.2.1", 3)
    assert [entry.visitor for entry in let_in] == [False] * 3
    assert operator.told == []
    visitors = entries(door, "192.0.2.2", RESERVE + 2)
    assert [entry.visitor for entry in visitors] == [True] * RESERVE
    assert operator.told == ["refused a connection: 3 are open (limits.connections)"] * (RESERVE + 2)
    assert door.connections == 3 + RESERVE
    let_in[0].leave()
    let_in[0].leave()
    (late,) = entries(door, "192.0.2.3", 1)
    assert not late.visitor


def test_no_more_from_one_address_without_a_session(operator: Operator) -> None:
    door = Door(100, 2, operator.told.append)
    first, _ = entries(door, "192.0.2.1", 2)
    (visitor,) = entries(door, "192.0.2.1", 1)
    assert visitor.visitor
    assert operator.told == [
        "refused a connection: 2 from its address have no session (limits.connections_per_address)"
    ]
    assert not entries(door, "192.0.2.2", 1)[0].visitor
    first.admit()
    first.admit()
    assert [entry.visitor for entry in entries(door, "192.0.2.1", 2)] == [False, True]
    first.leave()
    assert [entry.visitor for entry in entries(door, "192.0.2.1", 1)] == [True]


def test_all_that_leave_leave_nothing(operator: Operator) -> None:
    door = Door(10, 3, operator.told.append)
    for number in range(50):
        for entry in entries(door, f"192.0.2.{number}", 6):
            entry.claim("198.51.100.1")
            if number % 2:
                entry.admit()
            entry.leave()
    assert (door.connections, len(door._waiting), len(door._visitors)) == (0, 0, 0)


def test_the_oldest_visitor_that_is_not_busy_gives_way(operator: Operator) -> None:
    door = Door(0, 1, operator.told.append)
    busy, *others = [door.enter("192.0.2.1") for _ in range(RESERVE)]
    assert busy is not None
    busy.give_way = lambda: False
    newest = [door.enter("192.0.2.1") for _ in others]
    assert None not in newest
    assert [entry.withdrawn for entry in others if entry is not None] == [True] * len(others)
    assert not busy.withdrawn
    assert door.connections == RESERVE


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::1%eth1", True),
        ("::1", "127.0.0.1", False),
        ("unix:", "unix:", True),
        ("proxy", "another", False),
    ],
)
def test_what_counts_as_one_address(one: str, other: str, same: bool, operator: Operator) -> None:
    door = Door(10, 1, operator.told.append)
    door.enter(one)
    assert entries(door, other, 1)[0].visitor is same


def test_a_proxy_tells_the_address(operator: Operator) -> None:
    door = Door(100, 2, operator.told.append)
    one, two = entries(door, "10.0.0.1", 2)
    assert one.claim("192.0.2.1")
    assert two.claim("192.0.2.1")
    assert two.claim("192.0.2.1")
    (three, four) = entries(door, "10.0.0.1", 2)
    assert not three.claim("192.0.2.1")
    assert three.claim("192.0.2.2")
    one.admit()
    assert four.claim("192.0.2.1")
    assert one.claim("192.0.2.1")
    # The same connection brings somebody else's request.
    assert two.claim("192.0.2.3")
    (five,) = entries(door, "10.0.0.1", 1)
    assert five.claim("192.0.2.1")


def test_a_visitor_may_come_from_anywhere(operator: Operator) -> None:
    door = Door(1, 1, operator.told.append)
    entries(door, "192.0.2.1", 1)
    (visitor,) = entries(door, "10.0.0.1", 1)
    assert visitor.claim("192.0.2.1")
    visitor.admit()
    visitor.leave()
    assert door.connections == 1


@pytest.mark.parametrize(
    ("descriptors", "wanted", "most"),
    [
        (1024, 0, 1024 - 256 - RESERVE),
        (1024, 100, 100),
        (1024, 5000, 1024 - 256 - RESERVE),
        (256, 0, 256 - FILES - RESERVE),
        (64, 0, FEWEST),
        (20_000, 0, 15_000 - RESERVE),
        (1 << 30, 0, MOST),
        (1 << 30, 30_000, 30_000),
        (resource.RLIM_INFINITY, 0, MOST),
        (resource.RLIM_INFINITY, 30_000, 30_000),
    ],
)
def test_descriptors_are_left_for_files(
    descriptors: int, wanted: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (descriptors, descriptors))
    assert most_connections(wanted) == most


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_who_has_too_many_behind_a_proxy_is_told(kind: str, operator: Operator) -> None:
    door = Door(100, 1, operator.told.append)
    sent: list[Message] = []
    served = []

    async def application(scope: Scope, receive: object, send: object) -> None:
        served.append(scope["client"])

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    def scope(client: str) -> Scope:
        (entry,) = entries(door, "10.0.0.1", 1)
        extensions = {"websocket.http.response": {}}
        return {
            "type": kind, "path": "/x", "headers": [], "client": (client, 1), "extensions": extensions,
            "state": state_with(entry, {}),
        }  # fmt: skip

    guard = AddressGuard(application, Refusals({}))
    await guard(scope("192.0.2.1"), receive, send)
    assert (len(served), sent) == (1, [])
    await guard(scope("192.0.2.1"), receive, send)
    assert len(served) == 1
    assert (sent[0]["type"].split(".")[-2:], sent[0]["status"]) == (["response", "start"], 429)
    await guard({"type": kind, "path": "/x", "headers": [], "client": ("192.0.2.1", 1)}, receive, send)
    assert len(served) == 2
