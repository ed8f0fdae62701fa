"""What the endpoints share: the key, the body, one session for one request, and the vendor's form of a fault."""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import msgspec
from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from dragoman.server import wire
from dragoman.server.failures import BadMessage, Fault, InternalError
from dragoman.server.protocols.sarvam.credentials import credentials
from dragoman.server.protocols.sarvam.rest.errors import OURS, answer, status_of
from dragoman.server.services import Services

log = logging.getLogger("dragoman.server.sarvam")

PROTOCOL = "sarvam"
"""For metrics and logs, as on the sockets."""

T = TypeVar("T")
Endpoint = Callable[[Services, Request], Awaitable[Any]]
"""Gives what is answered: an object for JSON, or a whole answer."""


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


def answering(services: Services, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    """A route that asks for the key, and answers with what `endpoint` gives, or with the vendor's form of its fault."""

    async def route(request: Request) -> Response:
        request_id = uuid.uuid4().hex
        services.usage.messages_in += 1
        try:
            services.gatekeeper.check(credentials(request.headers, ()).key)
            found = await endpoint(services, request)
        except (ClientGone, ClientDisconnect):
            return Response(status_code=499)  # nobody reads it
        except OURS as error:
            return _told(services, error, request_id)
        except Exception:
            log.exception("a request broke")
            return _told(services, InternalError(request_id), request_id)
        services.usage.messages_out += 1
        return found if isinstance(found, Response) else JSONResponse({"request_id": request_id, **found})

    return route


async def while_there(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives; it is cancelled where the client goes before that. To be called when the body was read.

    Raises ClientGone, and what `work` raises.
    """
    working, gone = asyncio.create_task(work), asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        return working.result()
    finally:
        for task in (working, gone):
            task.cancel()
        await asyncio.wait({working, gone})


async def read_json(request: Request, decoder: msgspec.json.Decoder[T]) -> T:
    """The body. Raises BadMessage."""
    try:
        return wire.decode(await request.body(), decoder)
    except wire.WrongKind as error:
        raise BadMessage(f"body cannot be read: {error}", Fault.SETUP) from error
    except wire.NotJson as error:
        raise BadMessage(f"body is not JSON: {error}") from error


def _told(services: Services, error: Exception, request_id: str) -> Response:
    log.info("told the client: %s", error)
    services.metrics.errors.labels(PROTOCOL, status_of(error)[1]).inc()
    return answer(error, request_id)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
