"""The task of `set_task`: what has a meaning here is checked, the rest is kept.

Two tasks are the same when all of it is equal. Defaults are the vendor's.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, ValidationError

from dragoman.pipeline.latency import Latency
from dragoman.server.protocols.palabra.fields import (
    DEFAULT_LOW,
    MAX_DEPTH,
    SPARING,
    BadTask,
    Found,
    Kept,
    Language,
    Languages,
    Name,
    Names,
    SourceLanguage,
    Speed,
    at_most,
    explain,
    listed,
    number,
    too_deep,
)

MAX_TARGETS = 32
GLOBAL = "global"
"""All targets together, where a language may stand."""

PARTIAL = "partial_transcription"
VALIDATED = "validated_transcription"
TRANSLATED = "translated_transcription"
PARTIAL_TRANSLATED = "partial_translated_transcription"
DEFAULT_MESSAGE_TYPES = (TRANSLATED, PARTIAL, VALIDATED)


def _over_socket(value: str) -> str:
    if value != "ws":
        raise ValueError("must be 'ws': only WebSocket is served here" if value == "webrtc" else "must be 'ws'")
    return value


Transport = Annotated[str, AfterValidator(_over_socket)]


class Source(Kept):
    """How the client's audio is written down."""

    type: Transport
    format: Literal["pcm_s16le", "wav", "opus"] = "pcm_s16le"
    sample_rate: Annotated[int, Field(ge=16_000, le=48_000)] = 24_000
    channels: Annotated[int, Field(ge=1, le=2)] = 1


class Target(Kept):
    """How audio goes out; always at 24 kHz, mono."""

    type: Transport
    format: Literal["pcm_s16le", "zlib_pcm_s16le"] = "pcm_s16le"


class InputStream(Kept):
    """Audio that comes in."""

    content_type: Literal["audio"] = "audio"
    source: Source


class OutputStream(Kept):
    """Audio that goes out."""

    content_type: Literal["audio"] = "audio"
    target: Target


class SentenceSplitter(Kept):
    """Whether speech is confirmed before the speaker pauses."""

    enabled: bool = True


class Advanced(Kept):
    """The rest of `transcription`."""

    ignore_languages: Languages = Field(default_factory=list)


class HearingFields(Kept):
    """How speech becomes text. `segment_confirmation_silence_threshold` None: the operator's.

    `latency`, which the vendor does not have, is an operator's setting of that name, for this task.
    """

    source_language: SourceLanguage
    detectable_languages: Languages = Field(default_factory=list)
    segment_confirmation_silence_threshold: Annotated[float, number(0.3, 2.0)] | None = None
    only_confirm_by_silence: bool = False
    force_detect_language: bool = False
    latency: Latency | None = None
    sentence_splitter: SentenceSplitter = SentenceSplitter()
    advanced: Advanced = Advanced()


class SpeechGeneration(Kept):
    """How a translation is spoken. `speed` is a factor on the speaking rate (`tempo_of`); null: 1."""

    voice_id: Name = DEFAULT_LOW
    voice_cloning: bool = False
    speed: Speed | None = None


class TargetFields(Kept):
    """One target. `speech_generation` null: text only; absent: spoken with the defaults."""

    null_means: ClassVar[frozenset[str]] = frozenset({"speech_generation"})

    target_language: Language
    allowed_source_languages: Languages = Field(default_factory=list)
    translate_partial_transcriptions: bool = False
    speech_generation: SpeechGeneration | None = SpeechGeneration()


class Pipeline(Kept):
    """What is done. `transcription` null: nothing is heard."""

    transcription: HearingFields | None = None
    translations: Annotated[list[Annotated[TargetFields, SPARING]], at_most(MAX_TARGETS)] = Field(default_factory=list)
    allowed_message_types: Names = Field(default_factory=lambda: list(DEFAULT_MESSAGE_TYPES))


class Task(Kept):
    """What a client wants. `input_stream` null: text only comes in; `output_stream` null: text only goes out."""

    input_stream: InputStream | None = None
    output_stream: OutputStream | None = None
    pipeline: Pipeline

    @property
    def hears(self) -> bool:
        """Whether audio is listened to."""
        return self.input_stream is not None and self.pipeline.transcription is not None


def parse_task(data: dict[str, Any]) -> Task:
    """Read the data of `set_task`. Raises BadTask with every wrong field."""
    if too_deep(data):
        raise BadTask(f"it has more than {MAX_DEPTH} objects and lists within each other")
    try:
        task = Task.model_validate(data, context=Found())
    except ValidationError as error:
        raise BadTask(explain(error)) from error
    faults = []
    seen: set[str] = set()
    for number_, translation in enumerate(task.pipeline.translations):
        code = translation.target_language.lower().replace("_", "-")
        if code in seen:
            faults.append((f"pipeline.translations[{number_}].target_language", "is a target already"))
        seen.add(code)
    if faults:
        raise BadTask(listed(faults))
    return task
