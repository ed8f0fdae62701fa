"""The REST endpoints that the vendor's clients touch: voices, usage, tokens, and what `one_shot.py` serves. The rest
answers 501 and says so."""

from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any, NoReturn

from fastapi import APIRouter, Depends, HTTPException, Request

from dragoman.models.base import Voice
from dragoman.models.errors import UnknownVoice
from dragoman.models.registry import Engines
from dragoman.server.auth import caller
from dragoman.server.failures import AuthenticationFailed, NotReady, StateAway, quoted
from dragoman.server.protocols.gradium.credentials import key_of
from dragoman.server.protocols.gradium.one_shot import add_one_shots
from dragoman.server.protocols.gradium.voices import Voices
from dragoman.server.services import Services
from dragoman.server.usage import Usage

ALLOCATED_CREDITS = 1_000_000_000
"""Nothing is metered here; clients that look at their credits find plenty. One second of audio in counts as one."""

DEFAULT_LIMIT = 100

_UNSERVED = {
    "POST": ["voices/", "voices", "voices/from-embedding", "voice-generator/generate", "pronunciations/",
             "pronunciations"],
    "GET": ["voice-generator/embeddings", "pronunciations/", "pronunciations", "pronunciations/{uid}"],
    "PUT": ["voices/{uid}", "pronunciations/{uid}"],
    "DELETE": ["voices/{uid}", "voice-generator/embeddings/{uid}", "pronunciations/{uid}"],
}  # fmt: skip


def rest_routes(services: Services, speakers: Voices) -> APIRouter:
    """Voices, usage, tokens, recognition and synthesis over `services`; every endpoint asks for the API key."""

    async def authorized(request: Request) -> None:
        try:
            services.gatekeeper.check(key_of(request.headers))
        except AuthenticationFailed as error:
            raise HTTPException(401, str(error)) from error

    router = APIRouter(dependencies=[Depends(authorized)], tags=["gradium"])

    @router.get("/voices/")
    @router.get("/voices", include_in_schema=False)
    async def voices(limit: int = DEFAULT_LIMIT, skip: int = 0, include_catalog: bool = False) -> list[dict[str, Any]]:
        """The operator's own voices, and with `include_catalog` the built-in ones; `limit` 0 means all."""
        if limit < 0 or skip < 0:
            raise HTTPException(422, "limit and skip must not be negative")
        engines = _engines(services)
        found = [voice for voice in engines.voices() if include_catalog or engines.catalogue.is_custom(voice)]
        stop = skip + limit if limit else None
        return [_voice(voice, custom=engines.catalogue.is_custom(voice)) for voice in found[skip:stop]]

    @router.get("/voices/{uid}")
    async def voice(uid: str) -> dict[str, Any]:
        """One voice by its id or an alias."""
        engines = _engines(services)
        try:
            found = engines.catalogue.get(uid)
        except UnknownVoice as error:
            raise HTTPException(404, f"unknown voice '{quoted(uid)}'") from error
        return _voice(found, custom=engines.catalogue.is_custom(found))

    @router.get("/usages/credits")
    async def usage_credits() -> dict[str, Any]:
        """Seconds of audio heard since the start, as credits of a very large allowance."""
        remaining = max(0, ALLOCATED_CREDITS - ceil((await _usage(services)).audio_in_s))
        return {
            "remaining_credits": remaining,
            "allocated_credits": ALLOCATED_CREDITS,
            "remaining": remaining,
            "allocated": ALLOCATED_CREDITS,
            "billing_period": "none",
            "next_rollover_date": None,
            "plan_name": "self-hosted",
        }

    @router.get("/usages/summary")
    async def usage_summary() -> dict[str, Any]:
        """What this server has done since its start; durations in seconds."""
        usage = await _usage(services)
        return {
            "consumed_credits": ceil(usage.audio_in_s),
            "sessions": usage.sessions,
            "ingress_messages": usage.messages_in,
            "egress_messages": usage.messages_out,
            "ingress_text_size": usage.text_in,
            "egress_text_size": usage.text_out,
            "ingress_audio_duration": usage.audio_in_s,
            "egress_audio_duration": usage.audio_out_s,
        }

    @router.get("/api-keys/token")
    async def token() -> dict[str, str]:
        """A token for one socket, for browsers that cannot send headers."""
        try:
            value, lifetime_s = await services.gatekeeper.issue_token(caller.get())
        except StateAway as error:
            raise _not_now(error) from error
        expires = datetime.now(UTC) + timedelta(seconds=lifetime_s)
        return {"token": value, "expires_at": expires.isoformat(timespec="seconds").replace("+00:00", "Z")}

    add_one_shots(router, services, speakers)
    for method, paths in _UNSERVED.items():
        for path in paths:
            router.add_api_route(
                f"/{path}", _not_served, methods=[method], include_in_schema=False, response_model=None
            )
    return router


async def _not_served(request: Request) -> NoReturn:
    raise HTTPException(501, f"{request.method} {quoted(request.url.path)} is not served by this server")


def _engines(services: Services) -> Engines:
    try:
        return services.engines
    except NotReady as error:
        raise _not_now(error) from error


async def _usage(services: Services) -> Usage:
    try:
        return await services.shared_usage.total()
    except StateAway as error:
        raise _not_now(error) from error


def _not_now(error: NotReady) -> HTTPException:
    return HTTPException(503, str(error), headers={"Retry-After": f"{error.retry_after_s:.0f}"})


def _voice(voice: Voice, *, custom: bool) -> dict[str, Any]:
    tags = [{"category": "gender", "value": voice.gender}, {"category": "engine", "value": voice.engine}]
    return {
        "uid": voice.voice_id,
        "name": voice.name,
        "description": voice.description,
        "language": voice.language,
        "is_catalog": not custom,
        "is_pro_clone": False,
        "filename": "",
        "start_s": 0.0,
        "stop_s": 0.0,
        "is_pending": False,
        "has_audio": False,
        "org_uid": None,
        "tags": tags,
    }
