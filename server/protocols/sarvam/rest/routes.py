"""Where the vendor's clients look by REST."""

from collections.abc import Sequence

from fastapi import APIRouter

from dragoman.server.protocols.sarvam.rest.answering import Endpoint, answering
from dragoman.server.protocols.sarvam.rest.recordings import transcribe
from dragoman.server.protocols.sarvam.rest.recordings import translate as translate_speech
from dragoman.server.protocols.sarvam.rest.speech import convert, stream
from dragoman.server.protocols.sarvam.rest.texts import text_lid, translate, transliterate
from dragoman.server.services import Services

RECORDINGS: dict[str, Endpoint] = {"speech-to-text": transcribe, "speech-to-text-translate": translate_speech}
"""Whose bodies are files."""
ENDPOINTS: dict[str, Endpoint] = {
    **RECORDINGS,
    "translate": translate,
    "transliterate": transliterate,
    "text-lid": text_lid,
    "text-to-speech": convert,
    "text-to-speech/stream": stream,
}
ENDS = ("", "/")


def uploads(slashes: Sequence[str]) -> frozenset[str]:
    """The paths whose bodies are read here, behind the key."""
    return frozenset(f"{slash}{name}{end}" for slash in slashes for name in RECORDINGS for end in ENDS)


def rest_routes(services: Services, slashes: Sequence[str]) -> APIRouter:
    """All endpoints; each asks for the key."""
    router = APIRouter(tags=["sarvam"])
    for name, endpoint in ENDPOINTS.items():
        route = answering(services, endpoint)
        for path in (f"{slash}{name}{end}" for slash in slashes for end in ENDS):
            router.add_api_route(
                path,
                route,
                methods=["POST"],
                include_in_schema=path == f"/{name}",
                response_model=None,
                description=endpoint.__doc__,
                name=name,
            )
    return router
