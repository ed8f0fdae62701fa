"""What the address of a socket asks for. Everything is text there; wrong values are told by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from dragoman.config.settings import ListenSettings
from dragoman.server.failures import BadMessage, Fault, quoted
from dragoman.server.protocols.sarvam.languages import language_of
from dragoman.server.protocols.sarvam.prompts import key_terms
from dragoman.server.protocols.sarvam.vad import flag, tuned


class Mode(StrEnum):
    """What becomes of speech: its English, its own text, or that in Latin letters."""

    TRANSLATE = "translate"
    TRANSCRIBE = "transcribe"
    VERBATIM = "verbatim"
    TRANSLIT = "translit"
    CODEMIX = "codemix"


class Codec(StrEnum):
    """What is inside the base64."""

    WAV = "wav"
    PCM_S16LE = "pcm_s16le"
    PCM_L16 = "pcm_l16"
    PCM_RAW = "pcm_raw"


@dataclass(frozen=True, slots=True)
class Wire:
    """One of the vendor's sockets: the models that it has with the modes of each, the defaults first.

    `names_language`: a client may say which language is spoken. `bare`: messages have no fields for what the vendor
    does not offer on sockets.
    """

    models: Mapping[str, tuple[Mode, ...]]
    names_language: bool
    bare: bool


_OTHERS = tuple(mode for mode in Mode if mode is not Mode.TRANSLATE)
TRANSLATION = Wire(
    {"saaras:v3": (Mode.TRANSLATE, *_OTHERS), "saaras:v2.5": (Mode.TRANSLATE,)}, names_language=False, bare=True
)
_ANY_MODE = (Mode.TRANSCRIBE, *(mode for mode in Mode if mode is not Mode.TRANSCRIBE))
TRANSCRIPTION = Wire(
    {"saaras:v4": _ANY_MODE, "saaras:v3": _ANY_MODE, "saarika:v2.5": (Mode.TRANSCRIBE,)},
    names_language=True,
    bare=False,
)


@dataclass(frozen=True, slots=True)
class Options:
    """A valid query. `source` None: to be detected. `sample_rate_hz` None: the audio itself says, or it is 16 kHz."""

    wire: Wire
    model: str
    mode: Mode
    source: str | None
    codec: Codec
    sample_rate_hz: int | None
    vad_signals: bool
    flushes: bool
    keywords: tuple[str, ...]
    listen: ListenSettings


def parse_query(query: Mapping[str, str], wire: Wire, listen: ListenSettings) -> Options:
    """Read the parameters of a socket; `listen` is how the operator lets sessions listen. Parameters that do not exist
    are ignored, empty ones are not there. Raises BadMessage."""
    models = tuple(wire.models)
    model = choice(query, "model", models, models[0], Fault.MODEL)
    modes = wire.models[model]
    mode = choice(query, "mode", tuple(Mode), modes[0])
    if mode not in modes:
        raise BadMessage(f"model {model} has no mode {mode}: use {', '.join(modes)}, or model {models[0]}", Fault.SETUP)
    language = query.get("language-code") or query.get("language_code", "") if wire.names_language else ""
    rate = choice(query, "sample_rate", ("16000", "8000"), "")
    return Options(
        wire=wire,
        model=model,
        mode=mode,
        source=language_of(language.strip()),
        codec=choice(query, "input_audio_codec", tuple(Codec), Codec.WAV),
        sample_rate_hz=int(rate) if rate else None,
        vad_signals=flag(query, "vad_signals") or False,
        flushes=flag(query, "flush_signal") is not False,
        keywords=key_terms(query.get("keyterms", "")),
        listen=tuned(query, listen),
    )


S = TypeVar("S", bound=str)


def choice(query: Mapping[str, str], name: str, values: tuple[S, ...], default: S, fault: Fault = Fault.SETUP) -> S:
    """A parameter that has one of a few values. Raises BadMessage."""
    text = query.get(name, "").strip()
    if not text:
        return default
    for value in values:
        if value == text:
            return value
    raise BadMessage(f"unknown {name} '{quoted(text)}': use one of {', '.join(values)}", fault)
