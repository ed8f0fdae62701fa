"""`pipeline.translations[]`: what is said in which language, and how."""

from typing import Annotated, ClassVar

from pydantic import Field

from dragoman.server.protocols.palabra.fields import Kept, Language, Languages, Name, number

DEFAULT_LOW, DEFAULT_HIGH = "default_low", "default_high"
"""The vendor's names for a low and a high voice of whatever language is spoken."""


SLOWEST, FASTEST = 0.5, 2.0
"""Factors on the speaking rate that the voices here can do."""
Speed = Annotated[float, number(0.0, FASTEST)]
"""Packaged clients send 0.0 to 2.0. LiveKit's takes 0.5 for the natural rate, the others 1.0: here it is a factor."""


def tempo_of(speed: float | None) -> float:
    """What a `speed` comes to, as a factor on the speaking rate."""
    return 1.0 if speed is None else max(SLOWEST, float(speed))


class SpeechGeneration(Kept):
    """How a translation is spoken. `speed` is a factor on the speaking rate (`tempo_of`); null: 1."""

    voice_id: Name = DEFAULT_LOW
    voice_cloning: bool = False
    speed: Speed | None = None


class Translation(Kept):
    """One target. `speech_generation` null: text only; absent: spoken with the defaults."""

    null_means: ClassVar[frozenset[str]] = frozenset({"speech_generation"})

    target_language: Language
    allowed_source_languages: Languages = Field(default_factory=list)
    translate_partial_transcriptions: bool = False
    speech_generation: SpeechGeneration | None = SpeechGeneration()
