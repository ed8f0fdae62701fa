"""The official client's other services and its management calls, and clients of the older flow."""

import asyncio
import io
import json
import urllib.error
import urllib.request
import wave
from typing import Any

import pytest
from palabra_ai import ServerError, Voice
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from dragoman.models.voices import VoiceCatalogue
from dragoman.pipeline.audio.formats import Container, media
from dragoman.testing import RunningServer, running_server
from tests.pipeline.audio.signals import decoded
from tests.sdk.child import Raised
from tests.sdk.palabra_client import run_client
from tests.sdk.speech import as_ulaw, as_wav, bursts, resampled
from tests.sdk.test_palabra import SPOKEN
from tests.server.palabra.talk import audio, task, text_task
from tests.waiting import PATIENCE_S

THREE = bursts(3, 16000)

# --- speech to text


def test_what_is_said_and_what_it_means(scripted: RunningServer) -> None:
    events = run_client(
        "stt", url=scripted.url, audio=THREE.tobytes(), wait=9, language="en", translate_languages=["es", "pt-br"]
    )
    assert not isinstance(events, Raised), events
    finals = [one for one in events if one.is_eos]
    for language, spelled in (("en", "en"), ("es", "es"), ("pt", "pt-br")):
        assert [one.text for one in finals if one.language == spelled] == SPOKEN[language]
    for number in range(3):
        here = [[one for one in finals if one.language == code][number] for code in ("en", "es", "pt-br")]
        assert len({one.transcription_id for one in here}) == 1
        assert [one.is_translation for one in here] == [False, True, True]
        assert 0 <= here[0].start_time < here[0].end_time


def test_formats_and_a_url_that_says_what_cannot_be(scripted: RunningServer) -> None:
    slow = resampled(THREE, 16000, 8000)
    cases = [
        (as_ulaw(slow), {"format": "mulaw", "sample_rate": 8000}),
        ((THREE / 32768).astype(">f4").tobytes(), {"format": "pcm_f32be"}),
        (as_wav(slow, 8000), {"format": "wav"}),
    ]
    jobs = [("stt", {"url": scripted.url, "audio": data, "wait": 1, **options}) for data, options in cases]
    jobs.append(("stt", {"url": scripted.url, "audio": b"ab", "wait": 1, "format": "midi", "language": "tlh"}))
    *heard, (refused,) = run_client("each", jobs=jobs)
    for events in heard:
        assert not isinstance(events, Raised), events
        assert events[-1].text == SPOKEN["en"][0]
    assert isinstance(refused, ServerError)
    assert refused.code == "VALIDATION_ERROR"
    assert "format: must be one of" in refused.desc
    assert "language: is not a supported language" in refused.desc


def test_a_turn_ends_when_the_client_says_so(scripted: RunningServer) -> None:
    """As wyoming-palabra and the integrations for OpenAI Agents, jambonz and Vapi do it, in the middle of speech."""
    speech = THREE[: round(2.4 * 16000)].tobytes()
    answers = run_client(
        "finalized", url=scripted.url, audio=speech, turns=[0, len(speech) // 2, len(speech), 0], language="en-us"
    )
    assert not isinstance(answers, Raised), answers
    assert [[event.text for event in finals][-1] for finals in (answers[0], answers[3])] == ["<fin>"] * 2
    assert all(finals[-1].text.endswith("<fin>") for finals in answers)
    assert all("<fin>" not in event.text for finals in answers for event in finals[:-1])
    assert SPOKEN["en"][0] in answers[1][0].text
    assert {event.language for finals in answers for event in finals} == {"en-us"}


# --- text to speech


def test_texts_become_speech(scripted: RunningServer) -> None:
    texts: list[Any] = [
        ("Hola a todos.", {}),
        ("Hola a todos.", {"speed": 2.0, "voice_id": "default_high"}),
        ("x" * 1025, {}),
    ]
    plain, fast, long = run_client("tts", url=scripted.url, texts=texts, language="es")
    assert len(plain) / 48000 == pytest.approx(0.06 * 13, abs=0.01)
    assert len(fast) == pytest.approx(len(plain) / 2, abs=10)
    assert (long.kind, "1024" in long.text) == ("ValueError", True)


def test_each_text_is_a_file(scripted: RunningServer) -> None:
    answers = run_client(
        "tts", url=scripted.url, texts=[("Uno.", {}), ("Dos.", {})], language="es", format="wav", sample_rate=16000
    )
    for number, data in enumerate(answers):
        with wave.open(io.BytesIO(data)) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
            assert len(data) - 44 == pytest.approx(32000 * (0.24 + 0.12 * number), abs=200)  # a pause between two


def test_each_text_is_an_mp3(scripted: RunningServer) -> None:
    texts = [("Uno.", {}), ("Dos tres cuatro.", {})]
    answers = run_client("tts", url=scripted.url, texts=texts, language="es", format="mp3", sample_rate=24000)
    for number, ((text, _), data) in enumerate(zip(texts, answers, strict=True)):
        heard = decoded(media(Container.MP3), data, 24000)
        spoken = 24000 * (0.06 * len(text) + 0.12 * number)
        assert spoken + 1105 <= len(heard) <= spoken + 1105 + 2 * 1152


def test_pieces_and_a_change_of_mind(scripted: RunningServer) -> None:
    done = run_client("streamed_tts", url=scripted.url, pieces=["Hola a ", "todos. ", "¿Qué tal?"], language="es")
    assert not isinstance(done, Raised), done
    assert {chunk.generation_id for chunk in done["chunks"]} == {"g"}
    assert [chunk.last_chunk for chunk in done["chunks"]].count(True) == 1
    assert sum(chunk.audio_len or 0 for chunk in done["chunks"]) == pytest.approx(0.06 * 22 + 0.12, abs=0.05)
    cut = run_client(
        "streamed_tts", url=scripted.url, pieces=["Una frase muy larga. " * 40], cancel_after=1, language="es"
    )
    assert not isinstance(cut, Raised), cut
    assert cut["chunks"][-1].last_chunk
    assert sum(chunk.audio_len or 0 for chunk in cut["chunks"]) < 25
    assert len(cut["after"]) / 48000 == pytest.approx(0.2, abs=0.2)


def test_what_is_not_served_is_a_task_error(scripted: RunningServer) -> None:
    jobs = [
        ("tts", {"url": scripted.url, "texts": [("a", {})], **options})
        for options in ({"language": "es", "format": "ogg"}, {"language": "tlh"}, {"language": "sw"})
    ]
    answers = [answer for (answer,) in run_client("each", jobs=jobs)]
    assert [answer.kind for answer in answers] == ["TaskError"] * 3
    assert "output.format: must be one of pcm, wav, mp3" in answers[0].text
    assert "language: is not a supported language" in answers[1].text
    assert "no voice for 'sw'" in answers[2].text


# --- management


def test_voices_and_the_honest_answer_about_the_rest(scripted: RunningServer) -> None:
    voice = next(iter(VoiceCatalogue.load()))
    calls = [
        ("voices", "builtin", {}),
        ("voices", "list", {}),
        ("voices", "get", {"voice_id": voice.voice_id}),
        ("voices", "get", {"voice_id": "nobody"}),
        ("voices", "create", {"sample": ("a.wav", b"RIFF"), "name": "me", "language": "en"}),
        ("voices", "delete", {"voice_id": "x"}),
        ("glossaries", "list", {}),
        ("glossaries", "get", {"glossary_id": "x"}),
        ("glossaries", "create", {"entries": ["a"], "name": "n", "kind": "hotwords", "source_language": "en"}),
    ]
    builtin, own, one, nobody, created, deleted, none, missing, refused = run_client(
        "management", url=scripted.url, calls=calls
    )
    assert len(builtin) > 20
    assert all(isinstance(found, Voice) and found.ready and found.language for found in builtin)
    assert own == none == []
    assert (one.id, one.language) == (voice.voice_id, voice.language)
    assert "HTTP 404" in nobody.text
    assert "unknown voice 'nobody'" in nobody.text
    for answer in (created, deleted, missing, refused):
        assert answer.kind == "ApiError"
        assert "HTTP 501" in answer.text
        assert "is not served by this server" in answer.text


# --- the older flow


async def tell(socket: ClientConnection, kind: str, data: Any = None) -> None:
    await socket.send(json.dumps({"message_type": kind, "data": data or {}}))


async def hear(socket: ClientConnection, kind: str = "") -> list[dict[str, Any]]:
    """Messages up to the first of a kind, or all until the socket closes."""
    found: list[dict[str, Any]] = []
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not found or found[-1]["message_type"] != kind:
                found.append(json.loads(await socket.recv()))
    except ConnectionClosed:
        pass
    return found


def rest(server: RunningServer, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any]:
    request = urllib.request.Request(server.url + path, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
            text = response.read()
            return response.status, json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


async def test_sessions_made_by_rest_until_the_end_of_the_stream() -> None:
    with running_server("scripted", environment={"DRAGOMAN_API_KEYS": "secret"}) as server:
        headers = {"ClientID": "me", "ClientSecret": "secret"}
        body = json.dumps({"data": {"subscriber_count": 0, "intent": "api", "publisher_can_subscribe": True}}).encode()
        status, answer = rest(server, "POST", "/session-storage/session", body, **headers)
        session = answer["data"]
        assert (status, answer["ok"], session["intent"], session["subscriber"]) == (201, True, "api", [])
        assert session["webrtc_url"]
        assert session["ws_url"].endswith("/streaming-api/v1/speech-to-speech/stream")
        status, answer = rest(server, "GET", "/session-storage/sessions", **headers)
        assert [one["id"] for one in answer["data"]] == [session["id"]]

        async with connect(f"{session['ws_url']}?token={session['publisher']}") as socket:
            await tell(socket, "get_task")
            assert (await hear(socket, "error"))[-1]["data"]["code"] == "NOT_FOUND"
            await tell(socket, "set_task", task("es"))
            await tell(socket, "get_task")
            assert (await hear(socket, "current_task"))[-1]["data"]["task_status"] == "running"
            await tell(socket, "input_audio_data", audio(bursts(1, 24000).tobytes()))
            await tell(socket, "flush_task", {"languages": ["de"]})
            assert (await hear(socket, "error"))[-1]["data"]["code"] == "VALIDATION_ERROR"
            await tell(socket, "end_task", {"force": False, "eos_timeout": 5})
            kinds = [one["message_type"] for one in await hear(socket)]
        assert kinds[-2:] == ["end_of_stream", "eos"]
        assert "translated_transcription" in kinds
        assert socket.close_code == 1000

        assert rest(server, "DELETE", f"/session-storage/sessions/{session['id']}", **headers) == (204, None)
        with pytest.raises(InvalidStatus, match="403"):
            await connect(f"{session['ws_url']}?token={session['publisher']}")
        status, answer = rest(server, "DELETE", "/session-storage/sessions/gone", **headers)
        assert (status, answer["errors"][0]["error_code"]) == (404, "SESSION_NOT_FOUND")
        status, answer = rest(server, "POST", "/session-storage/session", b"{", **headers)
        assert (status, answer["errors"][0]["error_code"]) == (400, "BAD_REQUEST")
        for method, path in (("POST", "session"), ("GET", "sessions"), ("DELETE", "sessions/x")):
            status, answer = rest(server, method, f"/session-storage/{path}", ClientSecret="wrong")
            assert (status, answer["ok"]) == (401, False)
            fault = answer["errors"][0]
            assert (fault["status"], fault["error_code"]) == (401, "UNAUTHORIZED")
        assert rest(server, "GET", "/saas/voice/builtin", Authorization="Bearer wrong")[0] == 401
        assert rest(server, "GET", "/saas/voice/builtin", Authorization="Bearer secret")[0] == 200


@pytest.mark.parametrize("types", [("translated_transcription",), ()])
async def test_the_two_tasks_of_the_vendors_page(scripted: RunningServer, types: tuple[str, ...]) -> None:
    url = scripted.url.replace("http", "ws") + "/streaming-api/0123abcd/v1/speech-to-speech/stream?token=k"
    async with connect(url) as socket:
        await tell(socket, "set_task", text_task("es", "fr", types=types))
        assert (await hear(socket, "task_status"))[0]["data"]["event"] == "started"
        if types:
            texts = [{"text": "Good morning.", "language": "en", "translate_text": True}]
        else:
            texts = [{"text": SPOKEN[code][0], "language": code} for code in ("es", "fr")]
        for text in texts:
            await tell(socket, "tts_task", text)
        await tell(socket, "end_task")
        messages = await hear(socket)
    ids = [one["data"]["transcription_id"] for one in messages if one["message_type"] == "task_status"]
    sounds = [one["data"] for one in messages if one["message_type"] == "output_audio_data"]
    told = [one["data"]["transcription"] for one in messages if one["message_type"] == "translated_transcription"]
    assert {one["language"]: one["text"] for one in told} == ({"es": "Buenos días.", "fr": "Bonjour."} if types else {})
    assert [one["language"] for one in sounds if one["last_chunk"]].count("es") == 1
    assert [one["language"] for one in sounds if one["last_chunk"]].count("fr") == 1
    assert {one["transcription_id"] for one in sounds} == set(ids)
    assert {one["message_type"] for one in messages} - {"translated_transcription"} == {
        "task_status",
        "output_audio_data",
        "end_of_stream",
    }


async def test_who_sends_no_audio_is_told_after_what_was_heard() -> None:
    with running_server("scripted", environment={"DRAGOMAN_LIMITS__IDLE_S": "2"}) as server:
        url = server.url.replace("http", "ws") + "/streaming-api/v1/speech-to-speech/stream?token=k"
        async with connect(url) as socket:
            await tell(socket, "set_task", task("es"))
            await tell(socket, "input_audio_data", audio(bursts(1, 24000, 1.0, 0.0).tobytes()))
            messages = await hear(socket)
    assert "translated_transcription" in [one["message_type"] for one in messages]
    assert messages[-1]["message_type"] == "error"
    assert messages[-1]["data"]["code"] == "SERVICE_TIMEOUT"
    assert socket.close_code == 1008
