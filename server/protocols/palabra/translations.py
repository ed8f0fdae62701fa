"""`pipeline.translations[]` and `pipeline.translation_queue_configs`: what is said in which language, and how."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from dragoman.server.protocols.palabra.fields import (
    Language,
    Languages,
    Name,
    Names,
    Number,
    Phrase,
    Positive,
    Table,
    number,
)

DEFAULT_LOW, DEFAULT_HIGH = "default_low", "default_high"
"""The vendor's names for a low and a high voice of whatever language is spoken."""


SLOWEST, FASTEST = 0.5, 2.0
"""Factors on the speaking rate that the voices here can do."""
Speed = Annotated[float, number(0.0, FASTEST)]
"""Packaged clients send 0.0 to 2.0. LiveKit's takes 0.5 for the natural rate, the others 1.0: here it is a factor."""


def tempo_of(speed: float | None) -> float:
    """What a `speed` comes to, as a factor on the speaking rate."""
    return 1.0 if speed is None else max(SLOWEST, float(speed))


class TimbreDetection(Table):
    """A voice chosen by the speaker's; not done here."""

    enabled: bool = False
    high_timbre_voices: Names = Field(default_factory=lambda: [DEFAULT_HIGH])
    low_timbre_voices: Names = Field(default_factory=lambda: [DEFAULT_LOW])


class SpeechAdvanced(Table):
    """Knobs of the vendor's voices."""

    f0_variance_factor: Number = 1.2
    energy_variance_factor: Number = 1.5
    with_custom_stress: bool = True


class SpeechGeneration(Table):
    """How a translation is spoken. `speed` is a factor on the speaking rate (`tempo_of`); null: 1."""

    tts_model: Name = "auto"
    voice_id: Name = DEFAULT_LOW
    voice_cloning: bool = False
    voice_cloning_mode: Name = "static_10"
    denoise_voice_samples: bool = False
    voice_timbre_detection: TimbreDetection = TimbreDetection()
    speed: Speed | None = None
    speech_tempo_auto: bool = False
    speech_tempo_timings_factor: Number = 0
    speech_tempo_adjustment_factor: Number = 0.75
    advanced: SpeechAdvanced = SpeechAdvanced()


class TranslationAdvanced(Table):
    """Nothing is known of it."""


class Translation(Table):
    """One target. `speech_generation` null: text only; absent: spoken with the defaults."""

    null_means: ClassVar[frozenset[str]] = frozenset({"speech_generation"})

    target_language: Language
    allowed_source_languages: Languages = Field(default_factory=list)
    translation_model: Name = "auto"
    allow_translation_glossaries: bool = True
    allowed_translation_glossary_ids: Names | None = None
    style: Phrase | None = None
    translate_partial_transcriptions: bool = False
    speech_generation: SpeechGeneration | None = SpeechGeneration()
    advanced: TranslationAdvanced = TranslationAdvanced()


class QueueConfig(Table):
    """How the vendor keeps up with the speaker; here the operator's `[speak]` settings do."""

    desired_queue_level_ms: Positive = 5000
    max_queue_level_ms: Positive = 20000
    auto_tempo: bool = True
    min_tempo: Positive = 1.15
    max_tempo: Positive = 1.45
    auto_tempo_max_delay_ms: Positive = 250
    tempo_decay: Positive = 0.35
    tempo_smoothing: Positive = 0.005

    @model_validator(mode="after")
    def _levels(self) -> Self:
        if self.max_queue_level_ms <= self.desired_queue_level_ms:
            raise ValueError("max_queue_level_ms must be more than desired_queue_level_ms")
        return self
