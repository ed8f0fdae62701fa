"""An index of Python packages on this machine, which the real pip asks: wheels made of given files, with faults."""

import io
import zipfile
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Self


def wheel(name: str, version: str, members: Mapping[str, bytes]) -> bytes:
    """A wheel with these members, whatever they are called."""
    plain = name.replace("-", "_")
    about = f"{plain}-{version}.dist-info"
    given = {
        **members,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": b"",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in given.items():
            archive.writestr(path, data)
    return buffer.getvalue()


class FakeIndex:
    """Serves wheels by name and version. `requests` are the paths that were asked for; `cut` names wheels whose
    connection breaks in the middle."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.cut: set[str] = set()
        self._wheels: dict[str, bytes] = {}
        index = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def do_GET(self) -> None:
                index._answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/simple"

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def add(self, name: str, version: str, data: bytes) -> str:
        """Serve a wheel; gives its file's name."""
        file = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
        self._wheels[file] = data
        return file

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.requests.append(handler.path)
        last = handler.path.rstrip("/").rpartition("/")[2]
        page = "".join(
            f'<a href="/files/{file}">{file}</a>'
            for file in self._wheels
            if file.startswith(last.replace("-", "_") + "-")
        )
        body, kind = (
            (self._wheels.get(last), "application/zip") if last.endswith(".whl") else (page.encode(), "text/html")
        )
        if not body:
            handler.send_error(404)
            return
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2] if last in self.cut else body)
