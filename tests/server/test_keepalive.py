import socket
import struct

from dragoman.server import keepalive
from dragoman.server.keepalive import GONE_S, IDLE_S, INTERVAL_S, LOOK_EVERY_S, PROBES, Pulse, keep_alive
from tests.waiting import until


def pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = socket.create_connection(listening.getsockname())
        return listening.accept()[0], client


def test_tcp_asks_an_idle_client() -> None:
    server, client = pair()
    with server, client:
        keep_alive(server)
        assert server.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        for name, value in (("TCP_KEEPIDLE", IDLE_S), ("TCP_KEEPINTVL", INTERVAL_S), ("TCP_KEEPCNT", PROBES)):
            if hasattr(socket, name):
                assert server.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) == value
    assert (IDLE_S, INTERVAL_S, PROBES) == (15, 5, 3)


class FakeConnection:
    """Tells what a test wants the kernel to know."""

    def __init__(self) -> None:
        self.unacknowledged = 0
        self.last_ms = 0

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        return bytes(24) + struct.pack("=I28xI", self.unacknowledged, self.last_ms)


class Clocked:
    """A pulse of a connection that a test plays, looked at every few seconds."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.connection = FakeConnection()
        self._pulse = Pulse(lambda: self.now)

    def look(self, unacknowledged: int, last_ack_s: float, after_s: float = LOOK_EVERY_S) -> bool:
        self.now += after_s
        self.connection.unacknowledged, self.connection.last_ms = unacknowledged, int(last_ack_s * 1000)
        return self._pulse.is_gone(self.connection)  # type: ignore[arg-type]


def test_who_acknowledges_nothing_for_long_enough_is_gone() -> None:
    pulse = Clocked()
    looks = int(GONE_S / LOOK_EVERY_S)
    assert [pulse.look(3, 100.0 + number * LOOK_EVERY_S) for number in range(looks)] == [False] * looks
    assert pulse.look(3, 200.0)


def test_silence_before_anything_was_sent_does_not_count() -> None:
    pulse = Clocked()
    assert not pulse.look(0, 600.0)
    assert not pulse.look(1, 605.0)
    assert not pulse.look(0, 0.01)


def test_every_acknowledgement_begins_anew() -> None:
    pulse = Clocked()
    for _ in range(50):
        assert not pulse.look(5, 1.0)
    for number in range(5):
        assert not pulse.look(5, 6.0 + number * LOOK_EVERY_S)


def test_who_only_does_not_read_is_there() -> None:
    """A window of zero: nothing is on its way, and every probe is acknowledged."""
    pulse = Clocked()
    assert not any(pulse.look(0, 120.0) for _ in range(100))


def test_a_real_connection_whose_client_does_not_read_is_there() -> None:
    server, client = pair()
    now = 0.0
    with server, client:
        server.setblocking(False)
        sent = 0
        try:
            while True:
                sent += server.send(bytes(65_536))
        except BlockingIOError:
            pass
        pulse = Pulse(lambda: now)
        assert sent > 0
        until(lambda: not keepalive._on_its_way(server)[0], "the client's kernel has acknowledged what it has room for")
        for _ in range(20):
            assert not pulse.is_gone(server)
            now += LOOK_EVERY_S


def test_where_the_kernel_does_not_tell_everybody_is_there() -> None:
    now = 0.0
    pulse = Pulse(lambda: now)
    closed = socket.socket()
    closed.close()
    for connection in (None, closed):
        assert not pulse.is_gone(connection)
        now += 1000.0
        assert not pulse.is_gone(connection)
