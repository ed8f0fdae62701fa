"""Forms with a file (multipart/form-data, RFC 7578), read as they come, within bounds.

The parser is python-multipart's. What it is given may be made to be expensive, so it works on small pieces in a worker:
a form of many megabytes keeps neither the event loop nor anybody's audio waiting. The file waits in memory while it is
small, and on disk beyond that. A route asks for the key before it reads one.
"""

from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import Any

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from dragoman.pipeline.offload import Offload
from dragoman.server.failures import BadMessage, MessageTooLarge
from dragoman.server.services import Services

FILE = "file"
"""The field that is a file."""
PIECE_BYTES = 65_536
"""So much is parsed in one go, and so much of a file is read at a time."""
MEMORY_BYTES = 65_536
"""Of a file; more of it is on disk."""
MAX_FIELDS = 64
MAX_NAME = 256


class BadForm(ValueError):
    """What came is no such form; the message says why in a few plain words."""


class FormTooLarge(Exception):
    """It is larger than it may be; with `without_file` it is what is no file in it."""

    def __init__(self, *, without_file: bool = False) -> None:
        self.without_file = without_file
        super().__init__("the form is too large")


@dataclass(slots=True)
class Form:
    """The values of a form by name, and its file. Of fields with the same name the last one counts."""

    fields: dict[str, str] = field(default_factory=dict)
    file: "SpooledTemporaryFile[bytes] | None" = None
    size: int = 0
    """Bytes of the file."""
    filename: str | None = None
    """As the client has it; None where it sent the field `file` as a text."""

    def close(self) -> None:
        """The file is not needed any more."""
        if self.file is not None:
            self.file.close()


@asynccontextmanager
async def form_of(request: Request, services: Services, limit_bytes: int) -> AsyncIterator[Form]:
    """A request's form, of at most `limit_bytes` in all; it is closed behind the block.

    Raises BadMessage, MessageTooLarge, or Starlette's ClientDisconnect.
    """
    fields_bytes = services.settings.limits.control_bytes
    try:
        if int(request.headers.get("content-length", "0")) > limit_bytes:
            raise FormTooLarge
        form = await read_form(
            request.stream(),
            request.headers.get("content-type", ""),
            services.parsing,
            file=FILE,
            limit_bytes=limit_bytes,
            fields_bytes=fields_bytes,
        )
    except BadForm as error:
        raise BadMessage(str(error)) from error
    except FormTooLarge as error:
        limit = fields_bytes if error.without_file else services.settings.limits.upload_bytes
        raise MessageTooLarge(limit, without_audio=error.without_file) from error
    try:
        yield form
    finally:
        form.close()


async def read_form(
    body: AsyncIterable[bytes], content_type: str, worker: Offload, *, file: str, limit_bytes: int, fields_bytes: int
) -> Form:
    """Read a form whose file, if there is one, is the field `file`; to be closed by whoever gets it.

    `limit_bytes` is the size of the whole body, `fields_bytes` that of all that is no file. Raises BadForm or
    FormTooLarge, before more is read.
    """
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise BadForm("the body must be multipart/form-data with a boundary")
    reading = _Reading(file, fields_bytes)
    size = 0
    try:
        parser = MultipartParser(options[b"boundary"], reading.callbacks())  # type: ignore[arg-type]
        async for piece in body:
            size += len(piece)
            if size > limit_bytes:
                raise FormTooLarge
            for start in range(0, len(piece), PIECE_BYTES):
                await worker.run(parser.write, piece[start : start + PIECE_BYTES])
        if not reading.complete:
            raise BadForm("the form is not complete")
        if reading.form.file is not None:
            reading.form.file.seek(0)
    except FormParserError as error:
        reading.form.close()
        raise BadForm("the body is no multipart form") from error
    except BaseException:
        reading.form.close()
        raise
    return reading.form


class _Reading:
    """What the parser has found so far."""

    def __init__(self, file: str, fields_bytes: int) -> None:
        self.form = Form()
        self.complete = False
        self._file = file
        self._fields_bytes = fields_bytes
        self._fields = 0
        self._header, self._value = bytearray(), bytearray()
        self._disposition = b""
        self._name = ""
        self._data: bytearray | None = None
        """The value of the field that is being read; None while it is the file."""

    def callbacks(self) -> dict[str, Callable[..., Any]]:
        """The parser's, by its names."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._begin_data,
            "on_part_data": self._take,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        self._fields += 1
        if self._fields > MAX_FIELDS:
            raise BadForm(f"the form has more than {MAX_FIELDS} fields")
        self._disposition = b""

    def _end_header(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _begin_data(self) -> None:
        kind, options = parse_options_header(self._disposition)
        name = options.get(b"name")
        if kind != b"form-data" or name is None or len(name) > MAX_NAME:
            raise BadForm("a field of the form has no name")
        self._name = name.decode("utf-8", "replace")
        self._data = bytearray()
        if self._name == self._file:
            if self.form.file is not None:
                raise BadForm(f"the form has more than one '{self._file}'")
            self.form.file = SpooledTemporaryFile(max_size=MEMORY_BYTES)  # noqa: SIM115  (the form's owner closes it)
            if (filename := options.get(b"filename")) is not None:
                self.form.filename = filename.decode("utf-8", "replace")
            self._data = None

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self._data is None:
            assert self.form.file is not None  # noqa: S101
            self.form.file.write(data[start:end])
            self.form.size += end - start
            return
        self._fields_bytes -= end - start
        if self._fields_bytes < 0:
            raise FormTooLarge(without_file=True)
        self._data += data[start:end]

    def _end(self) -> None:
        if self._data is not None:
            try:
                self.form.fields[self._name] = self._data.decode()
            except UnicodeDecodeError as error:
                raise BadForm("a field of the form is not UTF-8") from error

    def _finish(self) -> None:
        self.complete = True
