"""Forms with files (multipart/form-data, RFC 7578) in the body of a request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from dragoman.server.failures import BadMessage

FIELDS = 8
FIELD_BYTES = 4_096
"""Of one field that is no file; what a file may have, the limit of the body says (`server/bodies.py`)."""


@asynccontextmanager
async def read_form(request: Request) -> AsyncIterator[FormData]:
    """The fields of a request's form, of which one may be a file; it is closed behind the block. Raises BadMessage."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "multipart/form-data":
        raise BadMessage("the body must be multipart/form-data")
    parser = _Parser(request.headers, request.stream(), max_files=1, max_fields=FIELDS, max_part_size=FIELD_BYTES)
    try:
        yield await parser.parse()
    except MultiPartException as error:
        raise BadMessage(f"the form cannot be read: {error.message}") from error
    finally:
        parser.close()


class _Parser(MultiPartParser):
    """Starlette's, which does not close the file of a part that never ends."""

    def close(self) -> None:
        """Close every file."""
        for file in self._files_to_close_on_error:
            file.close()


def file_in(form: FormData, name: str = "file") -> UploadFile:
    """The file of a form. Raises BadMessage."""
    file = form.get(name)
    if not isinstance(file, UploadFile):
        raise BadMessage(f"{name} is missing: send it as a file")
    return file
