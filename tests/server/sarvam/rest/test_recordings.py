"""Whole recordings by REST."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from dragoman.models.base import Hypothesis, RecognitionRequest
from dragoman.pipeline.audio.formats import Container
from dragoman.server.multipart import MAX_FIELDS
from dragoman.server.protocols.sarvam.prompts import MAX_TERMS
from tests.fakes.engines import s16, silence
from tests.pipeline.audio.files import WRITERS, as_file
from tests.server.sarvam.rest.calling import calling, indian_engines, spoken
from tests.waiting import PATIENCE_S, until_async

FILE = as_file(Container.WAV, spoken(2), 16_000)
PATHS = ["/speech-to-text", "/speech-to-text-translate"]
HINDI = Hypothesis("मेरा नाम", "hi", language_confidence=0.9)


def numbered(request: RecognitionRequest) -> str:
    return f"hello {request.ordinal}"


async def test_a_recording_becomes_text() -> None:
    async with calling(lambda: indian_engines(numbered)) as called:
        for url in ("/speech-to-text", "/speech-to-text/", "http://127.0.0.1:8000//speech-to-text"):
            answer = await called.post(url, files={"file": FILE}, data={"keyterms": "null", "model": "saarika:v2.5"})
            found = answer.json()
            assert found.pop("request_id")
            assert (answer.status_code, found) == (200, {
                "transcript": "hello 0 hello 1", "language_code": "en-IN", "language_probability": 1.0,
                "timestamps": None, "diarized_transcript": None,
            })  # fmt: skip
        assert called.services.usage.sessions == 3
        assert called.services.admission.running == 0


async def test_each_utterance_has_its_times() -> None:
    async with calling(lambda: indian_engines(numbered)) as called:
        answer = await called.post("/speech-to-text", files={"file": FILE}, data={"with_timestamps": "true"})
        times = answer.json()["timestamps"]
        assert times["words"] == ["hello 0", "hello 1"]
        assert times["start_time_seconds"] == pytest.approx([0.0, 2.0], abs=0.1)
        assert times["end_time_seconds"] == pytest.approx([1.0, 3.0], abs=0.1)


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        ("transcribe", "मेरा नाम"),
        ("translate", "<en> मेरा नाम"),
        ("translit", "mera nam"),
        ("codemix", "मेरा नाम"),
        ("", "मेरा नाम"),
    ],
)
async def test_modes(mode: str, text: str) -> None:
    async with calling(lambda: indian_engines(lambda request: HINDI)) as called:
        answer = await called.post("/speech-to-text", files={"file": FILE}, data={"mode": mode})
        found = answer.json()
        assert found["transcript"] == f"{text} {text}"
        assert (found["language_code"], found["language_probability"]) == ("hi-IN", 0.9)


async def test_the_other_path_is_english_text_of_what_was_heard() -> None:
    async with calling(lambda: indian_engines(lambda request: HINDI)) as called:
        answer = await called.post("/speech-to-text-translate", files={"file": FILE}, data={"prompt": "Delhi, Agra"})
        found = answer.json()
        assert found.pop("request_id")
        assert found == {
            "transcript": "<en> मेरा नाम <en> मेरा नाम", "language_code": "hi-IN", "language_probability": 0.9,
            "diarized_transcript": None,
        }  # fmt: skip


async def test_a_language_that_is_named_has_no_probability_and_terms_are_expected() -> None:
    asked: list[RecognitionRequest] = []

    def hear(request: RecognitionRequest) -> Hypothesis:
        asked.append(request)
        return Hypothesis("नमस्ते", request.language or "en")

    async with calling(lambda: indian_engines(hear)) as called:
        data = {"language_code": "hi-IN", "keyterms": '["Delhi"]', "prompt": "Agra"}
        found = (await called.post("/speech-to-text", files={"file": FILE}, data=data)).json()
        assert (found["language_code"], found["language_probability"]) == ("hi-IN", None)
        assert {(one.language, one.keywords) for one in asked} == {("hi", ("Delhi", "Agra"))}


async def test_silence_is_empty_text() -> None:
    quiet = as_file(Container.WAV, silence(1.0), 16_000)
    async with calling() as called:
        for path in PATHS:
            found = (await called.post(path, files={"file": quiet}, data={"with_timestamps": "true"})).json()
            assert (found["transcript"], found["language_code"], found["language_probability"]) == ("", None, None)


@pytest.mark.parametrize("path", PATHS)
async def test_files_say_what_they_are(path: str) -> None:
    samples = spoken()
    async with calling() as called:
        for container in WRITERS:
            data = as_file(container, samples, 8_000 if container is Container.AMR else 16_000)
            # The SDK sends bytes under this name and type, whatever is in them.
            sent = {"file": ("upload", data, "application/octet-stream")}
            assert (await called.post(path, files=sent)).json()["transcript"] == "hello there"
        # Their tables of contents stand behind the sound.
        for inner, muxer in ((Container.AAC, "ipod"), (Container.AAC, "mp4"), (Container.OGG, "mp4")):
            data = as_file(inner, samples, 16_000, muxer=muxer)
            assert data.rfind(b"moov") > data.rfind(b"mdat")
            for codec in ("", "mp4", "x-m4a"):
                answer = await called.post(path, files={"file": data}, data={"input_audio_codec": codec})
                assert answer.json()["transcript"] == "hello there"
        for codec in ("pcm_s16le", "pcm_l16", "pcm_raw"):
            answer = await called.post(path, files={"file": s16(samples)}, data={"input_audio_codec": codec})
            assert answer.json()["transcript"] == "hello there"


@pytest.mark.parametrize(
    ("data", "status", "told"),
    [
        ({"model": "whisper"}, 400, "unknown model 'whisper'"),
        ({"model": "saarika:v2.5", "mode": "translate"}, 400, "has no mode translate"),
        ({"mode": "sing"}, 400, "unknown mode 'sing'"),
        ({"language_code": "xx-IN"}, 400, "unknown language_code 'xx-IN'"),
        ({"language_code": "ta-IN"}, 400, "no recogniser for 'ta'"),
        ({"with_timestamps": "perhaps"}, 400, "with_timestamps must be true or false"),
        ({"keyterms": "Delhi"}, 400, "keyterms must be a JSON array"),
        ({"keyterms": json.dumps(["x"] * (MAX_TERMS + 1))}, 400, "at most 50"),
        ({f"f{number}": "x" for number in range(MAX_FIELDS)}, 400, "more than 64 fields"),
        ({"prompt": "x" * 70_000}, 413, "larger than 65536 bytes without audio"),
    ],
)
async def test_what_is_wrong_is_told(data: dict[str, str], status: int, told: str) -> None:
    async with calling() as called:
        answer = await called.post("/speech-to-text", files={"file": FILE}, data=data)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (status, "invalid_request_error")
        assert told in error["message"]


async def test_what_cannot_be_heard_is_unprocessable() -> None:
    async with calling() as called:
        for files in (
            {"file": b"no audio at all"},
            {"file": b"RIFF\0\0\0\0AVI LIST"},
            {"file": b"\0\0\0\x18ftypM4A "},
            {"file": as_file(Container.AAC, spoken(), 16_000, muxer="mp4")[:2_000]},
            {"file": b""},
            {"data": b"x"},
        ):
            answer = await called.post("/speech-to-text", files=files)
            assert (answer.status_code, answer.json()["error"]["code"]) == (422, "unprocessable_entity_error")
        twice = [("file", FILE), ("file", FILE)]
        assert (await called.post("/speech-to-text", files=twice)).status_code == 400
        assert (await called.post("/speech-to-text", json={})).status_code == 400
        assert (await called.post("/speech-to-text")).status_code == 400
        cut = {"content": b"--b\r\n", "headers": {"content-type": "multipart/form-data; boundary=b"}}
        assert (await called.post("/speech-to-text", **cut)).status_code == 400


async def test_a_recording_that_is_too_long_or_too_large() -> None:
    async with calling(limits={"recording_s": 3.0, "upload_bytes": 65_536}) as called:
        short = as_file(Container.WAV, spoken(), 16_000)
        assert (await called.post("/speech-to-text", files={"file": short})).status_code == 200
        large = await called.post("/speech-to-text", files={"file": bytes(140_000)})
        assert (large.status_code, large.json()["error"]["code"]) == (413, "invalid_request_error")
        assert large.json()["error"]["message"] == "message is larger than 65536 bytes"
        # Less than a kilobyte of mp3 holds it.
        packed = as_file(Container.MP3, spoken(2), 16_000)
        long = await called.post("/speech-to-text", files={"file": packed})
        assert (long.status_code, long.json()["error"]["code"]) == (400, "invalid_request_error")
        assert "longer than 3 s" in long.json()["error"]["message"]
        assert called.services.admission.running == 0


@pytest.mark.parametrize("path", PATHS)
async def test_the_key_is_asked_for_before_the_recording_is_read(path: str) -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(100):
            read += 1
            yield bytes(65_536)

    async with calling(api_keys=["secret-one"]) as called:
        headers = {"content-type": "multipart/form-data; boundary=b"}
        for key in ({}, {"api-subscription-key": "wrong"}):
            answer = await called.post(path, content=body(), headers={**headers, **key})
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "invalid_api_key_error")
        assert read == 0
        good = {"Api-Subscription-Key": "secret-one"}
        assert (await called.post(path, files={"file": FILE}, headers=good)).status_code == 200


async def test_a_full_server_says_when_to_come_again() -> None:
    async with calling(limits={"sessions": 1}) as called:
        place = called.services.admission.enter()
        answer = await called.post("/speech-to-text", files={"file": FILE})
        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limit_exceeded_error")
        assert answer.headers["retry-after"] == "10"
        place.leave()
        assert (await called.post("/speech-to-text", files={"file": FILE})).status_code == 200
        called.services.admission.begin_drain()
        answer = await called.post("/speech-to-text", files={"file": FILE})
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "rate_limit_exceeded_error")


async def test_an_engine_that_breaks() -> None:
    def hear(request: RecognitionRequest) -> str:
        raise RuntimeError("/secret/path")

    async with calling(lambda: indian_engines(hear)) as called:
        answer = await called.post("/speech-to-text", files={"file": FILE})
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "model_call_error")
        assert "secret" not in answer.text
        assert called.services.admission.running == 0


async def test_who_leaves_takes_the_session_along() -> None:
    allowed = threading.Semaphore(0)

    def hear(request: RecognitionRequest) -> str:
        assert allowed.acquire(timeout=PATIENCE_S)
        return "late"

    async with calling(lambda: indian_engines(hear)) as called:
        app: Any = called.client._transport.app  # type: ignore[attr-defined]
        request = httpx.Request("POST", "http://127.0.0.1:8000/speech-to-text", files={"file": FILE})
        messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        messages.put_nowait({"type": "http.request", "body": request.read(), "more_body": False})
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": "/speech-to-text", "raw_path": b"/speech-to-text", "query_string": b"", "root_path": "",
            "headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000),
        }  # fmt: skip
        serving = asyncio.create_task(app(scope, messages.get, send))
        try:
            await until_async(lambda: called.services.admission.running == 1)
            messages.put_nowait({"type": "http.disconnect"})
            await until_async(serving.done)
            assert called.services.admission.running == 0
            assert called.services.connections == set()
        finally:
            allowed.release(1_000)


async def test_the_end_of_the_server_is_told() -> None:
    allowed = threading.Semaphore(0)

    def hear(request: RecognitionRequest) -> str:
        assert allowed.acquire(timeout=PATIENCE_S)
        return "late"

    async with calling(lambda: indian_engines(hear), limits={"drain_s": 0.0}) as called:
        asking = asyncio.create_task(called.post("/speech-to-text", files={"file": FILE}))
        try:
            await until_async(lambda: called.services.admission.running == 1)
            await called.services.drain()
            answer = await asking
            assert (answer.status_code, answer.json()["error"]["message"]) == (503, "server is shutting down")
        finally:
            allowed.release(1_000)
