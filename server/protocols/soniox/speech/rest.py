"""`POST /tts`: one text in, its audio out while it is made.

The text is said sentence by sentence, the next one when the client has taken the audio of the one before: so a client
that reads slowly has little of it waiting here. A fault behind the first byte cuts the connection, and the client sees
a body that is not complete; before it there is an error in the form of the socket's.
"""

import uuid
from collections.abc import AsyncGenerator, AsyncIterator

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from dragoman.models.errors import ModelError
from dragoman.models.sentences import split_sentences
from dragoman.pipeline.audio.errors import AudioError
from dragoman.pipeline.events import Event, Speech, Translated, Translation, Unspoken
from dragoman.pipeline.items import GivenText
from dragoman.server import wire
from dragoman.server.commands import Finish, Say
from dragoman.server.failures import BadMessage, Failure, Fault, SessionTooLong
from dragoman.server.oneshot import KEY, OneShot
from dragoman.server.protocols.soniox.api import Desk
from dragoman.server.protocols.soniox.credentials import Grant, bearer
from dragoman.server.protocols.soniox.errors import error_of, session_expired
from dragoman.server.protocols.soniox.messages import convert
from dragoman.server.protocols.soniox.speech.messages import OneText, SpeechError
from dragoman.server.protocols.soniox.speech.order import SpeechOrder, read_order
from dragoman.server.protocols.soniox.temporary_keys import SPEAK
from dragoman.server.streamed import Streamed

PATH = "/tts"
LONGEST_S = 600.0
"""How long a client may take to read what is said to it, while it holds a session's place."""

_object: msgspec.json.Decoder[dict[str, object]] = msgspec.json.Decoder(dict)


def speech_routes(desk: Desk) -> APIRouter:
    """The one call."""
    router = APIRouter(tags=["soniox"])

    @router.post(PATH, response_class=Response)
    async def tts(request: Request) -> Response:
        """Speak a text."""
        grant = Grant()
        try:
            grant = await desk.door.admit(bearer(request.headers), SPEAK)
            text, order = _read(await request.body(), desk)
            pieces = _spoken(desk, text, order, grant)
            # What keeps it from being spoken is known before there is any audio, and can still be told.
            first = await anext(pieces, b"")
        except (Failure, ModelError, AudioError) as error:
            return _error(error, grant)
        return Streamed(pieces, order.media_type, desk.services.settings.limits.output_wait_s, first)

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


async def _spoken(desk: Desk, text: str, order: SpeechOrder, grant: Grant) -> AsyncGenerator[bytes, None]:
    """The audio of a text while it is made. To be closed."""
    shot, language = OneShot(desk.services, "soniox-tts"), order.choice.language
    reference = order.reference if grant.reference is None else grant.reference
    use = desk.ledger.begin("tts", grant.owner, order.model, reference)
    use.input_text_tokens = len(text.split())
    try:
        await shot.carry_out(order.opening(KEY, min(LONGEST_S, grant.session_s or LONGEST_S)))
        events = shot.told()
        for number, sentence in enumerate(split_sentences(text)):
            await shot.carry_out(Say(KEY, GivenText(number, sentence, language, translate=False)))
            async for speech in _of_one_text(events):
                use.output_audio_ms += round((speech.stop_s - speech.start_s) * 1_000)
                if speech.audio:
                    yield speech.audio
        await shot.carry_out(Finish(KEY))
        async for event in events:
            if isinstance(event, Speech) and event.audio:
                yield event.audio
    finally:
        await shot.close()
        desk.ledger.end(use)


async def _of_one_text(events: AsyncIterator[Event]) -> AsyncIterator[Speech]:
    """The audio of the text that was given last, to its end."""
    clauses: set[int] = set()
    told = False
    async for event in events:
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
        if told and not clauses:
            return
