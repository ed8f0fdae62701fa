"""Where this vendor's clients put their key, and whether they may come in."""

from collections.abc import Sequence

from starlette.datastructures import Headers

from dragoman.server.auth import Credentials

HEADER = "api-subscription-key"
SUBPROTOCOL = "api-subscription-key."
"""A browser cannot send headers with a socket: its key stands behind this."""


def offered_subprotocol(subprotocols: Sequence[str]) -> str | None:
    """The subprotocol that carries a key, which the server has to echo."""
    return next((name for name in subprotocols if name.startswith(SUBPROTOCOL)), None)


def credentials(headers: Headers, subprotocols: Sequence[str]) -> Credentials:
    """The header's key, else the subprotocol's.

    The vendor's SDK sends the header twice where a key is given for one call, and some proxies join the two by a comma:
    the last one is meant.
    """
    values = [value.strip() for line in headers.getlist(HEADER) for value in line.split(",")]
    if values and values[-1]:
        return Credentials(key=values[-1])
    named = offered_subprotocol(subprotocols)
    return Credentials(key=named.removeprefix(SUBPROTOCOL) if named else None)
