"""How many connections there may be, in all and from one address, before one of them has opened a session.

A connection is let in at accept (`Door.enter`) and gives its place back when it is lost (`Entry.leave`). Until its
session is open (`Entry.admit`) it also counts for the address that it comes from; behind a trusted proxy that is what
the proxy tells with each request (`Entry.claim`). Past a limit a few connections are let in as visitors: they may ask
one thing by HTTP, such as `/health`, and the newest takes the place of the oldest that asks nothing. So who holds all
that he may keeps nobody from asking.
"""

import resource
from collections import Counter
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from dragoman.server.refusals import Refusals

RESERVE = 8
"""Visitors at once."""
FILES = 192
"""Descriptors that are left, at least, for model files, for the pipes of engines and for libraries."""
MOST = 16_384
"""What is derived from the limit of descriptors never exceeds this: each connection also takes memory."""
FEWEST = 16

_ENTRY = "dragoman.entry"
"""Where in a scope's state the connection's entry stands."""


class Door:
    """Counts connections. `limit` is for all of them, `per_address` for those of one address without a session.

    `say` is given a sentence for the operator whenever a connection is refused.
    """

    def __init__(self, limit: int, per_address: int, say: Callable[[str], None]) -> None:
        self._limit = limit
        self._per_address = per_address
        self._say = say
        self._open = 0
        self._waiting: Counter[str] = Counter()
        self._visitors: dict[Entry, None] = {}

    @property
    def connections(self) -> int:
        """How many there are."""
        return self._open + len(self._visitors)

    def enter(self, address: str) -> "Entry | None":
        """Let a connection in; None where there is no room, not even for a visitor."""
        group = _group_of(address)
        if self._open < self._limit and self.has_room(group):
            self._open += 1
            self._waiting[group] += 1
            return Entry(self, group)
        if self._open >= self._limit:
            self._say(f"refused a connection: {self._limit} are open (limits.connections)")
        return self._visit()

    def has_room(self, group: str) -> bool:
        """Whether one more may come from there without a session; tells the operator where not."""
        if self._waiting[group] < self._per_address:
            return True
        self._say(
            f"refused a connection: {self._per_address} from its address have no session"
            " (limits.connections_per_address)"
        )
        return False

    def _visit(self) -> "Entry | None":
        if len(self._visitors) >= RESERVE:
            idle = next((visitor for visitor in self._visitors if visitor.give_way()), None)
            if idle is None:
                return None
            del self._visitors[idle]
        visitor = Entry(self, None)
        self._visitors[visitor] = None
        return visitor

    def move(self, group: str | None, to: str | None) -> None:
        """Count a connection for another address, or for none."""
        if group is not None:
            self._waiting[group] -= 1
            if not self._waiting[group]:
                del self._waiting[group]
        if to is not None:
            self._waiting[to] += 1

    def forget(self, entry: "Entry") -> None:
        """The connection is gone."""
        if entry.visitor:
            self._visitors.pop(entry, None)
        else:
            self._open -= 1


class Entry:
    """One connection's place."""

    def __init__(self, door: Door, group: str | None) -> None:
        self._door = door
        self._group = group
        self._gone = False
        self.visitor = group is None
        """Whether it is here past the limits: for one request, and no socket."""
        self.withdrawn = False
        """Whether a visitor had to give way before its connection had begun."""
        self.give_way: Callable[[], bool] = self._withdraw
        """Asked of a visitor: end the connection if nothing is being answered on it, and tell whether that was so."""

    def claim(self, address: str) -> bool:
        """Count for `address` from now on; False where that has too many."""
        group = _group_of(address)
        if self._group is None or group == self._group:
            return True
        if not self._door.has_room(group):
            return False
        self._door.move(self._group, group)
        self._group = group
        return True

    def admit(self) -> None:
        """A session is open: the connection counts for no address any more."""
        self._door.move(self._group, None)
        self._group = None

    def _withdraw(self) -> bool:
        self.withdrawn = True
        return True

    def leave(self) -> None:
        """The connection is gone. More than once is the same as once."""
        if not self._gone:
            self._gone = True
            self.admit()
            self._door.forget(self)


class AddressGuard:
    """ASGI middleware: counts a connection for the address that a trusted proxy tells; refuses it past the limit with
    429.
    """

    def __init__(self, app: ASGIApp, refusals: Refusals) -> None:
        self._app = app
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or socket."""
        entry: Entry | None = scope.get("state", {}).get(_ENTRY)
        client = scope.get("client")
        if entry is None or not client or entry.claim(client[0]):
            await self._app(scope, receive, send)
            return
        response = self._refusals.response(scope["path"], 429, "too many connections from one address have no session")
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(response)
        else:
            await response(scope, receive, send)


def state_with(entry: Entry, state: dict[str, object]) -> dict[str, object]:
    """The state of an ASGI scope with the connection's entry in it."""
    return {**state, _ENTRY: entry}


def most_connections(wanted: int) -> int:
    """How many connections may be open: `wanted`, or fewer where the limit of descriptors asks for it; 0 wants them
    all.
    """
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors == resource.RLIM_INFINITY:
        return wanted or MOST
    room = max(FEWEST, descriptors - RESERVE - max(FILES, descriptors // 4))
    return min(wanted or MOST, room)


def _group_of(address: str) -> str:
    """What counts as one address: of IPv6 the network of 64 bits, which is what one subscriber gets."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or int(parsed) >> 64)
