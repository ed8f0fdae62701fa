"""The calls about transcriptions: order one, look how far it is, read and delete it."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import msgspec
from fastapi import APIRouter, Request, Response

from dragoman.server import wire
from dragoman.server.failures import BadMessage, Fault
from dragoman.server.protocols.soniox.api import (
    INVALID,
    ApiError,
    ApiRoute,
    Desk,
    read_cursor,
    read_query,
    write_cursor,
    written,
)
from dragoman.server.protocols.soniox.files.addresses import MASKED, check_source, check_webhook
from dragoman.server.protocols.soniox.files.rest import PageQuery, counted, filename_of, kept, plain
from dragoman.server.protocols.soniox.messages import TranscriptionStart
from dragoman.server.protocols.soniox.start import parse_transcription
from dragoman.server.uploads.calls import TRIES
from dragoman.server.uploads.shelf import BROKEN, COMPLETED, FETCHING, QUEUED, TO_FETCH
from dragoman.server.uploads.store import FETCHED, Transcription
from dragoman.server.uploads.uploads import Uploads

_object: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict)
_FIELDS = frozenset(TranscriptionStart.__struct_fields__)


def transcription_routes(desk: Desk, uploads: Uploads) -> APIRouter:
    """The calls; each asks for the key, and sees that key's transcriptions only."""
    router, store = APIRouter(route_class=ApiRoute, tags=["soniox"]), uploads.store

    async def find(request: Request, uid: str) -> Transcription:
        found = await kept(store.transcription, desk.owner(request), plain(uid))
        if found is None:
            raise _absent()
        return found

    @router.post("/transcriptions", status_code=201)
    async def create(request: Request) -> dict[str, Any]:
        """Order one."""
        owner = desk.owner(request)
        fields, start = _read(await request.body())
        calls = TRIES if check_webhook(uploads.outgoing, start) else 0
        if start.audio_url is not None:
            name = filename_of(unquote(check_source(uploads.outgoing, start.audio_url).path.partition("?")[0]))
            made = await kept(store.order_fetched, owner, name, fields, calls=calls)
            uploads.fetcher.wake()
        else:
            made = await kept(store.order, owner, start.file_id or "", fields, calls=calls)
            uploads.transcriber.wake()
        if made is None:
            raise ApiError(400, INVALID, "file_id: there is no such file")
        return _body(made)

    @router.get("/transcriptions")
    async def transcriptions(request: Request) -> dict[str, Any]:
        """A page of them, the newest first."""
        owner, query = desk.owner(request), read_query(PageQuery, request)
        found = await kept(store.transcriptions, owner, query.limit + 1, read_cursor(query.cursor))
        more = len(found) > query.limit
        return {
            "transcriptions": [_body(one, in_list=True) for one in found[: query.limit]],
            "next_page_cursor": write_cursor(found[query.limit - 1].number) if more else None,
        }

    @router.get("/transcriptions/count")
    async def count(request: Request) -> dict[str, int]:
        """How many there are."""
        return counted(await kept(store.count_transcriptions, desk.owner(request)))

    @router.get("/transcriptions/{uid}")
    async def transcription(request: Request, uid: str) -> dict[str, Any]:
        """How far one is."""
        return _body(await find(request, uid))

    @router.get("/transcriptions/{uid}/transcript")
    async def transcript(request: Request, uid: str) -> Response:
        """What was recognised."""
        found = await find(request, uid)
        text = await kept(store.transcript, found.owner, found.id) if found.status == COMPLETED else None
        if text is None:
            state = "has failed" if found.status == BROKEN else "is not completed"
            raise ApiError(409, "transcription_invalid_state", f"the transcription {state}")
        return Response(f'{{"id": {json.dumps(found.id)}, {text[1:]}', media_type="application/json")

    @router.delete("/transcriptions/{uid}", status_code=204, response_class=Response)
    async def delete(request: Request, uid: str) -> Response:
        """Delete one; its file stays."""
        found = await find(request, uid)
        if not await kept(store.delete_transcription, found.owner, found.id):
            raise _absent()
        if _is_fetched(found):
            await kept(store.delete_file, found.owner + FETCHED, found.file_id)
        return Response(status_code=204)

    return router


def _read(body: bytes) -> tuple[dict[str, Any], TranscriptionStart]:
    """What is to be done, as it came and as it is understood. Raises BadMessage or ApiError."""
    try:
        fields = wire.decode(body or b"{}", _object)
    except wire.NotJson as error:
        raise ApiError(400, INVALID, f"body is not JSON: {error}") from error
    start, _ = parse_transcription(fields)
    if (start.file_id is None) == (start.audio_url is None):
        raise BadMessage("one of file_id and audio_url must be given, and not both", Fault.SETUP)
    return {name: value for name, value in fields.items() if name in _FIELDS}, start


def _body(one: Transcription, *, in_list: bool = False) -> dict[str, Any]:
    wanted = one.request
    return {
        "id": one.id,
        "status": QUEUED if one.status in (TO_FETCH, FETCHING) else one.status,
        "created_at": written(datetime.fromtimestamp(one.created, UTC)),
        "model": wanted["model"],
        "audio_url": wanted.get("audio_url"),
        "file_id": None if _is_fetched(one) else one.file_id,
        "filename": one.filename,
        "language_hints": wanted.get("language_hints"),
        # Of up to 10000 characters, and there may be 1000 of them.
        "context": None if in_list else wanted.get("context"),
        "enable_speaker_diarization": bool(wanted.get("enable_speaker_diarization")),
        "enable_language_identification": bool(wanted.get("enable_language_identification")),
        "audio_duration_ms": one.audio_ms,
        "error_type": one.error_type,
        "error_message": one.error_message,
        "webhook_url": wanted.get("webhook_url"),
        "webhook_auth_header_name": wanted.get("webhook_auth_header_name"),
        "webhook_auth_header_value": MASKED if wanted.get("webhook_auth_header_value") else None,
        "webhook_status_code": one.call_status,
        "client_reference_id": wanted.get("client_reference_id"),
    }


def _is_fetched(one: Transcription) -> bool:
    return one.request.get("audio_url") is not None


def _absent() -> ApiError:
    return ApiError(404, "transcription_not_found", "there is no such transcription")
