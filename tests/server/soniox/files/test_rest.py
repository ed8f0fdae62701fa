"""The calls about files and transcriptions, in this process: forms, pages, other people's, and what is hostile."""

import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive

from dragoman.config.settings import load_settings
from dragoman.server.app import create_app
from dragoman.server.services import Services
from tests.fakes.engines import fake_engines
from tests.server.uploads.test_transcriber import recording

UNKNOWN = "00000000-0000-4000-8000-000000000000"


class Client:
    """A client of an application without a socket."""

    def __init__(self, app: ASGIApp, http: httpx.AsyncClient, folder: Path) -> None:
        self.app = app
        self.http = http
        self.folder = folder

    @property
    def kept(self) -> set[str]:
        """The files in the folder beside the database."""
        return {path.name for path in self.folder.iterdir() if path.stem != "index"}

    async def call(self, method: str, path: str, *, key: str = "one", status: int = 200, **more: Any) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {key}", **more.pop("headers", {})}
        answer = await self.http.request(method, f"/v1{path}", headers=headers, **more)
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json() if answer.content else {}
        if status >= 400:
            assert set(found) == {"status_code", "error_type", "message", "validation_errors", "request_id"}
            assert found["status_code"] == status
        return found

    async def upload(self, audio: bytes = b"data", name: str = "a.wav", **more: Any) -> dict[str, Any]:
        more.setdefault("status", 201)
        return await self.call("POST", "/files", files={"file": (name, audio)}, **more)


@asynccontextmanager
async def served(folder: Path, **more: Any) -> AsyncIterator[Client]:
    """An application with two keys and little room; `more` are other settings."""
    limits = {"upload_bytes": 300_000, "files_bytes": 500_000}
    settings = load_settings(overrides={"api_keys": ["one", "two"], "files_dir": str(folder), "limits": limits, **more})
    services = Services(settings, lambda *_: fake_engines(lambda request: "Hello there."))
    app = create_app(services)
    async with app.router.lifespan_context(app):
        await services.until_loaded()
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
            yield Client(app, http, folder)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with served(tmp_path / "files") as one:
        yield one


async def test_a_file_from_its_upload_to_its_end(client: Client) -> None:
    made = await client.upload(b"x" * 200_000, data={"client_reference_id": "mine"})
    assert made["size"] == 200_000
    assert made["filename"] == "a.wav"
    assert made["client_reference_id"] == "mine"
    assert made["created_at"].endswith("Z")
    assert await client.call("GET", f"/files/{made['id']}") == made
    assert await client.call("GET", "/files") == {"files": [made], "next_page_cursor": None}
    assert await client.call("GET", "/files/count") == {"total": 1, "public_api": 1, "playground": 0}
    assert await client.call("DELETE", f"/files/{made['id']}", status=204) == {}
    assert (await client.call("DELETE", f"/files/{made['id']}", status=404))["error_type"] == "file_not_found"
    assert client.kept == set()


async def test_a_transcription_from_its_order_to_its_end(client: Client) -> None:
    file = await client.upload(recording(1))
    order = {
        "model": "stt-async-v7",
        "file_id": file["id"],
        "translation": {"type": "one_way", "target_language": "es"},
        "language_hints": ["en"],
        "context": {"terms": ["there"]},
        "client_reference_id": "mine",
        "novelty": 1,
    }
    made = await client.call("POST", "/transcriptions", json=order, status=201)
    assert made["status"] == "queued"
    assert made["filename"] == "a.wav"
    assert (made["model"], made["context"], made["language_hints"]) == ("stt-async-v7", {"terms": ["there"]}, ["en"])
    path = f"/transcriptions/{made['id']}"
    found: dict[str, Any] = {}

    async def over() -> bool:
        nonlocal found
        found = await client.call("GET", path)
        return found["status"] in ("completed", "error")

    while not await over():
        pass
    assert found["status"] == "completed"
    assert found["audio_duration_ms"] == 2_000
    assert set(found) >= {"webhook_url", "error_type", "audio_url", "enable_speaker_diarization"}
    transcript = await client.call("GET", f"{path}/transcript")
    assert transcript["id"] == made["id"]
    assert transcript["text"] == "Hello there."
    assert [token["translation_status"] for token in transcript["tokens"]] == ["original"] * 2 + ["translation"] * 3
    (listed,) = (await client.call("GET", "/transcriptions"))["transcriptions"]
    assert listed == {**found, "context": None}
    assert (await client.call("GET", "/transcriptions/count"))["total"] == 1
    for method, end in (("GET", ""), ("GET", "/transcript"), ("DELETE", "")):
        assert (await client.call(method, path + end, key="two", status=404))["error_type"] == "transcription_not_found"
    await client.call("DELETE", path, status=204)
    await client.call("GET", path, status=404)
    assert await client.call("GET", f"/files/{file['id']}") == file


async def test_what_is_not_over_cannot_be_read_and_what_failed_says_why(client: Client) -> None:
    file = await client.upload(b"no audio" * 2_000)
    made = await client.call(
        "POST", "/transcriptions", json={"model": "stt-async-v6", "file_id": file["id"]}, status=201
    )
    path = f"/transcriptions/{made['id']}"
    while (found := await client.call("GET", path))["status"] != "error":
        pass
    assert "no known container" in found["error_message"]
    told = await client.call("GET", f"{path}/transcript", status=409)
    assert (told["error_type"], told["message"]) == ("transcription_invalid_state", "the transcription has failed")


async def test_one_key_never_sees_what_anothers_is(client: Client) -> None:
    file = await client.upload()
    for method in ("GET", "DELETE"):
        await client.call(method, f"/files/{file['id']}", key="two", status=404)
    assert (await client.call("GET", "/files", key="two"))["files"] == []
    assert (await client.call("GET", "/files/count", key="two"))["total"] == 0
    order = {"model": "stt-async-v6", "file_id": file["id"]}
    told = await client.call("POST", "/transcriptions", json=order, key="two", status=400)
    assert told["message"] == "file_id: there is no such file"
    for path in ("/files", "/files/count", f"/files/{file['id']}", "/transcriptions", f"/transcriptions/{UNKNOWN}"):
        assert (await client.call("GET", path, key="wrong", status=401))["error_type"] == "unauthenticated"
    temporary = (
        await client.call(
            "POST",
            "/auth/temporary-api-key",
            json={"usage_type": "transcribe_websocket", "expires_in_seconds": 60},
            status=201,
        )
    )["api_key"]
    await client.call("GET", "/files", key=temporary, status=401)


async def test_pages(client: Client) -> None:
    names = [f"{number}.wav" for number in range(5)]
    for name in names:
        await client.upload(name=name)
    seen, cursor = [], None
    while True:
        page = await client.call("GET", "/files", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
        seen += [file["filename"] for file in page["files"]]
        cursor = page["next_page_cursor"]
        if cursor is None:
            break
    assert seen == names[::-1]
    for wrong in ("x", "", "djE6LTE=", "djE6OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "ü", "x" * 5_000):
        for path in ("/files", "/transcriptions"):
            told = await client.call("GET", path, params={"cursor": wrong}, status=400)
            assert told["error_type"] == "invalid_cursor"
    for limit in ("0", "1001", "x", "-1"):
        told = await client.call("GET", "/files", params={"limit": limit}, status=400)
        assert told["validation_errors"][0]["location"] == "query.limit"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\talk.mp3", "talk.mp3"),
        ("..", ".."),
        ("", "upload.bin"),
        ("/", "upload.bin"),
        ("a\x01b\x7f.wav", None),
        ("'; DROP TABLE files; --", "'; DROP TABLE files; --"),
        ("x" * 400, "x" * 255),
        ("ä😀.wav", "ä😀.wav"),
    ],
)
async def test_names_are_only_ever_shown(client: Client, name: str, shown: str | None) -> None:
    if not name:
        body = b'--b\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\ndata\r\n--b--\r\n'
        made = await client.call(
            "POST", "/files", content=body, headers={"content-type": "multipart/form-data; boundary=b"}, status=201
        )
    else:
        made = await client.upload(name=name)
    assert made["filename"] == shown or (shown is None and made["filename"].isprintable())
    assert client.kept == {f"{made['id']}.audio"}
    assert (await client.call("GET", "/files"))["files"] == [made]


async def test_uploads_that_are_refused(client: Client) -> None:
    too_large = await client.upload(b"x" * 300_000, status=413)
    assert too_large["error_type"] == "file_too_large"
    assert (await client.upload(b"", status=400))["message"] == "the file is empty"
    assert (await client.upload(key="wrong", status=401))["message"] == "API key is not valid"
    await client.upload(b"x" * 250_000)
    assert (await client.upload(b"x" * 251_000, status=429))["error_type"] == "limit_exceeded"
    for body, kind in [
        (b"", "multipart/form-data; boundary=b"),
        (b"--b--\r\n", "multipart/form-data; boundary=b"),
        (b"garbage", "multipart/form-data; boundary=b"),
        (b"garbage", "multipart/form-data"),
        (b"{}", "application/json"),
        (b"file=abc", "application/x-www-form-urlencoded"),
        (
            b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc',
            "multipart/form-data; boundary=b",
        ),
        (b"--b\r\nX: " + b"y" * 100_000, "multipart/form-data; boundary=b"),
    ]:
        told = await client.call("POST", "/files", content=body, headers={"content-type": kind}, status=400)
        assert told["error_type"] == "invalid_request"
    long = {"client_reference_id": "x" * 257}
    assert "at most 256" in (await client.upload(data=long, status=400))["message"]
    files = [("file", ("a", b"1")), ("file", ("b", b"2"))]
    await client.call("POST", "/files", files=files, status=400)
    assert (await client.call("GET", "/files/count"))["total"] == 1


@pytest.mark.parametrize(("key", "announced", "status"), [(b"wrong", 3, 401), (b"one", 300_001, 413)])
async def test_nothing_is_read_of_an_upload_that_its_head_forbids(
    client: Client, key: bytes, announced: int, status: int
) -> None:
    async def receive() -> Message:
        raise AssertionError

    assert (await posted(client.app, receive, key, announced))[0]["status"] == status


async def test_a_client_that_leaves_in_its_upload_leaves_nothing(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    come: list[Message] = [
        {"type": "http.disconnect"},
        {
            "type": "http.request",
            "body": b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc',
            "more_body": True,
        },
    ]

    async def receive() -> Message:
        return come.pop()

    assert (await posted(client.app, receive, b"one", 1_000))[0]["status"] == 499
    assert not [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]
    assert (await client.call("GET", "/files/count"))["total"] == 0


async def posted(app: ASGIApp, receive: Receive, key: bytes, announced: int) -> list[Message]:
    """What an upload is told whose body comes from `receive`."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [
        (b"host", b"127.0.0.1:8000"),
        (b"authorization", b"Bearer " + key),
        (b"content-type", b"multipart/form-data; boundary=b"),
        (b"content-length", str(announced).encode()),
    ]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/files",
        "raw_path": b"/v1/files",
        "root_path": "",
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }
    await app(scope, receive, send)
    return sent


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"file_id": None}, "one of file_id and audio_url must be given"),
        ({"audio_url": "http://127.0.0.1/x"}, "one of file_id and audio_url must be given"),
        ({"file_id": None, "audio_url": "http://127.0.0.1/x"}, "audio_url is not served here"),
        ({"webhook_url": "http://127.0.0.1/x"}, "webhook_url is not served here"),
        ({"webhook_url": "x" * 257}, "length <= 256 in webhook_url"),
        ({"file_id": 3}, "invalid request: Expected str"),
        ({"file_id": "../x"}, "there is no such file"),
        ({"model": None}, "model is missing"),
        ({"model": "stt-rt-v6"}, "unknown model 'stt-rt-v6': use one of stt-async-v6"),
        ({"language_hints": ["qq"]}, "language_hints holds 'qq'"),
        ({"translation": {"type": "one_way"}}, "translation.target_language is missing"),
        ({"translation": {"type": "two_way", "language_a": "en", "language_b": "en"}}, "translation.language_b"),
        ({"context": "x" * 10_001}, "context is longer than 10000 characters"),
        ({"client_reference_id": "x" * 257}, "client_reference_id is longer"),
        ({"enable_speaker_diarization": "yes"}, "in enable_speaker_diarization"),
    ],
)
async def test_orders_that_are_refused(client: Client, fields: dict[str, Any], text: str) -> None:
    file = await client.upload()
    order = {"model": "stt-async-v6", "file_id": file["id"], **fields}
    told = await client.call("POST", "/transcriptions", json=order, status=400)
    assert text in told["message"]
    assert (await client.call("GET", "/transcriptions/count"))["total"] == 0


async def test_any_form_is_answered(client: Client) -> None:
    """Uploads that are broken anywhere: taken or refused, in the vendor's form, and nothing half kept."""
    good = (
        b'--b\r\nContent-Disposition: form-data; name="client_reference_id"\r\n\r\nme\r\n--b\r\n'
        b'Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
        b"some data\r\n--b--\r\n"
    )
    dice = random.Random(3)
    statuses = set()
    for _ in range(300):
        broken = bytearray(good)
        for _ in range(dice.randint(1, 4)):
            place = dice.randrange(len(broken))
            broken[place : place + dice.randint(0, 3)] = dice.randbytes(dice.randint(0, 3))
        boundary = dice.choice(
            ["b", "b", "b", '"b"', "", "x" * 300, "b; charset=utf-16", "b; charset=raw_unicode_escape"]
        )
        answer = await client.http.post(
            "/v1/files",
            content=bytes(broken),
            headers={"authorization": "Bearer one", "content-type": f"multipart/form-data; boundary={boundary}"},
        )
        statuses.add(answer.status_code)
        told = answer.json()
        assert ("id" in told) if answer.status_code == 201 else (told["status_code"] == answer.status_code == 400)
    assert statuses == {201, 400}
    assert len(client.kept) == (await client.call("GET", "/files/count"))["total"]


async def test_any_order_is_answered(client: Client) -> None:
    file = await client.upload()
    good = {"model": "stt-async-v6", "file_id": file["id"], "translation": {"type": "one_way", "target_language": "es"},
            "context": {"terms": ["x"]}, "language_hints": ["en"]}  # fmt: skip
    values = ["NaN", "1e999", "9" * 5_000, "null", "true", "[]", "{}", '""', '"\\ud800"', '"\\u0000"', "[" * 20_000,
              '"' + "x" * 60_000 + '"', "-1", "[[[]]]"]  # fmt: skip
    for field in (*good, "audio_url", "webhook_url", "client_reference_id", "enable_speaker_diarization"):
        for value in values:
            rest = json.dumps({name: other for name, other in good.items() if name != field})
            body = f'{rest[:-1]}, "{field}": {value}}}'.encode()
            answer = await client.http.post("/v1/transcriptions", content=body, headers={"authorization": "Bearer one"})
            assert answer.status_code in (201, 400, 429), (body[:80], answer.text)
            assert len(answer.content) < 20_000


async def test_a_folder_that_cannot_be_used_is_said(client: Client) -> None:
    client.folder.write_text("in the way")
    for method, path in (("GET", "/files"), ("GET", "/transcriptions")):
        await client.call(method, path)
    assert (await client.upload(status=503))["error_type"] == "service_unavailable"
