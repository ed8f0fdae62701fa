"""What the server asks of addresses that clients name: nothing, unless the operator says of which hosts.

Whoever lets strangers say where a server dials lends them its place in the network. So a host must be among
`outgoing.hosts`; whatever its name leads to must be an address of the public internet or in `outgoing.networks`; the
connection goes to the very address that was looked at; and an answer that points elsewhere is followed only to the same
host. Everything has its time, and nothing is read beyond its size.

    OutgoingError
    ├── NotAllowed    the operator does not allow it; the message names the setting
    ├── Unreachable   nothing came, or not what was asked for
    └── TooLarge      more came than may
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

import httpcore

from dragoman import __version__
from dragoman.config.settings import OutgoingSettings

MAX_URL = 4_096
MAX_REDIRECTS = 3
CONNECT_S = 10.0
"""For one address."""
AGENT = f"dragoman/{__version__}"

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host and a port to its addresses."""

_NAT64 = IPv6Network("64:ff9b::/96")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class OutgoingError(Exception):
    """Nothing came of it; the message is one sentence for the client, and tells nothing of the network inside."""


class NotAllowed(OutgoingError):
    """The operator does not allow it."""


class Unreachable(OutgoingError):
    """Nothing came, or not what was asked for."""


class TooLarge(OutgoingError):
    """More came than may."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address whose host may be asked, in the parts that were looked at."""

    scheme: str
    host: str
    port: int | None
    path: str

    @property
    def authority(self) -> str:
        """Host and port as they stand in an address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


async def resolved(host: str, port: int) -> Sequence[str]:
    """The addresses of a name. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)
    return [str(entry[4][0]) for entry in found]


class Outgoing:
    """Asks where the operator allows it."""

    def __init__(self, settings: OutgoingSettings, resolve: Resolve = resolved) -> None:
        self._hosts = frozenset(host.lower().rstrip(".") for host in settings.hosts)
        self._settings = settings
        self._backend = _Guarded(settings, resolve)
        self._tls = ssl.create_default_context()

    @property
    def allowed(self) -> bool:
        """Whether any host may be asked."""
        return bool(self._hosts)

    def target(self, url: str) -> Target:
        """Read an address. Raises NotAllowed where its host may not be asked, or it is none."""
        if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or set(url) & {" ", "\\"}:
            raise NotAllowed(f"it is no http or https address of at most {MAX_URL} plain characters")
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError as error:
            raise NotAllowed("it is no address") from error
        if parts.scheme not in ("http", "https") or not host or "%" in host or "@" in parts.netloc:
            raise NotAllowed("it must begin with http:// or https:// and a host, without a user's name")
        if not any(name in self._hosts for name in _names(host)):
            raise NotAllowed(f"the operator of this server does not allow the host {host[:64]} (outgoing.hosts)")
        return Target(parts.scheme, host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))

    async def post(self, url: str, headers: Iterable[tuple[str, str]], body: bytes, limit_s: float) -> int:
        """The status of what is answered, of which nothing else is read. Raises OutgoingError."""
        sent = [*headers, ("content-type", "application/json"), ("user-agent", AGENT)]
        async with self._asking("POST", self.target(url), limit_s, sent, body) as response:
            return response.status

    async def fetch(self, url: str, into: IO[bytes], limit_bytes: int, limit_s: float) -> int:
        """Write what is at an address into a file; its size in bytes. Raises OutgoingError, or OSError of the file."""
        target = self.target(url)
        sent = [("accept", "*/*"), ("accept-encoding", "identity"), ("user-agent", AGENT)]
        deadline = asyncio.get_running_loop().time() + limit_s
        for _ in range(MAX_REDIRECTS + 1):
            left_s = deadline - asyncio.get_running_loop().time()
            async with self._asking("GET", target, left_s, sent) as response:
                if response.status in _REDIRECTS:
                    target = self._moved(target, response)
                    continue
                if response.status != 200:
                    raise Unreachable(f"the host answered with status {response.status}")
                return await _kept(response, into, limit_bytes)
        raise Unreachable(f"the host pointed elsewhere more than {MAX_REDIRECTS} times")

    def _moved(self, target: Target, response: httpcore.Response) -> Target:
        where = next((value for name, value in response.headers if name.lower() == b"location"), b"")
        here = f"{target.scheme}://{target.authority}{target.path}"
        found = self.target(urljoin(here, where.decode("latin-1")))
        if found.host != target.host or (found.scheme, target.scheme) == ("http", "https"):
            raise Unreachable("the host pointed to another one, where this server does not follow")
        return found

    @contextlib.asynccontextmanager
    async def _asking(
        self, method: str, target: Target, limit_s: float, headers: Iterable[tuple[str, str]], body: bytes = b""
    ) -> AsyncIterator[httpcore.Response]:
        sent = [("host", target.authority), ("connection", "close"), *headers]
        url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
        try:
            async with (
                asyncio.timeout(max(limit_s, 0.0)),
                httpcore.AsyncConnectionPool(ssl_context=self._tls, network_backend=self._backend) as pool,
                pool.stream(method, url, headers=sent, content=body or None) as response,
            ):
                yield response
        except TimeoutError as error:
            raise Unreachable("the host took too long") from error
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            raise Unreachable("the host could not be reached, or did not answer as HTTP has it") from error


class _Guarded(httpcore.AsyncNetworkBackend):
    """Connects to addresses that may be asked, and to those that were looked at."""

    def __init__(self, settings: OutgoingSettings, resolve: Resolve) -> None:
        self._networks = settings.networks
        self._resolve = resolve
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first address that answers. Raises NotAllowed or httpcore.ConnectError."""
        try:
            found = [ip_address(address.partition("%")[0]) for address in await self._resolve(host, port)]
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error
        allowed = [address for address in found if self._may(address)]
        if found and not allowed:
            raise NotAllowed(
                f"the host {host[:64]} has an address that is not of the public internet, which the operator of this "
                "server does not allow (outgoing.networks)"
            )
        for address in allowed:
            with contextlib.suppress(httpcore.NetworkError, httpcore.TimeoutException):
                return await self._inner.connect_tcp(
                    str(address), port, timeout or CONNECT_S, local_address, socket_options
                )
        raise httpcore.ConnectError("no address answers")

    def _may(self, address: Address) -> bool:
        meant = _meant(address)
        return any(meant in network for network in self._networks) or (meant.is_global and not meant.is_multicast)


def _meant(address: Address) -> Address:
    """The IPv4 address behind an IPv6 one, where there is one: a gateway, or the system, may lead to it."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1] or address


def _names(host: str) -> Iterator[str]:
    """What `outgoing.hosts` may have for a host."""
    yield from ("*", host)
    labels = host.split(".")
    yield from ("*." + ".".join(labels[start:]) for start in range(1, len(labels)))


async def _kept(response: httpcore.Response, into: IO[bytes], limit_bytes: int) -> int:
    size = 0
    async for piece in response.aiter_stream():
        size += len(piece)
        if size > limit_bytes:
            raise TooLarge(f"what is there has more than {limit_bytes} bytes")
        await asyncio.to_thread(into.write, piece)
    if not size:
        raise Unreachable("what is there is empty")
    return size
