"""`POST /tts`: one text in, its audio out while it is made.

The text is said sentence by sentence, the next one when the client has taken the audio of the one before: so a client
that reads slowly has little of it waiting here. A fault behind the first byte cuts the connection, and the client sees
a body that is not complete; before it there is an error in the form of the socket's.
"""

import asyncio
import logging
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from dragoman.models.errors import ModelError
from dragoman.models.sentences import split_sentences
from dragoman.pipeline.audio.errors import AudioError
from dragoman.pipeline.events import Ended, Event, Speech, Translated, Translation, Unspoken
from dragoman.pipeline.items import GivenText
from dragoman.server import wire
from dragoman.server.commands import Finish, Say
from dragoman.server.failures import BadMessage, Failure, Fault, SessionTooLong
from dragoman.server.one_shot import OneShot
from dragoman.server.protocols.soniox.api import Desk
from dragoman.server.protocols.soniox.credentials import Grant, bearer
from dragoman.server.protocols.soniox.errors import error_of, session_expired
from dragoman.server.protocols.soniox.messages import convert
from dragoman.server.protocols.soniox.speech.messages import OneText, SpeechError
from dragoman.server.protocols.soniox.speech.order import SpeechOrder, read_order
from dragoman.server.protocols.soniox.temporary_keys import SPEAK

log = logging.getLogger("dragoman.server.soniox")

PATH = "/tts"
LONGEST_S = 600.0
"""How long a client may take to read what is said to it, while it holds a session's place."""

_KEY = "text"
_object: msgspec.json.Decoder[dict[str, object]] = msgspec.json.Decoder(dict)


def speech_routes(desk: Desk) -> APIRouter:
    """The one call."""
    router = APIRouter(tags=["soniox"])

    @router.post(PATH, response_class=Response)
    async def tts(request: Request) -> Response:
        """Speak a text."""
        grant = Grant()
        try:
            grant = desk.door.admit(bearer(request.headers), SPEAK)
            text, order = _read(await request.body(), desk)
            spoken = _Spoken(desk, text, order, grant)
            await spoken.begin()
        except (Failure, ModelError, AudioError) as error:
            return _error(error, grant)
        return spoken

    return router


def speech_refusal(status: int, message: str) -> Response:
    """What a request is told that no route has seen."""
    kinds = {401: "unauthenticated", 403: "permission_denied", 429: "limit_exceeded"}
    return _told(status, kinds.get(status, "invalid_request"), message)


def _read(body: bytes, desk: Desk) -> tuple[str, SpeechOrder]:
    try:
        fields = wire.decode(body or b"{}", _object)
    except wire.NotJson as error:
        raise BadMessage(f"body is not JSON: {error}") from error
    wish: OneText = convert(fields, OneText, "request")
    for name in ("model", "language", "voice", "audio_format", "text"):
        if not (getattr(wish, name) or "").strip():
            raise BadMessage(f"{name} is missing", Fault.SETUP)
    return wish.text or "", read_order(wish, desk.voices)


def _error(error: Exception, grant: Grant) -> Response:
    if isinstance(error, SessionTooLong) and error.limit_s == grant.session_s:
        return _told(*session_expired(error.limit_s))
    return _told(*error_of(error))


def _told(status: int, kind: str, text: str) -> JSONResponse:
    told = SpeechError(error_code=status, error_type=kind, error_message=text, request_id=uuid.uuid4().hex)
    return JSONResponse(msgspec.to_builtins(told), status)


class _Spoken(Response):
    """The answer: audio. `begin` comes before it is sent, and raises what keeps it from being spoken."""

    def __init__(self, desk: Desk, text: str, order: SpeechOrder, grant: Grant) -> None:
        super().__init__(media_type=order.media_type)
        del self.headers["content-length"]
        self._desk = desk
        self._text = text
        self._order = order
        self._limit_s = min(LONGEST_S, grant.session_s or LONGEST_S)
        self._shot = OneShot("soniox-tts", desk.services)
        self._audio = self._said()
        self._first = b""
        reference = order.reference if grant.reference is None else grant.reference
        self._use = desk.ledger.begin("tts", grant.owner, order.model, reference)
        self._use.input_text_tokens = len(text.split())

    async def begin(self) -> None:
        """Wait for the first of the audio; where there is none, for the end."""
        try:
            self._first = await anext(self._audio, b"")
        except BaseException:
            await self._close()
            raise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it while it is made; stop where the client is gone."""
        del scope
        sending, leaving = asyncio.ensure_future(self._send(send)), asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.wait({sending, leaving})
            await self._close()
        if not sending.cancelled():
            sending.result()

    async def _send(self, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": self._first, "more_body": True})
            async with aclosing(self._audio) as audio:
                async for piece in audio:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        except (Failure, ModelError, AudioError) as error:
            log.info("cut the audio off: %s", error)
        else:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _close(self) -> None:
        await self._shot.close()
        self._desk.ledger.end(self._use)

    async def _said(self) -> AsyncGenerator[bytes, None]:
        shot, language = self._shot, self._order.choice.language
        await shot.carry_out(self._order.opening(_KEY, self._limit_s))
        events = shot.events()
        for number, sentence in enumerate(split_sentences(self._text)):
            await shot.carry_out(Say(_KEY, GivenText(number, sentence, language, translate=False)))
            async for speech in _of_one_text(events):
                self._use.output_audio_ms += round((speech.stop_s - speech.start_s) * 1_000)
                if speech.audio:
                    yield speech.audio
        await shot.carry_out(Finish(_KEY))
        async for event in events:
            if isinstance(event, Speech) and event.audio:
                yield event.audio


async def _gone(receive: Receive) -> None:
    """Wait until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _of_one_text(events: AsyncIterator[Event]) -> AsyncIterator[Speech]:
    """The audio of the text that was given last, to its end."""
    clauses: set[int] = set()
    told = False
    while clauses or not told:
        event = await anext(events)
        match event:
            case Translation():
                clauses.add(event.clause_id)
            case Translated():
                told = True
            case Unspoken():
                raise BadMessage(f"text cannot be spoken: {event.reason}", Fault.SETUP)
            case Speech():
                yield event
                if event.last and event.clause_id is not None:
                    clauses.discard(event.clause_id)
            case Ended():
                return
