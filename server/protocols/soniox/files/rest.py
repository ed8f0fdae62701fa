"""The calls about files: upload, list, count, look, delete."""

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, BinaryIO, ParamSpec, TypeVar

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from starlette.datastructures import FormData

from dragoman.server.forms import file_in, read_form
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
from dragoman.server.protocols.soniox.files.store import NotOver, Store, StoreBroken, StoredFile, StoreFull
from dragoman.server.protocols.soniox.start import MAX_REFERENCE

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


def file_routes(desk: Desk, store: Store) -> APIRouter:
    """The calls; each asks for the key, and sees that key's files only."""
    router = APIRouter(route_class=ApiRoute, tags=["soniox"])

    @router.post("/files", status_code=201)
    async def upload(request: Request) -> dict[str, Any]:
        """Keep a file."""
        owner = desk.owner(request)
        async with read_form(request) as form:
            file, reference = file_in(form), _reference(form)
            size = await asyncio.to_thread(_size, file.file)
            if not size:
                raise ApiError(400, INVALID, "the file is empty")
            return file_body(await kept(store.put, owner, _filename(file.filename), reference, file.file, size))

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


def files_refusal(status: int, message: str) -> Response:
    """What an upload is told that no route has seen."""
    kinds = {401: "unauthenticated", 403: "permission_denied", 413: "file_too_large", 429: "limit_exceeded"}
    return ApiError(status, kinds.get(status, INVALID), message).response()


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


def _reference(form: FormData) -> str | None:
    reference = form.get("client_reference_id")
    if reference is None:
        return None
    if not isinstance(reference, str) or len(reference) > MAX_REFERENCE:
        raise ApiError(400, INVALID, f"client_reference_id must be a text of at most {MAX_REFERENCE} characters")
    return plain(reference)


def _size(file: BinaryIO) -> int:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size


def _filename(name: str | None) -> str:
    """The name without folders and control characters; it is only ever shown."""
    last = plain(name or "").replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable())[:MAX_FILENAME].strip() or UNNAMED


def _next(found: list[StoredFile], query: PageQuery) -> str | None:
    return write_cursor(found[query.limit - 1].number) if len(found) > query.limit else None


def _absent() -> ApiError:
    return ApiError(404, "file_not_found", "there is no such file")
