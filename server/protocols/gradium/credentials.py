"""Where this vendor's clients put their key or token."""

from starlette.datastructures import Headers, QueryParams

from dragoman.server.auth import Credentials


def key_of(headers: Headers) -> str | None:
    """Header `x-api-key`, or `Authorization: Api-Key …`."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return headers.get("x-api-key") or (value.strip() if scheme.lower() == "api-key" else None)


def socket_credentials(headers: Headers, query: QueryParams) -> Credentials:
    """As `key_of`; sockets may bring a single-use token as query parameter `token` instead."""
    return Credentials(key=key_of(headers), token=query.get("token"))
