"""Whether the machine at the other end of a connection is still there.

TCP asks by itself where nothing is on its way (keepalive), and gives up after 30 s. Where something is on its way it
does not ask: it sends that again, for a quarter of an hour. The option that would shorten this (TCP_USER_TIMEOUT)
also ends connections whose client is there and merely does not read for a while. So `Pulse` looks at what the kernel
knows: since when nothing of what was sent has been acknowledged.
"""

import socket
import struct
from collections.abc import Callable

IDLE_S, INTERVAL_S, PROBES = 15, 5, 3
GONE_S = IDLE_S + INTERVAL_S * PROBES
"""Who has not acknowledged anything for this long is gone."""
LOOK_EVERY_S = 5.0

_TCP_INFO = getattr(socket, "TCP_INFO", None)
_FIELDS = struct.Struct("=24xI28xI")
"""Of Linux's `struct tcp_info`: tcpi_unacked (segments) and tcpi_last_ack_recv (milliseconds ago)."""


def keep_alive(connection: socket.socket) -> None:
    """Let TCP ask an idle client whether it is there: after 15 s, every 5 s, three times."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # macOS calls the first one differently; what a platform does not have stays as it is.
    for names, value in (
        (("TCP_KEEPIDLE", "TCP_KEEPALIVE"), IDLE_S),
        (("TCP_KEEPINTVL",), INTERVAL_S),
        (("TCP_KEEPCNT",), PROBES),
    ):
        option = next((getattr(socket, name) for name in names if hasattr(socket, name)), None)
        if option is not None:
            connection.setsockopt(socket.IPPROTO_TCP, option, value)


class Pulse:
    """Tells when a connection has sent in vain for too long. `now` is in seconds; ask every `LOOK_EVERY_S`."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._since: float | None = None
        """Since when something is on its way and nothing was acknowledged."""

    def is_gone(self, connection: "socket.socket | None") -> bool:
        """Whether the client must be taken for gone. False where the kernel does not tell."""
        unacknowledged, last_s = _on_its_way(connection)
        now = self._now()
        if not unacknowledged:
            self._since = None
        elif self._since is None or last_s < now - self._since:
            self._since = now
        return self._since is not None and now - self._since >= GONE_S


def _on_its_way(connection: "socket.socket | None") -> tuple[int, float]:
    """Segments that were sent and not acknowledged, and seconds since the last acknowledgement."""
    if connection is None or _TCP_INFO is None:
        return 0, 0.0
    try:
        told = connection.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _FIELDS.size)
        unacknowledged, last_ms = _FIELDS.unpack(told)
    except (OSError, struct.error):
        return 0, 0.0
    return unacknowledged, last_ms / 1000
