"""`/speech-to-text` and `/speech-to-text-translate`: a whole recording becomes text.

It is a session like that of a socket, which is given its audio as fast as it takes it. What the vendor documents is its
fields; that a recording which is too long is 400, and that a piece of `timestamps` is an utterance, is our choice.
"""

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, BinaryIO, cast

from fastapi import Request

from dragoman.models.base import SAMPLE_RATE_HZ
from dragoman.models.plan import TargetWish
from dragoman.pipeline.audio.errors import AudioTooLong
from dragoman.pipeline.audio.formats import AudioFormat, Container, media, pcm
from dragoman.pipeline.audio.mp4 import Source, readable
from dragoman.pipeline.events import Event, Transcript, Translated, Translation
from dragoman.pipeline.timing import UNSPACED
from dragoman.server.commands import Command, Feed, Open
from dragoman.server.failures import BadMessage, Fault, quoted
from dragoman.server.multipart import FILE, PIECE_BYTES, Form, form_of
from dragoman.server.oneshot import KEY, OneShot, heard
from dragoman.server.protocols.sarvam.languages import code_of, language_of
from dragoman.server.protocols.sarvam.payload import DEFAULT_HZ
from dragoman.server.protocols.sarvam.prompts import key_terms, terms_of
from dragoman.server.protocols.sarvam.query import Codec, Mode, choice
from dragoman.server.protocols.sarvam.rest.answering import PROTOCOL, while_there
from dragoman.server.protocols.sarvam.rest.errors import Unprocessable
from dragoman.server.protocols.sarvam.utterances import Utterance, Utterances
from dragoman.server.protocols.sarvam.vad import flag
from dragoman.server.services import Services

ENGLISH = (TargetWish("en", speaks=False),)
OLD_MODELS = "saarika:"
"""They write down what was said, and nothing else."""
NO_TERMS = "null"
"""The SDK sends this text where nobody gave terms, with every model."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to become of a recording. `source` None: to be detected."""

    mode: Mode
    source: str | None
    audio_format: AudioFormat
    keywords: tuple[str, ...]
    timestamps: bool


async def transcribe(services: Services, request: Request) -> Any:
    """`POST /speech-to-text`."""
    return await _recognised(services, request, ("saaras:", OLD_MODELS), Mode.TRANSCRIBE)


async def translate(services: Services, request: Request) -> Any:
    """`POST /speech-to-text-translate`."""
    return await _recognised(services, request, ("saaras:",), Mode.TRANSLATE)


async def _recognised(services: Services, request: Request, models: tuple[str, ...], mode: Mode) -> Any:
    limits = services.settings.limits
    async with form_of(request, services, limits.upload_bytes + limits.control_bytes) as form:
        wish = read_wish(form.fields, models, mode)
        if not form.size:
            raise Unprocessable(f"{FILE} is missing, or empty")
        said = await while_there(request, _said(services, wish, form))
    return rendered(said, wish, full=mode is Mode.TRANSCRIBE)


def read_wish(fields: dict[str, str], models: tuple[str, ...], only: Mode) -> Wish:
    """What a form asks for; fields that are not known count for nothing, empty ones are not there.

    Raises BadMessage naming the field that is wrong.
    """
    model = fields.get("model", "").strip()
    if model and not model.startswith(models):
        known = ", ".join(f"{name}…" for name in models)
        raise BadMessage(f"unknown model '{quoted(model)}': use one of {known}", Fault.MODEL)
    mode, language = only, ""
    if only is not Mode.TRANSLATE:
        mode = choice(fields, "mode", tuple(Mode), only)
        language = fields.get("language_code", "").strip()
        if model.startswith(OLD_MODELS) and mode is not only:
            raise BadMessage(f"model {quoted(model)} has no mode {mode}: use {only}, or a model of saaras", Fault.SETUP)
    terms = fields.get("keyterms", "")
    codec = fields.get("input_audio_codec", "").strip()
    raw = codec in (Codec.PCM_S16LE, Codec.PCM_L16, Codec.PCM_RAW)
    return Wish(
        mode=mode,
        source=language_of(language, "language_code"),
        # A file says by itself what it is, whatever is said of it.
        audio_format=pcm(DEFAULT_HZ) if raw else media(Container.ANY),
        keywords=(*key_terms("" if terms.strip() == NO_TERMS else terms), *terms_of(fields.get("prompt", ""))),
        timestamps=flag(fields, "with_timestamps") or False,
    )


async def _said(services: Services, wish: Wish, form: Form) -> list[Utterance]:
    file = cast("BinaryIO", form.file)
    source: Source = file
    sound = wish.audio_format
    if sound.container is Container.ANY:
        source, sound = await asyncio.to_thread(readable, file, sound, SAMPLE_RATE_HZ)
    opening = Open(
        KEY,
        sound,
        None,
        source=wish.source,
        targets=ENGLISH if wish.mode is Mode.TRANSLATE else (),
        keywords=wish.keywords,
        locks_language=False,  # as on the sockets: people mix their language with English
        latency="quality",
        input_limit_s=services.settings.limits.recording_s or math.inf,
    )
    try:
        events = await heard(OneShot(services, PROTOCOL), opening, _pieces(source))
    except AudioTooLong as error:
        raise BadMessage(f"{error}: send longer ones in pieces, or over a socket", Fault.AUDIO) from error
    return utterances_of(events, wish.mode)


async def _pieces(source: Source) -> AsyncIterator[Command]:
    while piece := await asyncio.to_thread(source.read, PIECE_BYTES):
        yield Feed(KEY, piece)


def utterances_of(events: list[Event], mode: Mode) -> list[Utterance]:
    """What was said, in order."""
    utterances, said = Utterances(mode, lambda: 0.0), []
    for event in events:
        found = None
        match event:
            case Transcript(final=True):
                found = utterances.heard(event)
            case Translation(final=True):
                utterances.translated(event)
            case Translated():
                found = utterances.complete(event.segment_id)
        said += [found] if found is not None else []
    return said


def rendered(said: list[Utterance], wish: Wish, *, full: bool) -> dict[str, Any]:
    """The answer. `full`: with the field of pieces and their times, which translation does not have."""
    by_language = {
        language: sum(len(one.text) for one in group)
        for language, group in groupby(sorted(said, key=lambda one: one.language), lambda one: one.language)
    }
    language = max(by_language, key=lambda code: by_language[code]) if by_language else wish.source
    spoken = [one for one in said if one.language == language]
    probability = sum(one.confidence for one in spoken) / len(spoken) if spoken and wish.source is None else None
    unspaced = wish.mode in (Mode.TRANSCRIBE, Mode.VERBATIM, Mode.CODEMIX) and language in UNSPACED
    answer: dict[str, Any] = {
        "transcript": ("" if unspaced else " ").join(one.text for one in said if one.text),
        "language_code": code_of(language) if language else None,
        "language_probability": None if probability is None else round(probability, 4),
        "diarized_transcript": None,
    }
    if full:
        answer["timestamps"] = _timestamps(said) if wish.timestamps else None
    return answer


def _timestamps(said: list[Utterance]) -> dict[str, Any]:
    return {
        "words": [one.text for one in said],
        "start_time_seconds": [round(one.start_s, 3) for one in said],
        "end_time_seconds": [round(one.stop_s, 3) for one in said],
    }
