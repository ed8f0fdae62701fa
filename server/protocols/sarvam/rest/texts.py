"""`/translate`, `/transliterate`, `/text-lid`: text to text.

Translation is a session that is given text and neither hears nor speaks: it takes its turn among the live ones. The
vendor documents names, limits and values of fields; what becomes of tone and gender is not done here, and which of the
fields of transliteration wins where two contradict is not known.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from fastapi import Request

from dragoman.models.plan import TargetWish
from dragoman.models.text.identify import identify
from dragoman.pipeline.audio.formats import pcm
from dragoman.pipeline.events import Translation
from dragoman.pipeline.items import GivenText
from dragoman.server.commands import Command, Open, Say
from dragoman.server.failures import BadMessage, Fault, quoted
from dragoman.server.oneshot import KEY, OneShot, heard
from dragoman.server.protocols.sarvam.languages import code_of, language_of
from dragoman.server.protocols.sarvam.nativise import SCRIPT_OF, native_digits, nativise
from dragoman.server.protocols.sarvam.payload import DEFAULT_HZ
from dragoman.server.protocols.sarvam.rest.answering import PROTOCOL, read_json, while_there
from dragoman.server.protocols.sarvam.rest.errors import Unprocessable
from dragoman.server.protocols.sarvam.romanise import romanise
from dragoman.server.services import Services

MAYURA, SARVAM = "mayura:v1", "sarvam-translate:v1"
MAX_CHARACTERS = 1_000
MOST = {MAYURA: MAX_CHARACTERS, SARVAM: 2_000}
"""Characters of a text, by the models of translation."""
SCRIPTS = ("roman", "fully-native", "spoken-form-in-native")
NUMERALS = ("international", "native")
AUTOMATIC = "auto"


class Text(msgspec.Struct):
    """Body of `/text-lid`. Null counts as absent, unknown fields are ignored."""

    input: str | None = None


class Transliteration(Text):
    """Body of `/transliterate`."""

    source_language_code: str | None = None
    target_language_code: str | None = None
    numerals_format: str | None = None


class TextTranslation(Transliteration):
    """Body of `/translate`."""

    model: str | None = None
    output_script: str | None = None


_text = msgspec.json.Decoder(Text)
_transliteration = msgspec.json.Decoder(Transliteration)
_translation = msgspec.json.Decoder(TextTranslation)


async def text_lid(services: Services, request: Request) -> Any:
    """`POST /text-lid`: which language and script a text is in."""
    del services
    found = await asyncio.to_thread(identify, _input(await read_json(request, _text)))
    return {"language_code": code_of(found.language) if found.language else None, "script_code": found.script}


async def transliterate(services: Services, request: Request) -> Any:
    """`POST /transliterate`: a text in the script of another language."""
    del services
    body = await read_json(request, _transliteration)
    text, numerals = _input(body), _value(body.numerals_format, "numerals_format", NUMERALS)
    target = _target(body)
    if target != "en" and target not in SCRIPT_OF:
        raise BadMessage(f"nothing is written in the script of {code_of(target)} here", Fault.SETUP)
    source = await _source(body, text)

    def written() -> str:
        if source == target:
            return text
        return romanise(text, source) if target == "en" else nativise(text, target)

    told = await asyncio.to_thread(written)
    told = native_digits(told, target) if numerals == "native" else told
    return {"transliterated_text": told, "source_language_code": code_of(source)}


async def translate(services: Services, request: Request) -> Any:
    """`POST /translate`: a text in another language."""
    body = await read_json(request, _translation)
    model = _value(body.model, "model", tuple(MOST)) or MAYURA
    text = _input(body, MOST[model])
    script = _value(body.output_script, "output_script", SCRIPTS)
    numerals = _value(body.numerals_format, "numerals_format", NUMERALS)
    target = _target(body)
    if model != MAYURA and (body.source_language_code or "").lower() == AUTOMATIC:
        raise BadMessage(f"source_language_code {AUTOMATIC} needs model {MAYURA}", Fault.SETUP)
    source = await _source(body, text)
    told = text if source == target else await while_there(request, _translated(services, text, source, target))
    if script == "roman":
        told = await asyncio.to_thread(romanise, told, target)
    elif numerals == "native":
        told = native_digits(told, target)
    return {"translated_text": told, "source_language_code": code_of(source)}


async def _translated(services: Services, text: str, source: str, target: str) -> str:
    """Line by line, so that they stay lines."""
    wish, sound = TargetWish(target, speaks=False), pcm(DEFAULT_HZ)
    lines = text.splitlines()
    opening = Open(KEY, sound, None, targets=(wish,), hears=False)
    told: dict[int, list[str]] = {}
    for event in await heard(OneShot(services, PROTOCOL), opening, _said(lines, source)):
        if isinstance(event, Translation) and isinstance(event.text_id, int):
            told.setdefault(event.text_id, []).append(event.text)
    return "\n".join(" ".join(told.get(number, ())) for number in range(len(lines)))


async def _said(lines: list[str], source: str) -> AsyncIterator[Command]:
    for number, line in enumerate(lines):
        if line.strip():
            yield Say(KEY, GivenText(number, line, source, translate=True))


def _input(body: Text, most: int = MAX_CHARACTERS) -> str:
    text = body.input
    if text is None or not text.strip():
        raise Unprocessable("input is missing, or empty")
    if len(text) > most:
        raise BadMessage(f"input has {len(text)} characters: at most {most} are allowed", Fault.SETUP)
    return text


def _target(body: Transliteration) -> str:
    if not body.target_language_code:
        raise Unprocessable("target_language_code is missing")
    target = language_of(body.target_language_code, "target_language_code", bare=True)
    if target is None:
        raise BadMessage("target_language_code cannot be detected: name one", Fault.SETUP)
    return target


async def _source(body: Transliteration, text: str) -> str:
    """The language that is named, or that the text is in."""
    if not body.source_language_code:
        raise Unprocessable("source_language_code is missing")
    source = language_of(body.source_language_code, "source_language_code", bare=True)
    source = source or (await asyncio.to_thread(identify, text)).language
    if source is None:
        raise BadMessage("the language of the input is not told by its letters: name source_language_code", Fault.SETUP)
    return source


def _value(value: str | None, name: str, values: tuple[str, ...]) -> str | None:
    if not value:
        return None
    if value not in values:
        raise BadMessage(f"unknown {name} '{quoted(value)}': use one of {', '.join(values)}", Fault.SETUP)
    return value
