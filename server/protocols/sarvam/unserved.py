"""What the vendor has and this server has not: jobs for many files, and cloned voices. How its clients are told.

Its REST client repeats everything from 500 on, and LiveKit's plug-in whatever is no 4xx, so the answer is 404 by REST
and 400 on sockets; the text says that nothing is wrong with the address.
"""

from collections.abc import Sequence

import msgspec
from fastapi import APIRouter, Request, Response

from dragoman.server.commands import Close, Command, Key, Output, Send
from dragoman.server.failures import AuthenticationFailed, BadMessage, quoted
from dragoman.server.protocols.sarvam.credentials import credentials
from dragoman.server.protocols.sarvam.errors import STATUS, UNSUPPORTED, told
from dragoman.server.protocols.sarvam.rest.errors import answer, refusal
from dragoman.server.services import Services
from dragoman.server.wire import BaseAdapter, close_reason

SOCKETS = ("voices/clone/ws",)
JOBS = ("speech-to-text/job/v1", "speech-to-text-translate/job/v1")
ENDPOINTS = (*JOBS, *(f"{job}/{{rest:path}}" for job in JOBS))
NOT_FOUND = 404

_NOT_SERVED = "is not served by this server"


def unserved_refusal(status: int, message: str) -> Response:
    """What a request is told that no route has seen. A body that is too large is none that would be taken."""
    return refusal(NOT_FOUND, f"this path {_NOT_SERVED}") if status == 413 else refusal(status, message)


def unserved_routes(services: Services, slashes: Sequence[str]) -> APIRouter:
    """The REST endpoints; each asks for the key first, as the vendor does."""
    router = APIRouter(tags=["sarvam"])

    async def not_served(request: Request) -> Response:
        try:
            services.gatekeeper.check(credentials(request.headers, ()).key)
        except AuthenticationFailed as error:
            return answer(error)
        return refusal(NOT_FOUND, f"{request.method} {quoted(request.url.path)} {_NOT_SERVED}")

    for slash in slashes:
        for name in ENDPOINTS:
            for end in ("", "/") if "{" not in name else ("",):
                methods = ["GET", "POST"] if name.startswith(JOBS) else ["POST"]
                router.add_api_route(
                    f"{slash}{name}{end}", not_served, methods=methods, include_in_schema=False, response_model=None
                )
    return router


class UnservedAdapter(BaseAdapter):
    """server.commands.Adapter for a socket of speech, whose errors have a form of their own: an integer code."""

    protocol = "sarvam"

    def parse(self, message: str | bytes) -> object:
        """Nothing is read."""
        return message

    def receive(self, parsed: object) -> Sequence[Command | Output]:
        """Nothing is taken."""
        del parsed
        return ()

    def event(self, key: Key, event: object) -> Sequence[Output]:
        """There are no sessions."""
        del key, event
        return ()

    def failed(self, key: Key | None, error: Exception) -> Sequence[Output]:
        """Say why the connection ends: as a rule because nothing is here, with a code on which nobody tries again."""
        del key
        found = told(error)
        status = STATUS[found.code]
        message = {"type": "error", "data": {"message": found.message, "code": status}}
        close = UNSUPPORTED if isinstance(error, BadMessage) else found.close or UNSUPPORTED
        return [Send(msgspec.json.encode(message).decode(), error=status), Close(close, close_reason(found.message))]
