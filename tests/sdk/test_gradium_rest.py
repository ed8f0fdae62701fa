"""Recognition and synthesis by REST, on a server of its own."""

import io
import json
import wave
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from dragoman.pipeline.audio.formats import Container
from dragoman.testing import RunningServer, running_server
from tests.pipeline.audio.files import as_file
from tests.sdk.child import Raised
from tests.sdk.gradium_speech_client import run
from tests.sdk.speech import as_ogg_opus, as_wav, bursts
from tests.waiting import until

SOUND = bursts(2, 24_000)
SAID = "Good morning. How are you today?"
SPANISH = "es-lucia-espeak1"


@pytest.fixture
def client(scripted: RunningServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=scripted.url, headers={"x-api-key": "k"}, timeout=60, trust_env=False) as client:
        yield client


def lines(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in response.text.splitlines()]


def words(told: list[dict[str, Any]]) -> str:
    return " ".join(one["text"] for one in told if one["type"] == "text")


def as_floats() -> Any:
    return (SOUND / 32_768).astype("float32")


FILES = {
    "audio/wav": as_wav(SOUND, 24_000),
    "audio/ogg": as_ogg_opus(SOUND, 24_000),
    "audio/mpeg": as_file(Container.MP3, as_floats(), 24_000),
    "audio/flac": as_file(Container.FLAC, as_floats(), 24_000),
    "audio/mp4": as_file(Container.AAC, as_floats(), 24_000, muxer="mp4"),
    "audio/pcm": SOUND.tobytes(),
}


@pytest.mark.parametrize("kind", list(FILES))
@pytest.mark.parametrize("path", ["/api/post/speech/asr", "/post/speech/asr/"])
def test_a_file_becomes_words(client: httpx.Client, path: str, kind: str) -> None:
    told = lines(client.post(path, content=FILES[kind], headers={"content-type": kind}))
    assert words(told) == SAID
    assert [told[0]["type"], told[-1]["type"]] == ["ready", "end_of_stream"]
    assert {one["type"] for one in told} == {"ready", "text", "end_text", "step", "end_of_stream"}


def test_a_file_without_a_kind_is_looked_at(client: httpx.Client) -> None:
    for kind in ("audio/ogg", "audio/mp4"):
        assert words(lines(client.post("/post/speech/asr", content=FILES[kind]))) == SAID
    broken = client.post("/post/speech/asr", content=FILES["audio/mp4"][:2_000])
    assert (broken.status_code, broken.json()["detail"].partition(" (")[0]) == (
        400,
        "bad audio: the mp4 file cannot be read",
    )


def test_a_format_by_its_name(client: httpx.Client) -> None:
    low = bursts(1, 8_000).tobytes()
    told = lines(client.post("/post/speech/asr", params={"input_format": "pcm_8000"}, content=low))
    assert words(told) == "Good morning."


def test_the_translation_of_a_file_is_one_call(client: httpx.Client) -> None:
    query = {"model": "stt-translate", "json_config": '{"language": "fr"}'}
    told = lines(client.post("/api/post/speech/asr", params=query, content=FILES["audio/wav"]))
    assert words(told) == "Bonjour. Comment allez-vous aujourd'hui ?"


@pytest.mark.parametrize(
    ("query", "content", "named"),
    [
        ({"model": "huge"}, b"", "unknown model_name 'huge'"),
        ({"model": "stt-translate"}, b"", "missing required 'language'"),
        ({"json_config": "{"}, b"", "json_config is not JSON"),
        ({"json_config": '{"temp": 9}'}, b"", "json_config.temp"),
        ({"input_format": "mp3"}, b"", "unsupported input_format"),
        ({"input_format": "wav"}, b"no wav at all", "bad audio"),
        ({}, b"nothing that is known" * 1_000, "bad audio"),
        ({"json_config": '{"language": "tlh"}'}, b"", "no recogniser for 'tlh'"),
    ],
)
def test_what_cannot_be_heard(client: httpx.Client, query: dict[str, str], content: bytes, named: str) -> None:
    answer = client.post("/post/speech/asr", params=query, content=content)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(named)


def test_an_empty_body_has_no_words(client: httpx.Client) -> None:
    told = lines(client.post("/post/speech/asr", content=b""))
    assert [one["type"] for one in told] == ["ready", "end_of_stream"]


def test_a_body_may_be_as_large_as_a_message_and_no_larger(client: httpx.Client) -> None:
    long = bytes(2 << 20)
    query = {"input_format": "pcm"}
    assert words(lines(client.post("/api/post/speech/asr", params=query, content=long))) == ""
    assert client.post("/api/post/speech/asr", params=query, content=bytes((16 << 20) + 1)).status_code == 413
    assert client.post("/api/post/speech/tts", content=b" " * 70_000).status_code == 413


@pytest.mark.parametrize("only_audio", [True, False])
def test_a_text_becomes_speech(client: httpx.Client, only_audio: bool) -> None:
    body = {"text": "Hola a todos.", "voice_id": SPANISH, "output_format": "wav", "only_audio": only_audio}
    answer = client.post("/api/post/speech/tts", json=body)
    assert answer.status_code == 200
    if not only_audio:
        told = lines(answer)
        assert words(told) == "Hola a todos."
        assert [told[0]["type"], told[-1]["type"]] == ["ready", "end_of_stream"]
        return
    assert answer.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(answer.content)) as file:
        frames = len(file.readframes(file.getnframes())) // 2
        assert frames / file.getframerate() == pytest.approx(0.06 * 13, abs=0.02)


@pytest.mark.parametrize(
    ("name", "kind"), [("opus", "audio/ogg"), ("pcm_8000", "audio/pcm"), ("ulaw_8000", "audio/pcm")]
)
def test_kinds_of_audio(client: httpx.Client, name: str, kind: str) -> None:
    answer = client.post("/post/speech/tts/", json={"text": "Hi.", "output_format": name, "only_audio": True})
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.content


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        ({}, 422, ""),
        ({"text": 7}, 422, ""),
        ({"text": "x", "voice_id": "v" * 257}, 422, ""),
        ([], 422, ""),
        ({"text": "x", "output_format": "mp3"}, 400, "unsupported output_format"),
        ({"text": "x", "json_config": {"temp": 9}}, 400, "json_config.temp"),
        ({"text": "x", "json_config": {"language": "tlh"}}, 400, "no voice for 'tlh'"),
    ],
)
def test_what_cannot_be_said(client: httpx.Client, body: Any, status: int, named: str) -> None:
    answer = client.post("/post/speech/tts", json=body)
    assert answer.status_code == status
    assert answer.json()["detail"].startswith(named)


def test_nothing_to_say(client: httpx.Client) -> None:
    answer = client.post("/post/speech/tts", json={"text": "", "only_audio": True})
    assert (answer.status_code, answer.content) == (200, b"")


def test_the_official_client_by_rest(scripted: RunningServer) -> None:
    said = run("voice_tts", url=scripted.url, embedding_id=SPANISH, text="Hola a todos.", output_format="wav")
    assert not isinstance(said, Raised), said
    assert said.raw_data.startswith(b"RIFF")


def test_a_key_a_full_house_and_who_leaves() -> None:
    environment = {"DRAGOMAN_API_KEYS": "right", "DRAGOMAN_LIMITS__SESSIONS": "1", "DRAGOMAN_VOICES__STRICT": "true"}
    with running_server(environment=environment) as server:
        with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
            for path in ("asr", "tts"):
                assert client.post(f"/post/speech/{path}", content=b"{}").status_code == 401
            client.headers["x-api-key"] = "right"
            unknown = client.post("/post/speech/tts", json={"text": "x", "voice_id": "vjFyp2BcCyTlUmYb"})
            assert (unknown.status_code, unknown.json()) == (
                400,
                {"detail": "Embeddings not found for vjFyp2BcCyTlUmYb"},
            )
            # A socket has the only place for as long as it is open; an answer by REST, until its last word is made.
            url = server.url.replace("http", "ws") + "/api/speech/asr"
            with connect(url, additional_headers={"x-api-key": "right"}, proxy=None) as talking:
                talking.send('{"type":"setup","model_name":"default","input_format":"pcm"}')
                assert '"ready"' in str(talking.recv())
                full = client.post("/post/speech/tts", json={"text": "x"})
                assert full.status_code == 429
                assert full.headers["retry-after"] == "10"
            until(lambda: server.get_json("/ready")["sessions"] == 0)
            long = {"text": "Una frase. " * 5_000, "output_format": "pcm"}
            with client.stream("POST", "/post/speech/tts", json=long) as begun:
                assert begun.status_code == 200
                next(begun.iter_lines())
            until(lambda: server.get_json("/ready")["sessions"] == 0)
            assert client.post("/post/speech/tts", json={"text": "x"}).status_code == 200
        assert "Traceback" not in server.log()
