"""What the address of a realtime socket asks for, and how a message changes it later; wrong values are told by name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from dragoman.config.settings import ListenSettings
from dragoman.models.plan import TargetWish
from dragoman.pipeline.audio.formats import AudioFormat, Encoding, pcm
from dragoman.server.commands import Key, Open
from dragoman.server.failures import BadMessage, Fault, quoted
from dragoman.server.protocols.sarvam.languages import language_of
from dragoman.server.protocols.sarvam.prompts import key_terms, terms_of
from dragoman.server.protocols.sarvam.query import Mode, choice
from dragoman.server.protocols.sarvam.vad import FRAME_MS, MAX_FRAMES, MAX_PAD_FRAMES, flag, ratio

MODELS = ("saaras:v3-realtime", "saaras:v4")
MAX_MS = MAX_FRAMES * FRAME_MS
MAX_PADDING_MS = MAX_PAD_FRAMES * FRAME_MS
HYSTERESIS = 0.15
"""How far under the threshold a frame is silent: the distance that Silero's own iterator keeps."""

_MODES = (Mode.TRANSCRIBE, *(mode for mode in Mode if mode is not Mode.TRANSCRIBE))
_COUNT = re.compile(r"[0-9]{1,9}")


class StreamType(StrEnum):
    """How partial transcripts come: early, better, or not at all."""

    FAST = "fast"
    BALANCED = "balanced"
    SIMULATED = "simulated"


class Endpointing(StrEnum):
    """Who says where turns begin and end: the detector or the client."""

    VAD = "vad"
    MANUAL = "manual"


ENCODINGS = {
    "linear16": (Encoding.S16LE, 2),
    "linear32": (Encoding.S32LE, 4),
    "mulaw": (Encoding.ULAW, 1),
    "alaw": (Encoding.ALAW, 1),
}
"""Ours by the vendor's, and the bytes of a sample."""

VAD_FIELDS = frozenset({"threshold", "silence_duration_ms", "min_speech_duration_ms"})
UPDATABLE = frozenset({"language_code", "prompt", "mode", "stream_type", "endpointing"}) | VAD_FIELDS


@dataclass(frozen=True, slots=True)
class Config:
    """A valid configuration. `language_code` is the client's own word for `source`; what is None is the operator's."""

    language_code: str
    source: str | None
    model: str
    stream_type: StreamType
    mode: Mode
    prompt: str
    keyterms: tuple[str, ...]
    endpointing: Endpointing
    encoding: str
    sample_rate_hz: int
    return_timestamps: bool
    threshold: float | None
    prefix_padding_ms: int | None
    silence_duration_ms: int | None
    min_speech_duration_ms: int | None

    @property
    def manual(self) -> bool:
        """Whether the client says where turns begin and end."""
        return self.endpointing is Endpointing.MANUAL

    @property
    def keywords(self) -> tuple[str, ...]:
        """Terms to expect."""
        return (*self.keyterms, *terms_of(self.prompt))

    @property
    def audio_format(self) -> AudioFormat:
        """How the client's samples are written."""
        return pcm(self.sample_rate_hz, ENCODINGS[self.encoding][0])

    @property
    def bytes_per_s(self) -> int:
        """How many bytes a second of audio has."""
        return self.sample_rate_hz * ENCODINGS[self.encoding][1]


def parse_config(query: Mapping[str, str]) -> Config:
    """Read the parameters of a socket. Raises BadMessage."""
    language = query.get("language_code", "").strip()
    if not language:
        raise BadMessage("language_code is missing: use auto or a code such as hi-IN", Fault.SETUP)
    return Config(
        language_code=language,
        source=language_of(language, "language_code"),
        model=choice(query, "model", MODELS, MODELS[0], Fault.MODEL),
        stream_type=choice(query, "stream_type", tuple(StreamType), StreamType.BALANCED),
        mode=choice(query, "mode", _MODES, _MODES[0]),
        prompt=query.get("prompt", ""),
        keyterms=key_terms(query.get("keyterms", "")),
        endpointing=choice(query, "endpointing", tuple(Endpointing), Endpointing.VAD),
        encoding=choice(query, "encoding", tuple(ENCODINGS), "linear16"),
        sample_rate_hz=int(choice(query, "sample_rate", ("16000", "8000"), "16000")),
        return_timestamps=flag(query, "return_timestamps") or False,
        threshold=ratio(query, "threshold"),
        prefix_padding_ms=_milliseconds(query, "prefix_padding_ms", MAX_PADDING_MS),
        silence_duration_ms=_milliseconds(query, "silence_duration_ms"),
        min_speech_duration_ms=_milliseconds(query, "min_speech_duration_ms"),
    )


def updated(config: Config, fields: Mapping[str, Any]) -> tuple[Config, list[str]]:
    """The configuration with what a message changes, and the names of what was. Raises BadMessage for a wrong value.

    The detector's settings mean nothing where the client says where turns begin, and are then passed over.
    """
    named = {name: _text(name, value) for name, value in fields.items() if name in UPDATABLE and value is not None}
    endpointing = choice(named, "endpointing", tuple(Endpointing), config.endpointing)
    if endpointing is Endpointing.MANUAL:
        named = {name: text for name, text in named.items() if name not in VAD_FIELDS}
    stream_type = choice(named, "stream_type", tuple(StreamType), config.stream_type)
    if (stream_type is StreamType.SIMULATED) != (config.stream_type is StreamType.SIMULATED):
        raise BadMessage("stream_type cannot change to or from simulated while the connection is open", Fault.SETUP)
    language = named.get("language_code", "").strip() or config.language_code
    silence = _milliseconds(named, "silence_duration_ms")
    least = _milliseconds(named, "min_speech_duration_ms")
    threshold = ratio(named, "threshold")
    changed = replace(
        config,
        language_code=language,
        source=language_of(language, "language_code"),
        stream_type=stream_type,
        mode=choice(named, "mode", _MODES, config.mode),
        prompt=named.get("prompt", config.prompt),
        endpointing=endpointing,
        threshold=config.threshold if threshold is None else threshold,
        silence_duration_ms=config.silence_duration_ms if silence is None else silence,
        min_speech_duration_ms=config.min_speech_duration_ms if least is None else least,
    )
    return changed, sorted(named)


def listening(config: Config, base: ListenSettings) -> ListenSettings:
    """How a session listens. What the client does not name is the operator's."""
    if config.manual:
        # Everything that is fed is speech, until a flush; the adapter feeds nothing else.
        every = {"threshold": 0.0, "negative_threshold": 0.0, "min_speech_ms": 0, "start_level_dbfs": float("-inf")}
        rest = {"opening_min_speech_ms": 0, "interrupt_min_speech_ms": 0, "ignore_start_ms": 0}
        return base.model_copy(update={**every, **rest})
    update: dict[str, float | int] = {}
    if config.threshold is not None:
        update |= {"threshold": config.threshold, "negative_threshold": max(0.0, config.threshold - HYSTERESIS)}
    if config.prefix_padding_ms is not None:
        update["pre_speech_ms"] = config.prefix_padding_ms
    if config.silence_duration_ms is not None:
        silence_ms = max(1, config.silence_duration_ms)
        update |= {"end_silence_ms": silence_ms, "long_end_silence_ms": silence_ms}
    if config.min_speech_duration_ms is not None:
        update["min_speech_ms"] = config.min_speech_duration_ms
    return base.model_copy(update=update)


def opening(config: Config, key: Key, base: ListenSettings) -> Open:
    """The command that opens a session for a configuration."""
    return Open(
        key,
        config.audio_format,
        None,
        source=config.source,
        targets=(TargetWish("en", speaks=False),) if config.mode is Mode.TRANSLATE else (),
        keywords=config.keywords,
        locks_language=False,
        partials=config.stream_type is not StreamType.SIMULATED,
        latency="low" if config.stream_type is StreamType.FAST else "quality",
        listen=listening(config, base),
    )


def _text(name: str, value: object) -> str:
    """A value of a message as it would stand in an address."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadMessage(f"{name} must be text or a number", Fault.SETUP)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _milliseconds(query: Mapping[str, str], name: str, most: int = MAX_MS) -> int | None:
    text = query.get(name, "").strip()
    if not text:
        return None
    if not _COUNT.fullmatch(text) or int(text) > most:
        raise BadMessage(f"{name} must be an integer from 0 to {most}, not '{quoted(text)}'", Fault.SETUP)
    return int(text)
