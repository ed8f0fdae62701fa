"""What a start message asks for; wrong values are told by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dragoman.models.plan import TargetWish
from dragoman.pipeline.audio.formats import AudioFormat
from dragoman.server.failures import BadMessage, Fault, quoted
from dragoman.server.protocols.soniox.context import parse_context
from dragoman.server.protocols.soniox.endpoints import Endpoints, parse_endpoints
from dragoman.server.protocols.soniox.formats import FILES, input_format
from dragoman.server.protocols.soniox.languages import LANGUAGES
from dragoman.server.protocols.soniox.messages import Start, TranscriptionStart, convert
from dragoman.server.protocols.soniox.models import Model, find_async_model, find_model
from dragoman.server.protocols.soniox.translation import Translating, parse_translation

MAX_REFERENCE = 256
"""Characters of a `client_reference_id`."""


@dataclass(frozen=True, slots=True)
class Request:
    """A valid start. `candidates` are the languages that may be spoken, none for any; `endpoints` None: not wanted.

    `identifies`: tokens say their language; so they do where something is translated.
    """

    input_format: AudioFormat
    targets: tuple[TargetWish, ...] = ()
    candidates: frozenset[str] = frozenset()
    keywords: tuple[str, ...] = ()
    endpoints: Endpoints | None = None
    identifies: bool = False
    diarizes: bool = False
    shows_non_finals: bool = True
    model: str = ""
    reference: str = ""


def parse_start(message: dict[str, Any]) -> Request:
    """Read a start message. Raises BadMessage naming the field that is wrong."""
    start: Start = convert(message, Start, "start message")
    model = find_model(start.model)
    endpoints = parse_endpoints(start, model)
    sound = input_format(start.audio_format, start.sample_rate, start.num_channels)
    return _request(start, model, sound, endpoints if start.enable_endpoint_detection else None)


def parse_transcription(message: dict[str, Any]) -> tuple[TranscriptionStart, Request]:
    """Read what is to be done with a file, whose format its bytes say. Raises BadMessage."""
    start: TranscriptionStart = convert(message, TranscriptionStart, "request")
    return start, _request(start, find_async_model(start.model), FILES["auto"], None)


def _request(start: Start, model: Model, sound: AudioFormat, endpoints: Endpoints | None) -> Request:
    context = parse_context(start.context)
    if start.client_reference_id is not None and len(start.client_reference_id) > MAX_REFERENCE:
        raise BadMessage(f"client_reference_id is longer than {MAX_REFERENCE} characters", Fault.SETUP)
    hints, translating = _hints(start.language_hints), _translating(start, context.translations)
    return Request(
        input_format=sound,
        targets=translating.targets,
        # A hint is more than the vendor makes of it, strict or not: the recogniser chooses among these.
        candidates=hints | translating.sides,
        keywords=context.terms,
        endpoints=endpoints,
        identifies=bool(start.enable_language_identification or translating.targets),
        diarizes=bool(start.enable_speaker_diarization),
        shows_non_finals=start.enable_non_final_tokens is not False,
        model=model.model_id,
        reference=start.client_reference_id or "",
    )


def _translating(start: Start, terms: Mapping[str, str]) -> Translating:
    return Translating(()) if start.translation is None else parse_translation(start.translation, terms)


def _hints(codes: list[str] | None) -> frozenset[str]:
    for number, code in enumerate(codes or []):
        if code not in LANGUAGES:
            raise BadMessage(f"language_hints holds '{quoted(code)}', which is not a supported code", Fault.SETUP)
        if code in (codes or [])[:number]:
            raise BadMessage(f"language_hints holds {code} twice", Fault.SETUP)
    return frozenset(codes or [])
