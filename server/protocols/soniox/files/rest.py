"""The calls about files: upload, list, count, look, delete."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, ParamSpec, TypeVar

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from dragoman.server.failures import BadMessage, MessageTooLarge
from dragoman.server.multipart import FILE, Form, form_of
from dragoman.server.protocols.soniox.api import (
    INVALID,
    MAX_PAGE,
    ApiError,
    ApiRoute,
    Desk,
    read_cursor,
    read_query,
    write_cursor,
    written,
)
from dragoman.server.protocols.soniox.start import MAX_REFERENCE
from dragoman.server.uploads.files import Files, StoredFile
from dragoman.server.uploads.shelf import NotOver, StoreBroken, StoreFull

MAX_FILENAME = 255
UNNAMED = "upload.bin"

P = ParamSpec("P")
T = TypeVar("T")


class PageQuery(BaseModel):
    """Query of a list."""

    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = MAX_PAGE
    cursor: str | None = None


async def kept(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Ask the store, in a thread. Raises ApiError for what it cannot do."""
    try:
        return await asyncio.to_thread(function, *args, **kwargs)
    except StoreFull as error:
        raise ApiError(429, "limit_exceeded", str(error)) from error
    except NotOver as error:
        raise ApiError(409, "transcription_invalid_state", str(error)) from error
    except StoreBroken as error:
        raise ApiError(503, "service_unavailable", str(error)) from error


def file_routes(desk: Desk, store: Files) -> APIRouter:
    """The calls; each asks for the key, and sees that key's files only."""
    router = APIRouter(route_class=ApiRoute, tags=["soniox"])

    @router.post("/files", status_code=201)
    async def upload(request: Request) -> dict[str, Any]:
        """Keep a file."""
        owner = desk.owner(request)
        try:
            async with form_of(request, desk.services, desk.services.settings.limits.upload_bytes) as form:
                return file_body(await _keep(store, owner, form))
        except MessageTooLarge as error:
            raise ApiError(413, INVALID if error.without_audio else "file_too_large", str(error)) from error

    @router.get("/files")
    async def files(request: Request) -> dict[str, Any]:
        """A page of files, the newest first."""
        owner, query = desk.owner(request), read_query(PageQuery, request)
        found = await kept(store.files, owner, query.limit + 1, read_cursor(query.cursor))
        return {"files": [file_body(file) for file in found[: query.limit]], "next_page_cursor": _next(found, query)}

    @router.get("/files/count")
    async def count(request: Request) -> dict[str, int]:
        """How many there are."""
        return counted(await kept(store.count_files, desk.owner(request)))

    @router.get("/files/{file_id}")
    async def file(request: Request, file_id: str) -> dict[str, Any]:
        """One file."""
        found = await kept(store.file, desk.owner(request), plain(file_id))
        if found is None:
            raise _absent()
        return file_body(found)

    @router.delete("/files/{file_id}", status_code=204, response_class=Response)
    async def delete(request: Request, file_id: str) -> Response:
        """Delete a file."""
        if not await kept(store.delete_file, desk.owner(request), plain(file_id)):
            raise _absent()
        return Response(status_code=204)

    return router


def counted(total: int) -> dict[str, int]:
    """A count as the vendor tells it: all are of the API."""
    return {"total": total, "public_api": total, "playground": 0}


def file_body(file: StoredFile) -> dict[str, Any]:
    """A file as it goes over the wire."""
    return {
        "id": file.id,
        "filename": file.filename,
        "size": file.size,
        "created_at": written(datetime.fromtimestamp(file.created, UTC)),
        "client_reference_id": file.reference,
    }


def plain(text: str) -> str:
    """A client's text as it can be kept: without halves of characters."""
    return text.encode("utf-8", "replace").decode()


async def _keep(store: Files, owner: str, form: Form) -> StoredFile:
    if form.file is None or form.filename is None:
        raise BadMessage(f"{FILE} is missing: send it as a file")
    reference = _reference(form)
    if not form.size:
        raise ApiError(400, INVALID, "the file is empty")
    return await kept(store.put, owner, filename_of(form.filename), reference, form.file, form.size)


def _reference(form: Form) -> str | None:
    reference = form.fields.get("client_reference_id")
    if reference is None:
        return None
    if len(reference) > MAX_REFERENCE:
        raise ApiError(400, INVALID, f"client_reference_id must be a text of at most {MAX_REFERENCE} characters")
    return plain(reference)


def filename_of(name: str) -> str:
    """The name without folders and control characters; it is only ever shown."""
    last = plain(name).replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable())[:MAX_FILENAME].strip() or UNNAMED


def _next(found: list[StoredFile], query: PageQuery) -> str | None:
    return write_cursor(found[query.limit - 1].number) if len(found) > query.limit else None


def _absent() -> ApiError:
    return ApiError(404, "file_not_found", "there is no such file")
