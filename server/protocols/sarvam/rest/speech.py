"""`/text-to-speech` and `/text-to-speech/stream`: a text is spoken, by a session that hears nothing.

A WAV file of the first has a header of exactly 44 bytes and its true sizes: clients cut so many off and play the rest.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import msgspec
from fastapi import Request
from starlette.responses import Response

from dragoman.models.errors import TextRefused
from dragoman.pipeline.audio.formats import AudioFormat, pcm
from dragoman.pipeline.audio.wav import file_header
from dragoman.pipeline.events import Speech, Unspoken
from dragoman.pipeline.items import GivenText
from dragoman.server.commands import Command, Say
from dragoman.server.failures import BadMessage, Fault
from dragoman.server.oneshot import KEY, OneShot
from dragoman.server.protocols.sarvam.rest.answering import PROTOCOL, read_json, while_there
from dragoman.server.protocols.sarvam.rest.errors import Unprocessable
from dragoman.server.protocols.sarvam.speech.codecs import SpeechCodec
from dragoman.server.protocols.sarvam.speech.orders import OLD, SpeechOrder, SpeechWish, read_order
from dragoman.server.protocols.sarvam.speech.speakers import EngineSpeakers
from dragoman.server.services import Services
from dragoman.server.streamed import Streamed
from dragoman.server.wire import encode_base64

MAX_CHARACTERS, MAX_OLD, MAX_STREAMED = 2_500, 1_500, 3_500
MAX_TEXTS = 16
"""Of the list that older clients send; their characters count together."""


class SpeechBody(SpeechWish):
    """The body of both."""

    text: str | None = None
    inputs: list[str] | None = None


_body = msgspec.json.Decoder(SpeechBody)


async def convert(services: Services, request: Request) -> Any:
    """`POST /text-to-speech`: each text as one piece of base64."""
    body = await read_json(request, _body)
    order = read_order(body, _speakers(services), SpeechCodec.WAV)
    texts = _texts(body, MAX_OLD if order.model == OLD else MAX_CHARACTERS)
    files = await while_there(request, _files(services, order, texts))
    return {"audios": [encode_base64(file) for file in files]}


async def stream(services: Services, request: Request) -> Response:
    """`POST /text-to-speech/stream`: the audio as it is made."""
    body = await read_json(request, _body)
    order = read_order(body, _speakers(services), SpeechCodec.MP3)
    text = " ".join(_texts(body, MAX_STREAMED))
    pieces = _pieces(services, order, text)
    try:
        # What is wrong is known before there is any audio, and can still be told.
        first = await while_there(request, _first(pieces))
    except BaseException:
        await pieces.aclose()
        raise
    return Streamed(pieces, order.media_type, services.settings.limits.output_wait_s, first)


def _speakers(services: Services) -> EngineSpeakers:
    return EngineSpeakers(lambda: services.engines, strict=services.settings.voices.strict)


def _texts(body: SpeechBody, most: int) -> list[str]:
    texts = [body.text] if body.text is not None else body.inputs or []
    if not texts or not all(text.strip() for text in texts):
        raise Unprocessable("text is missing, or empty")
    if len(texts) > MAX_TEXTS:
        raise BadMessage(f"inputs has {len(texts)} texts: at most {MAX_TEXTS} are allowed", Fault.SETUP)
    if (length := sum(map(len, texts))) > most:
        raise BadMessage(f"text has {length} characters: at most {most} are allowed", Fault.SETUP)
    return texts


async def _files(services: Services, order: SpeechOrder, texts: list[str]) -> list[bytes]:
    """Each text by itself: where the codec has files, each is one."""
    whole = order.codec is SpeechCodec.WAV
    found = []
    for text in texts:
        async with aclosing(_pieces(services, order, text, pcm(order.rate_hz) if whole else None)) as pieces:
            data = b"".join([piece async for piece in pieces])
        found.append(file_header(order.rate_hz, len(data)) + data if whole else data)
    return found


async def _pieces(
    services: Services, order: SpeechOrder, text: str, sound: AudioFormat | None = None
) -> AsyncGenerator[bytes, None]:
    """The audio of a text as it is made, in `sound` or the order's own format."""
    shot = OneShot(services, PROTOCOL)
    async with aclosing(shot.events(order.opening(KEY, sound=sound), _said(order, text))) as events:
        async for event in events:
            if isinstance(event, Unspoken):
                raise TextRefused(services.engines.name, event.reason)
            if isinstance(event, Speech) and event.audio:
                yield event.audio


async def _said(order: SpeechOrder, text: str) -> AsyncIterator[Command]:
    yield Say(KEY, GivenText(0, text, order.language, translate=False))


async def _first(pieces: AsyncGenerator[bytes, None]) -> bytes:
    return await anext(pieces, b"")
