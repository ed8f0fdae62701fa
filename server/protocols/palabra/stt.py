"""The socket of `Palabra.stt()`: audio in binary frames, what is said and its translations out, without a voice.

Everything that is asked for stands in the URL. There is no message for the end of the audio: the client hangs up, or
falls silent, after which the rest is told and the socket closes.

`{"message_type": "finalize"}` ends what is being said: the piece that closes with it ends in `<fin>`, and `<fin>` alone
comes where nothing was left to tell. The vendor's pages do not have it; its integrations for Wyoming, OpenAI Agents,
jambonz and Vapi send it and wait for the answer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Annotated

import msgspec
from pydantic import AfterValidator, Field, ValidationError

from dragoman.models.plan import TargetWish
from dragoman.pipeline.audio.formats import AudioFormat, Container, Encoding, alaw, media, pcm, ulaw, wav
from dragoman.pipeline.events import Event, Recognised, Transcript, Translated, Translation
from dragoman.pipeline.latency import Latency
from dragoman.server.commands import Close, Command, Feed, FlushInput, Key, Open, Output, Send
from dragoman.server.failures import BadMessage, Fault, IdleTooLong, quoted
from dragoman.server.protocols.palabra import parsing
from dragoman.server.protocols.palabra.adapter import SILENCE_S
from dragoman.server.protocols.palabra.errors import (
    GOING_AWAY,
    VALIDATION_ERROR,
    error_message,
    error_of,
)
from dragoman.server.protocols.palabra.fields import Language, SourceLanguage, Table, explain
from dragoman.server.protocols.palabra.languages import AUTO, base_of
from dragoman.server.protocols.palabra.stream import new_id
from dragoman.server.protocols.palabra.task import MAX_TARGETS
from dragoman.server.protocols.palabra.units import Unit, Units
from dragoman.server.wire import CONTROL_BYTES, BaseAdapter, close_reason

DEFAULT_HZ = 16_000
FINALIZE, FIN = "finalize", "<fin>"
"""The one command, and the mark of its answer."""

_RAW: Mapping[str, Callable[[int], AudioFormat]] = {
    "pcm_s16le": pcm,
    "pcm_f32le": lambda rate_hz: pcm(rate_hz, Encoding.F32LE),
    "pcm_f32be": lambda rate_hz: pcm(rate_hz, Encoding.F32BE),
    "pcm_s32le": lambda rate_hz: pcm(rate_hz, Encoding.S32LE),
    "pcm_s32be": lambda rate_hz: pcm(rate_hz, Encoding.S32BE),
    "mulaw": ulaw,
    "alaw": alaw,
}
_CODED: Mapping[str, AudioFormat] = {
    "wav": wav(),
    **{
        container.value: media(container)
        for container in (Container.AAC, Container.FLAC, Container.MP3, Container.OGG, Container.WEBM)
    },
}
"""Formats that say their rate themselves."""

FORMATS = (*_RAW, *_CODED)


class _Query(Table):
    """The parameters of the URL beside the token."""

    format: Annotated[str, AfterValidator(lambda name: _one_of(FORMATS, name))] = "pcm_s16le"
    sample_rate: Annotated[int, Field(ge=8_000, le=48_000)] = DEFAULT_HZ
    language: SourceLanguage = AUTO
    translate_languages: list[Language] = Field(default_factory=list, max_length=MAX_TARGETS)
    enable_filler_filter: bool = True


@dataclass(frozen=True, slots=True)
class SttRequest:
    """What the URL asks for. `targets` as they are spelled."""

    audio: AudioFormat
    source: str
    targets: tuple[str, ...]


def parse_query(query: Mapping[str, str]) -> SttRequest:
    """Read the parameters. Raises BadMessage naming every one that is wrong."""
    fields: dict[str, object] = {name: value for name, value in query.items() if value}
    if (rate := query.get("sample_rate", "")).isdecimal():
        fields["sample_rate"] = int(rate[:9])
    if targets := query.get("translate_languages"):
        fields["translate_languages"] = [code.strip() for code in targets.split(",") if code.strip()]
    if (filtered := query.get("enable_filler_filter", "").lower()) in ("true", "false"):
        fields["enable_filler_filter"] = filtered == "true"
    try:
        found = _Query.model_validate(fields)
    except ValidationError as error:
        raise BadMessage(explain(error), Fault.SETUP) from error
    raw = _RAW.get(found.format)
    audio = raw(found.sample_rate) if raw is not None else _CODED[found.format]
    targets_once = tuple({code.lower(): code for code in found.translate_languages}.values())
    return SttRequest(audio, found.language, targets_once)


class SttAdapter(BaseAdapter):
    """server.commands.Adapter for the socket; the session opens with the first audio."""

    protocol = "palabra-stt"

    def __init__(self, request: SttRequest, latency: Latency, control_bytes: int = CONTROL_BYTES) -> None:
        super().__init__(control_bytes)
        self._request = request
        self._latency = latency
        self._units = Units(new_id)
        self._shown: dict[tuple[str, str], str] = {}
        """The text that was told last, by its type and language."""
        self._newest: dict[int, tuple[Unit, bool]] = {}
        """By target: what was translated last, and whether that was told to be all of it."""
        self._language = request.source
        """What was spoken last."""
        self._opened = False
        self._flushes = count()
        self._finalizing = 0
        """How many commands to finalize were not answered yet."""
        self._answered = False
        """Whether the oldest of them was, by the end of what it closed."""

    def parse(self, message: str | bytes) -> object:
        """Audio is binary, commands are text."""
        return message if isinstance(message, bytes) else parsing.parse(message, self._control_bytes)

    def receive(self, parsed: object) -> Sequence[Command | Output]:
        """Take one frame."""
        match parsed:
            case bytes():
                return self._audio(parsed)
            case parsing.Command(kind=kind) if kind == FINALIZE:
                return self._finalize()
            case parsing.Unreadable(text=text):
                return [error_message(VALIDATION_ERROR, text)]
            case _:
                kind = parsed.kind if isinstance(parsed, parsing.Command) else parsing.AUDIO
                text = f"message_type: '{quoted(kind)}' is no command here, and audio comes in binary frames"
                return [error_message(VALIDATION_ERROR, text)]

    def _audio(self, data: bytes) -> Sequence[Command | Output]:
        feed = Feed(0, data)
        if self._opened:
            return [feed]
        self._opened = True
        source = base_of(self._request.source)
        bases = [base_of(code) or "" for code in self._request.targets]
        opening = Open(
            0,
            self._request.audio,
            None,
            source=source,
            targets=tuple(
                TargetWish(code, excluded=frozenset({code}), speaks=False, lenient=source is None) for code in bases
            ),
            partials=True,
            latency=self._latency,
        )
        return [opening, feed]

    def event(self, key: Key, event: Event) -> Sequence[Output]:
        """Transcripts and translations; the rest has no message."""
        del key
        match event:
            case Transcript():
                return self._heard(event)
            case Recognised() if event.flush_id is not None:
                return self._finalized(event.at_s)
            case Translation():
                return self._translated(event)
            case Translated():
                return self._closed(event.branch)
            case _:
                return ()

    def failed(self, key: Key | None, error: Exception) -> Sequence[Output]:
        """Say why, and close; a client that has fallen silent is only closed."""
        del key
        code, text, close = error_of(error)
        if isinstance(error, IdleTooLong):
            return [Close(GOING_AWAY, f"no audio for {SILENCE_S:g} s")]
        return [error_message(code, text), Close(close, close_reason(text))]

    def patience_s(self) -> float | None:
        """As long as the vendor waits for audio."""
        return SILENCE_S

    def _finalize(self) -> Sequence[Command | Output]:
        if not self._opened:
            return self._fin(0.0)
        self._finalizing += 1
        return [FlushInput(0, next(self._flushes))]

    def _heard(self, said: Transcript) -> list[Output]:
        self._language = said.language or self._language
        units, supposed = self._units.push(said)
        if units and self._finalizing and said.closes and not said.paused:
            units[-1] = replace(units[-1], text=units[-1].text + FIN)
            self._answered = True
        told = [self._told("transcription", unit, final=True) for unit in units]
        return told + ([self._told("transcription", supposed, final=False)] if supposed is not None else [])

    def _finalized(self, at_s: float) -> list[Output]:
        """All that came before the oldest command has been told."""
        self._finalizing, answered, self._answered = max(0, self._finalizing - 1), self._answered, False
        return [] if answered else self._fin(at_s)

    def _fin(self, at_s: float) -> list[Output]:
        """Nothing was left to tell: the sign alone. It also ends what was supposed and came to nothing."""
        unit = Unit(self._units.abandon(), FIN, self._language, at_s, at_s)
        return [self._told("transcription", unit, final=True)]

    def _translated(self, event: Translation) -> list[Output]:
        """A unit's translation, whole so far; of a unit that is still open it may grow."""
        unit_id, stop_s = self._units.at(event.start_s)
        before, _ = self._newest.get(event.branch, (None, True))
        outputs = self._closed(event.branch) if before is not None and before.unit_id != unit_id else []
        said = before.text if before is not None and before.unit_id == unit_id else ""
        text = f"{said} {event.text}".strip()
        unit = Unit(unit_id, text, self._request.targets[event.branch], event.start_s, event.stop_s)
        final = event.stop_s >= stop_s - 1e-6
        self._newest[event.branch] = unit, final
        return [*outputs, self._told("translated_transcription", unit, final=final)]

    def _closed(self, branch: int) -> list[Output]:
        """Nothing more comes of what was translated last; if that was not told with it, it is now."""
        unit, final = self._newest.pop(branch, (None, True))
        return [self._told("translated_transcription", unit, final=True)] if unit is not None and not final else []

    def _told(self, kind: str, unit: Unit, *, final: bool) -> Output:
        language, asked = unit.language, self._request.source
        before = self._shown.get((kind, language), "")
        self._shown[kind, language] = "" if final else unit.text
        message = {
            "message_type": kind,
            "transcription_id": unit.unit_id,
            "language": asked if base_of(asked) == language else language,
            "is_eos": final,
            "segment": {"text": unit.text, "start_time": round(unit.start_s, 3), "end_time": round(unit.stop_s, 3)},
            "delta": {"text": unit.text.removeprefix(before)},
        }
        return Send(msgspec.json.encode(message).decode())


def _one_of(names: Sequence[str], name: str) -> str:
    if name not in names:
        raise ValueError(f"must be one of {', '.join(names)}")
    return name
