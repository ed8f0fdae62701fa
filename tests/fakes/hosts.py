"""Hosts that the server is sent to by its clients."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

HANG = b""
"""An answer that never comes."""


@dataclass
class FakeHost:
    """Answers each path with the bytes that it is given for it, the last ones again and again; remembers what came."""

    answers: dict[str, list[bytes]]
    port: int = 0
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    """Method, path, headers in small letters, body."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            method, path, _ = first.split(" ")
            self.asked.append((method, path, headers, body))
            answers = self.answers.get(path, [answer(404)])
            told = answers[0] if len(answers) == 1 else answers.pop(0)
            if told is HANG:
                await reader.read()
            writer.write(told)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def answer(status: int = 200, body: bytes = b"", *headers: str) -> bytes:
    """An answer of HTTP/1.1."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


@asynccontextmanager
async def hosting(**answers: bytes | list[bytes]) -> AsyncIterator[FakeHost]:
    """A host on this machine; `a` are the answers of `/a`."""
    paths = {f"/{name}": told if isinstance(told, list) else [told] for name, told in answers.items()}
    host = FakeHost(paths)
    server = await asyncio.start_server(host.serve, "127.0.0.1", 0)
    host.port = server.sockets[0].getsockname()[1]
    async with server:
        yield host
        server.close()
