"""A text is spoken by REST."""

import asyncio
import base64
import io
import threading
import wave
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from dragoman.models.base import Samples, SynthesisRequest
from dragoman.models.errors import TextRefused
from dragoman.pipeline.audio.decode import make_decoder
from dragoman.pipeline.audio.formats import Container, alaw, media, pcm, ulaw
from dragoman.server.protocols.sarvam.speech.codecs import RATES_HZ, SpeechCodec
from tests.server.sarvam.rest.calling import Called, FakeIndianSynthesizer, calling, indian_engines
from tests.waiting import PATIENCE_S, until_async

HELLO_S = 0.6
"""What the fake voice needs for "Hello."."""


def body(text: str = "Hello.", **fields: Any) -> dict[str, Any]:
    return {"json": {"text": text, "language_code": "en-IN", **fields}}


def seconds(codec: str, data: bytes, rate_hz: int) -> float:
    """Length of audio that says by itself what it is, or that is raw."""
    raw = {"linear16": pcm(rate_hz), "mulaw": ulaw(rate_hz), "alaw": alaw(rate_hz)}
    decoder = make_decoder(raw.get(codec, media(Container.ANY)), rate_hz)
    samples = np.concatenate([decoder.decode(data), decoder.finish()])
    decoder.close()
    return len(samples) / rate_hz


async def spoken(called: Called, **request: Any) -> bytes:
    answer = await called.post("/text-to-speech", **request)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert set(found) == {"request_id", "audios"}
    (audio,) = found["audios"]
    return base64.b64decode(audio)


@pytest.mark.parametrize("rate", RATES_HZ)
async def test_a_wav_file_has_the_rate_and_the_sizes_that_it_says(rate: int) -> None:
    async with calling() as called:
        for asked in (rate, str(rate), float(rate)):
            data = await spoken(called, **body(speech_sample_rate=asked))
            # Clients cut 44 bytes off and play the rest.
            assert (data[:4], data[36:40]) == (b"RIFF", b"data")
            assert int.from_bytes(data[4:8], "little") == len(data) - 8
            assert int.from_bytes(data[40:44], "little") == len(data) - 44
            with wave.open(io.BytesIO(data)) as file:
                assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (rate, 1, 2)
                assert file.getnframes() / rate == pytest.approx(HELLO_S, abs=0.01)


@pytest.mark.parametrize("codec", list(SpeechCodec))
@pytest.mark.parametrize("rate", [8_000, 22_050])
async def test_codecs(codec: str, rate: int) -> None:
    async with calling() as called:
        data = await spoken(called, **body(output_audio_codec=codec, speech_sample_rate=rate))
        assert seconds(codec, data, rate) == pytest.approx(HELLO_S, abs=0.2)
        fields = {"output_audio_codec": codec, "speech_sample_rate": rate, "output_audio_bitrate": "32k"}
        answer = await called.post("/text-to-speech/stream", **body(**fields))
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("audio/")
        assert "content-length" not in answer.headers
        assert seconds(codec, answer.content, rate) == pytest.approx(HELLO_S, abs=0.2)
        assert called.services.admission.running == 0
        assert called.services.connections == set()


async def test_defaults() -> None:
    async with calling() as called:
        for model, rate in (("bulbul:v3", 24_000), ("bulbul:v2", 22_050), ("bulbul:v4-flash", 24_000), (None, 24_000)):
            data = await spoken(called, **body(model=model))
            assert int.from_bytes(data[24:28], "little") == rate
        answer = await called.post("/text-to-speech/stream", **body())
        assert answer.headers["content-type"] == "audio/mpeg"


async def test_both_names_of_the_language_and_lists_of_texts() -> None:
    async with calling() as called:
        old = {"json": {"inputs": ["One.", "Two and three."], "target_language_code": "en-IN", "dict_id": None}}
        for url in ("/text-to-speech", "/text-to-speech/", "http://127.0.0.1:8000//text-to-speech"):
            audios = (await called.post(url, **old)).json()["audios"]
            lengths = [(len(base64.b64decode(audio)) - 44) / 48_000 for audio in audios]
            assert lengths == pytest.approx([0.4, 1.4], abs=0.01)


async def test_what_changes_nothing_is_taken() -> None:
    async with calling() as called:
        more = {"pitch": 0.5, "loudness": 9, "temperature": None, "enable_preprocessing": True, "dict_id": "x",
                "enable_cached_responses": False, "min_buffer_size": 50, "max_chunk_length": 200}  # fmt: skip
        assert await spoken(called, **body(**more)) == await spoken(called, **body())


async def test_pace_and_voices() -> None:
    asked: list[SynthesisRequest] = []

    class FakeListening(FakeIndianSynthesizer):
        def synthesize(self, request: SynthesisRequest) -> Iterator[Samples]:
            asked.append(request)
            return super().synthesize(request)

    async with calling(lambda: indian_engines(synthesizer=FakeListening())) as called:
        for speaker in ("fake-hi000000000", "shubh", "fake-en000000000", None):
            await spoken(called, **body(language_code="hi-IN", pace=1.5, speaker=speaker))
    assert {(one.tempo, one.voice.language) for one in asked} == {(1.5, "hi")}
    async with calling(voices={"strict": True}) as called:
        answer = await called.post("/text-to-speech", **body(speaker="shubh"))
        assert (answer.status_code, "speaker 'shubh'" in answer.text) == (400, True)
        await spoken(called, **body(speaker="fake-en000000000"))


WRONG: list[tuple[dict[str, Any], int, str]] = [
    ({"text": None}, 422, "text is missing"),
    ({"text": " "}, 422, "text is missing"),
    ({"language_code": None}, 422, "language_code is missing"),
    ({"language_code": "xx-IN"}, 400, "unknown language_code 'xx-IN'"),
    ({"language_code": "auto"}, 400, "language_code cannot be detected"),
    ({"language_code": "ml-IN"}, 400, "no voice for 'ml' is installed"),
    ({"model": "bulbul:v1"}, 400, "unknown model 'bulbul:v1'"),
    ({"pace": 2.5}, 400, "pace must be a number from 0.5 to 2"),
    ({"pace": 3.5, "model": "bulbul:v2"}, 400, "pace must be a number from 0.3 to 3"),
    ({"speech_sample_rate": 12_000}, 400, "speech_sample_rate '12000' must be one of"),
    ({"speech_sample_rate": "fast"}, 400, "speech_sample_rate 'fast' must be one of"),
    ({"output_audio_codec": "midi"}, 400, "unknown output_audio_codec 'midi'"),
    ({"output_audio_bitrate": "1k"}, 400, "unknown output_audio_bitrate '1k'"),
    ({"speaker": "x" * 300}, 400, "body cannot be read"),
    ({"pace": "fast"}, 400, "body cannot be read"),
    ({"text": None, "inputs": ["x"] * 17}, 400, "at most 16"),
    ({"text": None, "inputs": ["x", ""]}, 422, "text is missing"),
]


@pytest.mark.parametrize(("fields", "status", "told"), WRONG)
@pytest.mark.parametrize("path", ["/text-to-speech", "/text-to-speech/stream"])
async def test_what_is_wrong_is_told(path: str, fields: dict[str, Any], status: int, told: str) -> None:
    async with calling() as called:
        answer = await called.post(path, **body(**fields))
        assert answer.status_code == status
        assert told in answer.json()["error"]["message"]


async def test_characters() -> None:
    async with calling() as called:
        for path, model, most in (
            ("/text-to-speech", "bulbul:v3", 2_500),
            ("/text-to-speech", "bulbul:v2", 1_500),
            ("/text-to-speech/stream", "bulbul:v2", 3_500),
        ):
            answer = await called.post(path, **body("x" * (most + 1), model=model))
            assert (answer.status_code, f"at most {most}" in answer.text) == (400, True)


async def test_a_text_that_cannot_be_said() -> None:
    class FakeChoosy(FakeIndianSynthesizer):
        def synthesize(self, request: SynthesisRequest) -> Iterator[Samples]:
            raise TextRefused("fake", "it cannot be said")

    async with calling(lambda: indian_engines(synthesizer=FakeChoosy())) as called:
        for path in ("/text-to-speech", "/text-to-speech/stream"):
            answer = await called.post(path, **body())
            assert (answer.status_code, answer.json()["error"]["code"]) == (422, "unprocessable_entity_error")


async def test_keys_and_room() -> None:
    async with calling(api_keys=["secret-one"], limits={"sessions": 1}) as called:
        place = called.services.admission.enter()
        for path in ("/text-to-speech", "/text-to-speech/stream"):
            answer = await called.post(path, **body())
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "invalid_api_key_error")
            answer = await called.post(path, **body(), headers={"api-subscription-key": "secret-one"})
            assert (answer.status_code, answer.headers["retry-after"]) == (429, "10")
        place.leave()


class FakeHalting(FakeIndianSynthesizer):
    """Speaks a second, then waits until the test lets it go on, and perhaps breaks."""

    def __init__(self, *, breaks: bool = False) -> None:
        self.released = threading.Event()
        self._breaks = breaks

    def synthesize(self, request: SynthesisRequest) -> Iterator[Samples]:
        yield np.full(11_025, 0.25, np.float32)
        yield np.full(11_025, 0.25, np.float32)  # one is kept back: it may be the last
        assert self.released.wait(PATIENCE_S)
        if self._breaks:
            raise RuntimeError("broken")
        yield np.full(22_050, 0.25, np.float32)


async def streaming(called: Called, receive: Any, send: Any) -> None:
    """One call without an HTTP client between, which would wait for the whole answer."""
    app: Any = called.client._transport.app  # type: ignore[attr-defined]
    request = httpx.Request(
        "POST", "http://127.0.0.1:8000/text-to-speech/stream", **body(output_audio_codec="linear16")
    )
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": request.url.path, "raw_path": request.url.raw_path, "query_string": b"", "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in request.headers.items()],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000),
    }  # fmt: skip
    messages = [{"type": "http.request", "body": request.read(), "more_body": False}]

    async def next_message() -> Any:
        return messages.pop() if messages else await receive()

    await app(scope, next_message, send)


@pytest.mark.parametrize("end", ["finishes", "breaks", "leaves", "does not read"])
async def test_audio_comes_while_it_is_made(end: str) -> None:
    voice, left, sent = FakeHalting(breaks=end == "breaks"), asyncio.Event(), []

    async def receive() -> Any:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if end == "does not read" and len(sent) > 1:
            await asyncio.Event().wait()

    limits = {"output_wait_s": 0.05} if end == "does not read" else {}
    async with calling(lambda: indian_engines(synthesizer=voice), limits=limits) as called:
        serving = asyncio.create_task(streaming(called, receive, send))
        try:
            await until_async(lambda: len(sent) > 1)
            assert sent[0]["status"] == 200
            assert len(sent[1]["body"]) > 0
            if end == "leaves":
                left.set()
            elif end in ("finishes", "breaks"):
                voice.released.set()
            await until_async(serving.done)
            await serving
        finally:
            voice.released.set()
        complete = sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
        assert complete == (end == "finishes")
        assert called.services.admission.running == 0
        assert called.services.connections == set()
