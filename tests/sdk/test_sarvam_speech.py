"""Text to speech by the official `sarvamai` client, sync and async, against a server with the scripted engines."""

import base64
import io
import wave
from typing import Any

import pytest

from dragoman.testing import RunningServer, running_server
from tests.sdk.sarvam_client import Step, run_sarvam

KINDS = ["sync", "async"]
CODECS = ["wav", "linear16", "mulaw", "alaw", "mp3", "opus", "flac", "aac"]
MAGIC = {"wav": b"RIFF", "mp3": b"\xff", "opus": b"OggS", "flac": b"fLaC", "aac": b"\xff\xf1"}
HINDI = {"language_code": "hi-IN", "speaker": "shubh"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_in_every_codec(scripted: RunningServer, kind: str) -> None:
    asked: list[Any] = [
        ("text_to_speech.convert", {"text": "नमस्ते दुनिया।", **HINDI}),
        *(("text_to_speech.convert", {"text": "नमस्ते", **HINDI, "output_audio_codec": codec}) for codec in CODECS),
        *(
            ("text_to_speech.convert_stream", {"text": "नमस्ते", **HINDI, "output_audio_codec": codec})
            for codec in CODECS
        ),
        ("text_to_speech.convert_stream", {"text": "नमस्ते", **HINDI}),
    ]
    first, *answers = run_sarvam("rest", url=scripted.url, calls=asked, kind=kind)
    with wave.open(io.BytesIO(base64.b64decode(first["audios"][0]))) as file:
        assert file.getframerate() == 24_000
        assert file.getnframes() / 24_000 == pytest.approx(0.06 * len("नमस्ते दुनिया।"), abs=0.01)
    assert first["request_id"]
    whole, streamed = answers[: len(CODECS)], answers[len(CODECS) :]
    for codec, answer, stream in zip(CODECS, whole, streamed, strict=False):
        data = base64.b64decode(answer["audios"][0])
        assert data.startswith(MAGIC.get(codec, b""))
        assert stream.startswith(MAGIC.get(codec, b""))
        assert len(data) > 1_000
        if codec != "opus":  # whose streams have a serial number
            assert data[44:] == stream[44:]
    assert streamed[-1] == streamed[CODECS.index("mp3")]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_wrong_is_said_once(scripted: RunningServer, kind: str) -> None:
    calls: list[Any] = [
        (f"text_to_speech.{name}", {"text": "x", **HINDI, **wrong})
        for name in ("convert", "convert_stream")
        for wrong in ({"language_code": "ml-IN"}, {"text": "x" * 3_501}, {"speech_sample_rate": 12_000})
    ]
    for answer in run_sarvam("rest", url=scripted.url, calls=calls, kind=kind):
        name, status, body, asked = answer
        assert (name, status, body["error"]["code"], asked) == ("BadRequestError", 400, "invalid_request_error", 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("codec", ["mp3", "wav", "linear16"])
def test_two_utterances_on_a_socket(scripted: RunningServer, kind: str, codec: str) -> None:
    configuration = {"target_language_code": "hi-IN", "speaker": "anushka", "output_audio_codec": codec}
    steps: list[Step] = [
        ("configure", configuration), ("convert", "नमस्ते।"), ("flush",), ("ping",), ("until", "event", 1),
        ("convert", "आप कैसे "), ("convert", "हैं?"), ("flush",), ("until", "event", 2), ("flush",), ("until", "event", 3),
    ]  # fmt: skip
    found = run_sarvam("speaking", url=scripted.url, steps=steps, kind=kind, send_completion_event=True)
    assert found["raised"] is None
    kinds = [kind for kind, _ in found["messages"]]
    first = kinds.index("event")
    second = kinds.index("event", first + 1)
    assert kinds[-2:] == ["event", "event"]
    assert set(kinds) == {"audio", "event"}
    for start, stop, text in ((0, first, "नमस्ते।"), (first + 1, second, "आप कैसे हैं?")):
        pieces = [data for _, data in found["messages"][start:stop]]
        assert {piece["content_type"] for piece in pieces} == {
            {"mp3": "audio/mpeg", "wav": "audio/wav", "linear16": "audio/pcm"}[codec]
        }
        audio = b"".join(base64.b64decode(piece["audio"]) for piece in pieces)
        assert audio.startswith(MAGIC.get(codec, b""))
        if codec != "mp3":
            size = len(audio) - (44 if codec == "wav" else 0)
            assert size / 2 / 22_050 == pytest.approx(0.06 * len(text), abs=0.01)
    assert all(data["event_type"] == "final" for kind, data in found["messages"] if kind == "event")


@pytest.mark.parametrize("kind", KINDS)
def test_errors_of_the_socket(scripted: RunningServer, kind: str) -> None:
    early: list[Step] = [("convert", "x"), ("rest",)]
    found = run_sarvam("speaking", url=scripted.url, steps=early, kind=kind)
    assert found["messages"][0][0] == "error"
    assert found["messages"][0][1]["code"] == 400
    assert found["closed"] == (1003, "text came before config: send config first")
    wrong: list[Step] = [
        ("configure", {"target_language_code": "hi-IN", "output_audio_codec": "midi"}), ("until", "error", 1),
        ("configure", {"target_language_code": "ml-IN"}), ("convert", "x"), ("flush",), ("until", "event", 1),
    ]  # fmt: skip
    found = run_sarvam("speaking", url=scripted.url, steps=wrong, kind=kind, send_completion_event="true")
    assert found["raised"] is None
    assert [kind for kind, _ in found["messages"]] == ["error", "error", "event"]
    assert "no voice for 'ml'" in found["messages"][1][1]["message"]


def test_keys() -> None:
    steps: list[Step] = [
        ("configure", {"target_language_code": "hi-IN"}), ("convert", "नमस्ते"), ("flush",), ("until", "audio", 1),
    ]  # fmt: skip
    with running_server(environment={"DRAGOMAN_API_KEYS": "secret-one"}) as server:
        good = run_sarvam("speaking", url=f"{server.url}/", steps=steps, key="secret-one")
        assert (good["raised"], good["messages"][0][0]) == (None, "audio")
        bad = run_sarvam("speaking", url=server.url, steps=steps, key="wrong", kind="async")
        assert (bad["raised"].kind, "403" in bad["raised"].text) == ("ApiError", True)
