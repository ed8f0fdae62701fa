"""The REST endpoints that matter for a stream: temporary keys, models, voices, limits."""

from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from dragoman.models.base import Voice
from dragoman.models.registry import Engines
from dragoman.server.protocols.soniox.api import (
    ApiError,
    ApiRoute,
    Desk,
    read_body,
    read_cursor,
    read_query,
    write_cursor,
)
from dragoman.server.protocols.soniox.endpoints import LEVELS
from dragoman.server.protocols.soniox.languages import LANGUAGES
from dragoman.server.protocols.soniox.models import ASYNC_MODELS, MODELS, REAL_TIME, SPEECH_MODELS, Model
from dragoman.server.protocols.soniox.speech.messages import SPEEDS
from dragoman.server.protocols.soniox.start import MAX_REFERENCE

CONTEXT_VERSION = 2
"""The context is an object with terms; version 1 was plain text."""


class _KeyOrder(BaseModel):
    """Body of `POST /auth/temporary-api-key`."""

    usage_type: Literal["transcribe_websocket", "tts_rt"]
    expires_in_seconds: Annotated[int, Field(ge=1, le=3_600)]
    client_reference_id: Annotated[str, Field(max_length=MAX_REFERENCE)] | None = None
    single_use: bool | None = None
    max_session_duration_seconds: Annotated[int, Field(ge=1, le=18_000)] | None = None


class _VoiceQuery(BaseModel):
    """Query of `GET /shared-voices`; what is not said of our voices fits none of them."""

    model: Annotated[str, Field(max_length=64)] | None = None
    gender: Literal["male", "female", "neutral"] | None = None
    age: Literal["young", "middle_aged", "old"] | None = None
    accent: Annotated[str, Field(max_length=40)] | None = None
    use_case: Annotated[list[str], Field(max_length=10)] = []
    style: Annotated[list[str], Field(max_length=10)] = []
    limit: Annotated[int, Field(ge=1, le=200)] = 100
    cursor: str | None = None


def rest_routes(desk: Desk) -> APIRouter:
    """Temporary keys, models, voices and limits; every endpoint asks for the API key."""
    router = APIRouter(route_class=ApiRoute, tags=["soniox"])
    services = desk.services

    @router.post("/auth/temporary-api-key", status_code=201)
    async def temporary_api_key(request: Request) -> dict[str, str]:
        """A key for a browser: for one use or for as many as there are until it expires."""
        owner = desk.owner(request)
        order = read_body(_KeyOrder, await request.body())
        key = await desk.temporary.issue(
            order.usage_type,
            order.expires_in_seconds,
            single_use=order.single_use is True,
            session_s=order.max_session_duration_seconds,
            owner=owner,
            reference=order.client_reference_id or "",
        )
        expires = datetime.now(UTC) + timedelta(seconds=order.expires_in_seconds)
        return {"api_key": key, "expires_at": expires.isoformat(timespec="seconds").replace("+00:00", "Z")}

    @router.get("/models")
    async def models(request: Request) -> dict[str, Any]:
        """Every model id, with what the installed engines hear and translate."""
        desk.owner(request)
        served = _served(services.engines)
        return {"models": [_model(model, served) for model in (*MODELS.values(), *ASYNC_MODELS.values())]}

    @router.get("/tts-models")
    async def tts_models(request: Request) -> dict[str, Any]:
        """Every model id that speaks, with the installed voices and their languages."""
        desk.owner(request)
        voices = services.engines.voices()
        spoken = sorted({voice.language for voice in voices} & set(LANGUAGES))
        served = {
            "voices": [_voice(voice) for voice in voices],
            "languages": [{"code": code, "name": LANGUAGES[code]} for code in spoken],
            "supports_timestamps": True,
            "supports_voice_cloning": False,
            "voice_cloning_max_audio_duration_ms": None,
            "supports_speed_adjustment": True,
            "speed_min": SPEEDS[0],
            "speed_max": SPEEDS[1],
            "supports_silence_reduction": False,
        }
        return {
            "models": [
                {"id": model_id, "aliased_model_id": None, "name": name, **served}
                for model_id, name in SPEECH_MODELS.items()
            ]
        }

    @router.get("/shared-voices")
    async def shared_voices(request: Request) -> dict[str, Any]:
        """The installed voices, which all models have; nothing is known of their age, accent, use and style."""
        desk.owner(request)
        query = read_query(_VoiceQuery, request)
        start = read_cursor(query.cursor) or 0
        unknown = query.age not in (None, _AGE) or query.accent or query.use_case or query.style
        voices = [voice for voice in services.engines.voices() if not unknown and query.gender in (None, voice.gender)]
        stop = start + query.limit
        return {
            "voices": [
                {**_voice(voice), "age": _AGE, "accent": "", "use_case": [], "style": []}
                for voice in voices[start:stop]
            ],
            "next_page_cursor": write_cursor(stop) if stop < len(voices) else None,
        }

    @router.get("/concurrency-limits")
    async def concurrency_limits(request: Request) -> dict[str, Any]:
        """What runs now, of this key (project) and on the server (organization), and how many sessions there may be."""
        owner, admission, ledger = desk.owner(request), services.admission, desk.ledger
        limits = {"transcribe_concurrent": admission.limit, "tts_concurrent": admission.limit}
        speaking = ledger.running("tts")
        return {
            "project": {
                "current": {
                    "transcribe_concurrent": ledger.running("stt", owner),
                    "tts_concurrent": ledger.running("tts", owner),
                },
                "limits": limits,
            },
            "organization": {
                # Sessions of all protocols share the places; those that speak here are counted by themselves.
                "current": {
                    "transcribe_concurrent": max(0, admission.running - speaking),
                    "tts_concurrent": speaking,
                },
                "limits": limits,
            },
        }

    _voices_of_ones_own(router, desk)
    return router


def _voices_of_ones_own(router: APIRouter, desk: Desk) -> None:
    """Voices that a client would clone: there are none, and none can be made."""

    @router.get("/voices")
    async def voices(request: Request) -> dict[str, Any]:
        """None."""
        desk.owner(request)
        return {"voices": [], "next_page_cursor": None}

    @router.get("/voices/count")
    async def count(request: Request) -> dict[str, int]:
        """None."""
        desk.owner(request)
        return {"total": 0}

    @router.post("/voices")
    async def clone(request: Request) -> None:
        """Not served."""
        desk.owner(request)
        raise ApiError(400, "not_implemented", "voices cannot be cloned here")

    @router.get("/voices/{voice_id}")
    @router.delete("/voices/{voice_id}")
    @router.post("/voices/{voice_id}/recompute")
    async def absent(request: Request, voice_id: str) -> None:
        """None."""
        desk.owner(request)
        del voice_id
        raise ApiError(404, "voice_not_found", "there is no such voice")


_AGE = "middle_aged"


def _voice(voice: Voice) -> dict[str, str]:
    return {"id": voice.voice_id, "description": voice.description or voice.name, "gender": voice.gender}


def _served(engines: Engines) -> dict[str, Any]:
    """What is heard and translated here, in the vendor's form."""
    heard = sorted(engines.source_languages & set(LANGUAGES))
    pairs = {tuple(pair.split("→")) for pair in engines.describe()["translate"]}
    targets: dict[str, list[str]] = {}
    for source, target in sorted(pairs):
        if source in LANGUAGES and target in LANGUAGES:
            targets.setdefault(target, []).append(source)
    both = [f"{one}:{two}" for one, two in combinations(heard, 2) if {(one, two), (two, one)} <= pairs]
    return {
        "languages": [{"code": code, "name": LANGUAGES[code]} for code in heard],
        "translation_targets": [
            {"target_language": target, "source_languages": sources, "exclude_source_languages": []}
            for target, sources in sorted(targets.items())
        ],
        "two_way_translation_pairs": both,
        # Said by the vendor where every language goes to every other; here the lists say what is installed.
        "one_way_translation": None,
        "two_way_translation": None,
    }


def _model(model: Model, served: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": model.model_id,
        "aliased_model_id": model.alias_of,
        "name": model.name,
        "context_version": CONTEXT_VERSION,
        "transcription_mode": model.mode,
        "supports_language_hints_strict": True,
        "supports_agent_text_input": False,
        "supports_max_endpoint_delay": model.mode == REAL_TIME,
        "supports_endpoint_sensitivity": model.tunes_endpoints,
        "supports_endpoint_latency_adjustment": model.tunes_endpoints,
        "endpoint_latency_adjustment_max_level": LEVELS[1] if model.tunes_endpoints else 0,
        **served,
    }
