"""Recognition and synthesis by REST: what the sockets say, line by line, or the audio alone."""

import asyncio
import io
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import StreamingResponse

from dragoman.models.base import SAMPLE_RATE_HZ
from dragoman.models.errors import EngineUnavailable, Overloaded
from dragoman.pipeline.audio.formats import Container, media
from dragoman.pipeline.audio.mp4 import Source, readable
from dragoman.server import wire
from dragoman.server.commands import Adapter, Send
from dragoman.server.exchange import Exchange
from dragoman.server.failures import (
    BadMessage,
    InternalError,
    MessageTooLarge,
    NotReady,
    OutputNotRead,
    ShuttingDown,
    TooManySessions,
)
from dragoman.server.protocols.gradium.asr import AsrAdapter
from dragoman.server.protocols.gradium.asr_setup import parse_asr_setup
from dragoman.server.protocols.gradium.formats import INPUTS
from dragoman.server.protocols.gradium.messages import EndOfStreamIn, TextIn
from dragoman.server.protocols.gradium.parsing import AudioIn, SetupIn
from dragoman.server.protocols.gradium.tts import TtsAdapter
from dragoman.server.protocols.gradium.tts_setup import parse_tts_setup
from dragoman.server.protocols.gradium.voices import Voices
from dragoman.server.services import Services

ASR_PATH = "/post/speech/asr"
"""Its bodies are audio, and may be as long as a message with audio on a socket."""
TTS_PATH = "/post/speech/tts"

_SLICE_BYTES = 65_536
_LINES = "application/x-ndjson"
_AUDIO_TYPES = {"wav": "audio/wav", "opus": "audio/ogg"}
_OTHER_AUDIO = "audio/pcm"
_STATUS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], int], ...] = (
    (MessageTooLarge, 413),
    (TooManySessions, 429),
    ((NotReady, Overloaded, EngineUnavailable, ShuttingDown), 503),
    (OutputNotRead, 408),
)


class _Text(msgspec.Struct, kw_only=True):
    text: str
    voice_id: wire.Id | None = None
    voice: wire.Id | None = None
    output_format: str | None = None
    model_name: str | None = None
    json_config: dict[str, Any] | str | None = None
    only_audio: bool | None = None


class _Spoken(msgspec.Struct, tag_field="type", tag="audio"):
    audio: Annotated[str, msgspec.Meta(min_length=1)]


_text = msgspec.json.Decoder(_Text)
_spoken = msgspec.json.Decoder(_Spoken)


def add_one_shots(router: APIRouter, services: Services, voices: Voices) -> None:
    """`post/speech/asr` and `post/speech/tts`; who may ask is the router's business."""

    @router.post(ASR_PATH)
    @router.post(f"{ASR_PATH}/", include_in_schema=False)
    async def recognise(request: Request) -> StreamingResponse:
        """A file's words, or with `model=stt-translate` its translation, as one JSON object a line."""
        query = request.query_params
        name, kind = query.get("input_format"), request.headers.get("content-type", "")
        setup = {"model_name": query.get("model"), "input_format": name, "json_config": query.get("json_config")}
        asked = _asked(parse_asr_setup, setup)
        if name is None:
            raw = kind.partition(";")[0].strip().lower() == "audio/pcm"
            asked = replace(asked, input_format=INPUTS["pcm"] if raw else media(Container.ANY))
        source: Source = (body := io.BytesIO(await request.body()))
        if asked.input_format.container is Container.ANY:
            source, sound = await asyncio.to_thread(readable, body, asked.input_format, SAMPLE_RATE_HZ)
            asked = replace(asked, input_format=sound, rate_hz=sound.rate_hz or asked.rate_hz)
        return await _answer(AsrAdapter(), services, _heard(SetupIn(asked, None), source))

    @router.post(TTS_PATH)
    @router.post(f"{TTS_PATH}/", include_in_schema=False)
    async def synthesise(request: Request) -> StreamingResponse:
        """A text's speech: with `only_audio` its bytes, else one JSON object a line."""
        try:
            body = wire.decode(await request.body(), _text)
        except wire.NotJson as error:
            raise HTTPException(422, str(error)) from error
        asked = _asked(
            parse_tts_setup,
            {
                "model_name": body.model_name,
                "voice_id": body.voice_id,
                "voice": body.voice,
                "output_format": body.output_format,
                "json_config": body.json_config,
            },
        )
        name = (body.output_format or "wav").strip()
        audio_type = _AUDIO_TYPES.get(name, _OTHER_AUDIO) if body.only_audio else None
        return await _answer(TtsAdapter(voices), services, _written(SetupIn(asked, None), body.text), audio_type)


def _asked(read: Any, setup: dict[str, Any]) -> Any:
    try:
        return read(setup)
    except BadMessage as error:
        raise HTTPException(400, str(error)) from error


async def _heard(setup: object, source: Source) -> AsyncIterator[object]:
    yield setup
    while piece := await asyncio.to_thread(source.read, _SLICE_BYTES):
        yield AudioIn(piece, None)
    yield EndOfStreamIn()


async def _written(setup: object, text: str) -> AsyncIterator[object]:
    yield setup
    yield TextIn(text=text)
    yield EndOfStreamIn()


async def _answer(
    adapter: Adapter, services: Services, messages: AsyncIterable[object], audio_type: str | None = None
) -> StreamingResponse:
    """What the adapter tells. An error that comes before anything else is an answer of its own."""
    async with AsyncExitStack() as stack:
        exchange = await stack.enter_async_context(Exchange(adapter, services, messages))
        told = exchange.told()
        first: list[Send] = []
        async for output in told:
            if output.error is not None:
                raise _refusal(exchange.fault, output)
            first.append(output)
            if len(first) > 1:
                break
        lines = _lines(stack.pop_all(), first, told)
        return StreamingResponse(lines if audio_type is None else _bytes(lines), media_type=audio_type or _LINES)
    raise AssertionError


async def _lines(stack: AsyncExitStack, first: list[Send], told: AsyncIterator[Send]) -> AsyncIterator[str]:
    async with stack:
        for output in first:
            yield f"{output.data!s}\n"
        async for output in told:
            yield f"{output.data!s}\n"


async def _bytes(lines: AsyncIterator[str]) -> AsyncIterator[bytes]:
    async for line in lines:
        if line.startswith('{"type":"audio"'):
            yield wire.decode_base64(_spoken.decode(line).audio)
        elif line.startswith('{"type":"error"'):
            # The status was told long ago: only a connection that breaks says that this is not all.
            raise InternalError("-")


def _refusal(fault: Exception | None, told: Send) -> HTTPException:
    fault = fault or InternalError("-")
    message: str = msgspec.json.decode(told.data)["message"]
    status = next((status for kinds, status in _STATUS if isinstance(fault, kinds)), None)
    if status is None:
        status = 500 if told.error == 1011 else 400
    headers = (
        {"Retry-After": f"{fault.retry_after_s:.0f}"}
        if isinstance(fault, TooManySessions | NotReady | Overloaded)
        else None
    )
    return HTTPException(status, message, headers)
