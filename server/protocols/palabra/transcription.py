"""`pipeline.transcription` and `pipeline.preprocessing`: how speech is heard.

Defaults are the vendor's. What has no meaning here is checked all the same, and comes back in `current_task`.
"""

from typing import Annotated

from pydantic import Field

from dragoman.pipeline.latency import Latency
from dragoman.server.protocols.palabra.fields import (
    Languages,
    Name,
    Names,
    Number,
    Phrase,
    Positive,
    SourceLanguage,
    Table,
    number,
)

Ratio = Annotated[float, number(0, 1)]


class SplitterAdvanced(Table):
    """When the vendor's splitter looks for the end of a sentence."""

    min_sentence_characters: Positive = 80
    min_sentence_seconds: Positive = 4
    min_split_interval: Positive = 0.6
    context_size: Positive = 30
    segments_after_restart: Positive = 15
    step_size: Positive = 5
    max_steps_without_eos: Positive = 3
    force_end_of_segment: Positive = 0.5
    force_split_min_characters: Positive = 100
    force_split_min_seconds: Positive = 6


class SentenceSplitter(Table):
    """Whether speech is confirmed before the speaker pauses."""

    enabled: bool = True
    splitter_model: Name = "auto"
    advanced: SplitterAdvanced = SplitterAdvanced()


class Verification(Table):
    """Correction of what was recognised; there is none here."""

    verification_model: Name = "auto"
    allow_verification_glossaries: bool = True
    allowed_verification_glossary_ids: Names | None = None
    auto_transcription_correction: bool = False
    transcription_correction_style: Phrase | None = None


class FillerPhrases(Table):
    """Phrases said while the speaker is waited for; there are none here."""

    enabled: bool = False
    min_transcription_len: Positive = 40
    min_transcription_time: Positive = 3
    phrase_chance: Ratio = 0.5


class TranscriptionAdvanced(Table):
    """The rest."""

    filler_phrases: FillerPhrases = FillerPhrases()
    ignore_languages: Languages = Field(default_factory=list)


class Transcription(Table):
    """How speech becomes text. `segment_confirmation_silence_threshold` None: the operator's.

    `latency`, which the vendor does not have, is an operator's setting of that name, for this task.
    """

    source_language: SourceLanguage
    detectable_languages: Languages = Field(default_factory=list)
    asr_model: Name = "auto"
    denoise: Name = "none"
    allow_hotwords_glossaries: bool = True
    allowed_hotwords_glossary_ids: Names | None = None
    suppress_numeral_tokens: bool = False
    supress_numeral_tokens: bool = False
    diarize_speakers: bool = False
    speakers_total: Annotated[int | None, Field(ge=1)] = None
    priority: Name = "normal"
    min_alignment_score: Number = 0.2
    max_alignment_cer: Number = 0.8
    segment_confirmation_silence_threshold: Annotated[float, number(0.3, 2.0)] | None = None
    only_confirm_by_silence: bool = False
    batched_inference: bool = False
    force_detect_language: bool = False
    calculate_voice_loudness: bool = False
    latency: Latency | None = None
    sentence_splitter: SentenceSplitter = SentenceSplitter()
    verification: Verification = Verification()
    advanced: TranscriptionAdvanced = TranscriptionAdvanced()


class Preprocessing(Table):
    """What older clients still send."""

    enable_vad: bool = True
    vad_threshold: Ratio = 0.5
    vad_left_padding: Positive = 1
    vad_right_padding: Positive = 1
    pre_vad_denoise: bool = False
    pre_vad_dsp: bool = True
    record_tracks: Names = Field(default_factory=list)
    auto_tempo: bool = False
    normalize_audio: bool = False
