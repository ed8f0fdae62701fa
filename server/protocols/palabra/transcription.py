"""`pipeline.transcription`: how speech is heard. Defaults are the vendor's."""

from typing import Annotated

from pydantic import Field

from dragoman.pipeline.latency import Latency
from dragoman.server.protocols.palabra.fields import Kept, Languages, SourceLanguage, number


class SentenceSplitter(Kept):
    """Whether speech is confirmed before the speaker pauses."""

    enabled: bool = True


class Advanced(Kept):
    """The rest."""

    ignore_languages: Languages = Field(default_factory=list)


class Transcription(Kept):
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
