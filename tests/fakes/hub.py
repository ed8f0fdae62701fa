"""A hub of models on this machine: a real HTTP server laid out like the hubs, with faults on demand.

    with FakeHub() as hub:
        hub.add_model(Catalogue.load().get("small"), {"model.bin": ..., "config.json": ..., ...})
        (models_dir / "models.toml").write_text(hub.catalogue())

and `dragoman models pull small` with DRAGOMAN_HUB_URL and DRAGOMAN_ARGOS_URL at `hub.url` gets these files. The
catalogue is needed because the packaged one knows the sums of the real files.
"""

import hashlib
import json
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from dragoman.models.files.catalogue import Entry, RemoteFile
from dragoman.models.files.hub import Sources

LARGE = (".bin", ".onnx")
"""Endings of the files that the hub keeps as large ones: with a SHA-256, and led to another host."""

Fault = Callable[["_Handler", "_File"], bool]
"""Answers a request in the place of the server, or changes its answer and gives False."""


def status(code: int, retry_after: str | None = None) -> Fault:
    """Answer with this HTTP status."""

    def answer(handler: "_Handler", file: "_File") -> bool:
        handler.send_response(code)
        if retry_after is not None:
            handler.send_header("Retry-After", retry_after)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return True

    return answer


def cut(after: int) -> Fault:
    """Break the connection after so many bytes of the body."""

    def answer(handler: "_Handler", file: "_File") -> bool:
        handler.stop_after = after
        return False

    return answer


def stall(after: int) -> Fault:
    """Send nothing more after so many bytes of the body, until the hub is closed."""

    def answer(handler: "_Handler", file: "_File") -> bool:
        handler.stop_after, handler.stalls = after, True
        return False

    return answer


def corrupt(handler: "_Handler", file: "_File") -> bool:
    """Send one other byte, under the same tag."""
    handler.body = bytes([file.data[0] ^ 1]) + file.data[1:]
    return False


def ignore_range(handler: "_Handler", file: "_File") -> bool:
    """Send the whole file, whatever part was asked for."""
    handler.range_known = False
    return False


def redirect(to: str) -> Fault:
    """Lead to another address."""

    def answer(handler: "_Handler", file: "_File") -> bool:
        handler.send_response(302)
        handler.send_header("Location", to)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return True

    return answer


@dataclass(slots=True)
class Request:
    """What a client asked."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass(slots=True)
class _File:
    data: bytes
    tag: str = ""
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        self.sha256 = hashlib.sha256(self.data).hexdigest()
        self.tag = self.tag or f'"{self.git}"'

    @property
    def git(self) -> str:
        return hashlib.sha1(b"blob %d\0" % len(self.data) + self.data).hexdigest()


class FakeHub:
    """Serves what was added to it. Without `sums` it is a plain mirror: it says nothing of their content.

    With `cdn`, the address of another hub with the same files, large files are led there, as the real hub does.
    """

    def __init__(self, *, sums: bool = True, cdn: str = "") -> None:
        self.sums = sums
        self.cdn = cdn
        self.files: dict[str, _File] = {}
        self.requests: list[Request] = []
        self.closing = Event()
        self.lock = Lock()
        self.connections: set[socket.socket] = set()
        self._faults: list[tuple[str, Fault]] = []
        self._served: dict[str, tuple[Entry, dict[str, bytes]]] = {}
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.hub = self  # type: ignore[attr-defined]
        self._server.daemon_threads = False
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def sources(self) -> Sources:
        """What makes a pull come here."""
        return Sources(hub=self.url, argos=self.url, firefox=self.url)

    @property
    def environment(self) -> dict[str, str]:
        """The same for a process."""
        addresses = dict.fromkeys(("DRAGOMAN_HUB_URL", "DRAGOMAN_ARGOS_URL", "DRAGOMAN_FIREFOX_URL"), self.url)
        return addresses | {"NO_PROXY": "127.0.0.1"}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        with self.lock:
            for connection in self.connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)  # a client may keep it open for more
        self._server.server_close()
        self._thread.join()

    def add(self, path: str, data: bytes, *, tag: str = "") -> None:
        """Serve a file under a path such as Systran/faster-whisper-small/resolve/main/model.bin."""
        self.files[path.strip("/")] = _File(data, tag)

    def add_model(self, entry: Entry, files: Mapping[str, bytes]) -> None:
        """Serve a model where a pull of `entry` looks for it.

        `files` are by their names in the model's folder, and need not be those of the entry; of an Argos package the
        one file is the .argosmodel.
        """
        if entry.kind == "argos":
            (data,) = files.values()
            files = {entry.files[0].name: data}
        remote = [_remote(entry, name) for name in files]
        for file in remote:
            self.add(urlsplit(unquote(self.sources.url(entry, file))).path, files[file.name])
        self._served[entry.name] = (replace(entry, files=tuple(remote)), dict(files))

    def add_folder(self, entry: Entry, folder: Path) -> None:
        """Serve the files of a folder as a model."""
        self.add_model(entry, {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()})

    def catalogue(self, *, sums: bool = True) -> str:
        """A `models.toml` for the models that were added, with the sizes and sums of the files that are served.

        Without `sums` they are left to what the hub says of its files.
        """
        return "\n".join(_toml(entry, files, sums) for entry, files in self._served.values())

    def fail(self, ending: str, *faults: Fault) -> None:
        """Answer the next requests for a path that ends so with these faults, one each."""
        self._faults += [(ending, fault) for fault in faults]

    def asked(self, ending: str) -> list[Request]:
        """The requests for a path that ends so."""
        return [request for request in self.requests if urlsplit(request.path).path.endswith(ending)]

    def next_fault(self, path: str) -> Fault | None:
        with self.lock:
            for index, (ending, fault) in enumerate(self._faults):
                if path.endswith(ending):
                    del self._faults[index]
                    return fault
        return None


def _remote(entry: Entry, name: str) -> RemoteFile:
    known = next((file for file in entry.files if file.name == name), None)
    folder = entry.files[0].path.rpartition("/")[0]
    return known or RemoteFile(f"{folder}/{name}".strip("/"))


def _toml(entry: Entry, files: Mapping[str, bytes], sums: bool) -> str:
    languages = json.dumps(list(entry.languages))
    lines = [f"[[{entry.kind}]]", f'name = "{entry.name}"', f"languages = {languages}", f'licence = "{entry.licence}"']

    def facts(data: bytes) -> dict[str, Any]:
        return {"size": len(data)} | ({"sha256": hashlib.sha256(data).hexdigest()} if sums else {})

    if entry.kind == "argos":
        (data,) = files.values()
        lines += [f'url = "{entry.files[0].path}"', f'version = "{entry.version}"']
        lines += [f"{key} = {json.dumps(value)}" for key, value in facts(data).items()]
    else:
        if entry.repo:
            lines += [f'repo = "{entry.repo}"', f'revision = "{entry.revision}"']
        lines.append("files = [")
        for file in entry.files:
            called = {"called": file.called} if file.called else {}
            table = (
                {"path": file.path} | called | facts(files[file.name]) | ({"optional": True} if file.optional else {})
            )
            pairs = ", ".join(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in table.items())
            lines.append(f"    {{ {pairs} }},")
        lines.append("]")
    return "\n".join(lines) + "\n"


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # clients may go away
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    body: bytes | None = None
    stop_after: int | None = None
    stalls = False
    range_known = True

    @property
    def hub(self) -> FakeHub:
        found: FakeHub = self.server.hub  # type: ignore[attr-defined]
        return found

    def setup(self) -> None:
        super().setup()
        with self.hub.lock:
            self.hub.connections.add(self.connection)

    def finish(self) -> None:
        with self.hub.lock:
            self.hub.connections.discard(self.connection)
        super().finish()

    def do_GET(self) -> None:
        self.body, self.stop_after, self.stalls, self.range_known = None, None, False, True
        with self.hub.lock:
            self.hub.requests.append(Request(self.command, self.path, dict(self.headers.items())))
        path = unquote(urlsplit(self.path).path).strip("/")
        file = self.hub.files.get(path, _File(b""))
        fault = self.hub.next_fault(path)
        if fault is not None and fault(self, file):
            return
        if path not in self.hub.files:
            status(404)(self, file)
        elif self.hub.cdn and path.endswith(LARGE):
            self._lead(path, file)
        else:
            self._send(file, path if self.hub.sums and "/resolve/" in path else "")

    def do_HEAD(self) -> None:
        self.do_GET()

    def _lead(self, path: str, file: _File) -> None:
        self.send_response(302)
        self.send_header("Location", f"{self.hub.cdn}/{path}")
        self._tell(file, large=True)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, file: _File, on_hub: str = "") -> None:
        data = file.data if self.body is None else self.body
        start, wanted = 0, self.headers.get("Range", "")
        same = self.headers.get("If-Range") in (None, file.tag)
        if wanted.startswith("bytes=") and self.range_known and same:
            start = int(wanted.removeprefix("bytes=").partition("-")[0])
            if start >= len(data):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(data)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("ETag", file.tag)
        self.send_header("Content-Length", str(len(data) - start))
        if on_hub:
            self._tell(file, large=on_hub.endswith(LARGE))
        self.end_headers()
        self._write(data[start:])

    def _tell(self, file: _File, *, large: bool) -> None:
        self.send_header("X-Repo-Commit", "0" * 40)
        if large:
            self.send_header("X-Linked-Etag", f'"{file.sha256}"')
            self.send_header("X-Linked-Size", str(len(file.data)))

    def _write(self, data: bytes) -> None:
        if self.command == "HEAD":
            return
        try:
            self.wfile.write(data[: self.stop_after])
            if self.stop_after is not None and self.stop_after < len(data):
                self.wfile.flush()
                if self.stalls:
                    self.hub.closing.wait(30)
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            self.close_connection = True  # the client went away

    def log_message(self, *_: object) -> None:
        pass
