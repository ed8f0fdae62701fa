"""Orders that name addresses: files that the server gets itself, and webhooks that are told."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from dragoman.server.protocols.soniox.files.addresses import MASKED
from dragoman.server.uploads import calls
from tests.fakes.hosts import HANG, answer, hosting
from tests.server.soniox.files.test_rest import Client, served
from tests.server.uploads.test_transcriber import recording
from tests.waiting import PATIENCE_S, until_async

MODEL = "stt-async-v6"
HERE = {"hosts": ["127.0.0.1"], "networks": ["127.0.0.0/8"], "fetch_s": 60.0, "webhook_s": 60.0}
SOUND = recording(1)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with served(tmp_path / "files", outgoing=HERE) as one:
        yield one


async def order(client: Client, status: int = 201, **fields: Any) -> dict[str, Any]:
    return await client.call("POST", "/transcriptions", json={"model": MODEL, **fields}, status=status)


async def over(client: Client, uid: str, **until: Any) -> dict[str, Any]:
    """The transcription when it is over, and has these fields."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = await client.call("GET", f"/transcriptions/{uid}")
            if found["status"] in ("completed", "error") and until.items() <= found.items():
                return found
            await asyncio.sleep(0.01)


async def test_a_file_that_is_elsewhere(client: Client) -> None:
    async with hosting() as host:
        host.answers["/talks/a%20b.wav?key=x"] = [answer(200, SOUND)]
        url = f"{host.url}/talks/a%20b.wav?key=x"
        made = await order(client, audio_url=url)
        assert (made["status"], made["file_id"], made["audio_url"]) == ("queued", None, url)
        assert made["filename"] == "a b.wav"
        found = await over(client, made["id"])
    assert (found["status"], found["audio_duration_ms"], found["file_id"]) == ("completed", 2_000, None)
    assert (await client.call("GET", f"/transcriptions/{made['id']}/transcript"))["text"] == "Hello there."
    # Nobody sees the file, and it does not stay.
    assert (await client.call("GET", "/files/count"))["total"] == 0
    await until_async(lambda: client.kept == set())


async def test_files_that_cannot_be_had(client: Client) -> None:
    answers = {"a": answer(404), "b": answer(200, bytes(300_001)), "c": b"no HTTP", "d": answer(200, b"")}
    async with hosting(**answers) as host:
        told = []
        for path in "abcd":
            made = await order(client, audio_url=f"{host.url}/{path}")
            found = await over(client, made["id"])
            told.append((found["error_type"], found["error_message"]))
    assert told[0] == ("invalid_request", "audio_url: the host answered with status 404")
    assert told[1] == ("file_too_large", "audio_url: what is there has more than 300000 bytes")
    assert told[2][0] == "invalid_request"
    assert told[3] == ("invalid_request", "audio_url: what is there is empty")
    assert client.kept == set()


async def test_a_host_that_hangs_keeps_no_uploaded_file_waiting(client: Client) -> None:
    async with hosting(slow=HANG) as host:
        waits = [(await order(client, audio_url=f"{host.url}/slow"))["id"] for _ in range(10)]
        file = await client.upload(SOUND)
        assert (await over(client, (await order(client, file_id=file["id"]))["id"]))["status"] == "completed"
        assert (await client.call("GET", f"/transcriptions/{waits[0]}"))["status"] == "queued"
        for uid in waits:
            await client.call("DELETE", f"/transcriptions/{uid}", status=204)


async def test_a_server_that_ends_fetches_it_later(tmp_path: Path) -> None:
    async with hosting(x=[HANG, answer(200, SOUND)]) as host:
        async with served(tmp_path / "files", outgoing=HERE) as client:
            made = await order(client, audio_url=f"{host.url}/x")
            await until_async(lambda: bool(host.asked))
        async with served(tmp_path / "files", outgoing=HERE) as again:
            assert (await over(again, made["id"]))["status"] == "completed"


@pytest.mark.parametrize("good", [True, False])
async def test_a_webhook_is_told_when_it_is_over(client: Client, good: bool) -> None:
    file = await client.upload(SOUND if good else b"no audio at all " * 1_000)
    async with hosting(hook=answer(204)) as host:
        asked = {"webhook_url": f"{host.url}/hook", "webhook_auth_header_name": "X-Key"}
        made = await order(client, file_id=file["id"], **asked, webhook_auth_header_value="secret word")
        assert (made["webhook_url"], made["webhook_auth_header_name"]) == (f"{host.url}/hook", "X-Key")
        assert (made["webhook_auth_header_value"], made["webhook_status_code"]) == (MASKED, None)
        found = await over(client, made["id"], webhook_status_code=204)
        ((method, path, headers, body),) = host.asked
    assert (method, path, headers["x-key"]) == ("POST", "/hook", "secret word")
    assert json.loads(body) == {"id": made["id"], "status": "completed" if good else "error"}
    assert found["status"] == ("completed" if good else "error")
    assert "secret" not in json.dumps(await client.call("GET", "/transcriptions"))


async def test_a_webhook_that_fails_is_tried_again_and_no_more(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "PAUSES_S", (0.0, 0.0, 0.0))
    file = await client.upload(SOUND)
    moved = answer(302, b"", "Location: http://127.0.0.1/evil")
    async with hosting(bad=[answer(500), moved, answer(404), answer(503)], late=[answer(500), answer(200)]) as host:
        bad = await order(client, file_id=file["id"], webhook_url=f"{host.url}/bad")
        late = await order(client, file_id=file["id"], webhook_url=f"{host.url}/late")
        assert await over(client, bad["id"], webhook_status_code=503)
        assert await over(client, late["id"], webhook_status_code=200)
        host.answers["/bad"] = [answer(200)]
        more = await order(client, file_id=file["id"], webhook_url=f"{host.url}/more")
        assert await over(client, more["id"], webhook_status_code=404)
        paths = [path for _, path, _, _ in host.asked]
    assert (paths.count("/bad"), paths.count("/late")) == (4, 2)


async def test_a_dead_webhook_of_one_key_keeps_nobody_elses_waiting(client: Client) -> None:
    async with hosting(dead=HANG, hook=answer(200)) as host:
        file = await client.upload(SOUND)
        for _ in range(5):
            await order(client, file_id=file["id"], webhook_url=f"{host.url}/dead")
        await until_async(lambda: bool(host.asked))
        theirs = await client.upload(SOUND, key="two")
        body = {"model": MODEL, "file_id": theirs["id"], "webhook_url": f"{host.url}/hook"}
        await client.call("POST", "/transcriptions", key="two", json=body, status=201)
        await until_async(lambda: any(path == "/hook" for _, path, _, _ in host.asked))
        # Its own ones are told one after the other.
        assert [path for _, path, _, _ in host.asked].count("/dead") == 1


async def test_a_webhook_is_told_after_a_restart(tmp_path: Path) -> None:
    async with hosting(hook=[HANG, answer(200)]) as host:
        async with served(tmp_path / "files", outgoing=HERE) as client:
            file = await client.upload(SOUND)
            made = await order(client, file_id=file["id"], webhook_url=f"{host.url}/hook")
            await until_async(lambda: bool(host.asked))
        async with served(tmp_path / "files", outgoing=HERE) as again:
            found = await over(again, made["id"], webhook_status_code=200)
            assert found["status"] == "completed"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"webhook_url": "http://10.0.0.1/x"}, "does not allow the host 10.0.0.1 (outgoing.hosts)"),
        ({"webhook_url": "gopher://127.0.0.1/x"}, "webhook_url: it must begin with http"),
        ({"webhook_auth_header_name": "Host"}, "webhook_auth_header_name is no name"),
        ({"webhook_auth_header_name": "X Y"}, "webhook_auth_header_name is no name"),
        ({"webhook_auth_header_name": "X:\r\nY"}, "webhook_auth_header_name is no name"),
        ({"webhook_auth_header_value": "a\r\nX-Evil: b"}, "webhook_auth_header_value must be of printable"),
        ({"file_id": None, "audio_url": "http://localhost/x"}, "audio_url: the operator of this server does not allow"),
        ({"file_id": None, "audio_url": "http://127.0.0.1/" + "x" * 5_000}, "length <= 4096 in audio_url"),
        ({"file_id": None, "audio_url": "http://x@127.0.0.1/"}, "audio_url: it must begin with http"),
    ],
)
async def test_addresses_that_may_not_be(client: Client, fields: dict[str, Any], told: str) -> None:
    found = await order(client, **{"file_id": "x", **fields}, status=400)
    assert found["error_type"] == "invalid_request"
    assert told.lower() in found["message"].lower()
    assert (await client.call("GET", "/transcriptions/count"))["total"] == 0
