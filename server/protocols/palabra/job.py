"""What a task means here: formats, engines' languages, voices, and which messages are wanted."""

from dataclasses import dataclass

from dragoman.config.settings import ListenSettings
from dragoman.models.plan import TargetWish
from dragoman.pipeline.audio.formats import AudioFormat, ogg_opus, pcm
from dragoman.pipeline.latency import Latency
from dragoman.server.commands import Key, Open
from dragoman.server.protocols.palabra.fields import tempo_of
from dragoman.server.protocols.palabra.languages import AUTO, base_of
from dragoman.server.protocols.palabra.task import PARTIAL, HearingFields, InputStream, TargetFields, Task
from dragoman.server.protocols.palabra.voices import Abilities, Choice

OUTPUT_HZ = 24_000
"""Audio goes out at this rate, in one channel, whatever a task says."""

VOICE_NOT_FOUND = "VOICE_NOT_FOUND"
NOT_SERVED = "NOT_SERVED"


@dataclass(frozen=True, slots=True)
class Operator:
    """What the operator chose, where a task says nothing."""

    listen: ListenSettings
    latency: Latency


@dataclass(frozen=True, slots=True)
class Tongue:
    """One target. `spelled` is its code as the client wrote it, `partials` whether growing translations are wanted."""

    spelled: str
    language: str
    speaks: bool
    partials: bool


@dataclass(frozen=True, slots=True)
class Job:
    """A task that can be tried: how its session is opened (under any key), and how its outputs are told."""

    opening: Open
    tongues: tuple[Tongue, ...]
    source: str
    """The source language as it was spelled; empty where it is detected."""
    wanted: frozenset[str]
    """Types of messages, beside those that are always sent."""
    packed: bool
    """Whether each message of audio is compressed by zlib."""
    warnings: tuple[tuple[str, str], ...]
    """Codes and texts of what is not done as the task says."""

    def language_of(self, language: str) -> str:
        """A spoken language as messages spell it."""
        return self.source if base_of(self.source) == language else language


def make_job(task: Task, abilities: Abilities, operator: Operator, key: Key) -> Job:
    """Raises NotReady while the engines are being loaded."""
    heard = task.pipeline.transcription if task.hears else None
    warnings: list[tuple[str, str]] = []
    wishes, tongues = [], []
    for translation in task.pipeline.translations:
        wish, found = _wish(translation, heard, abilities, speech=task.output_stream is not None)
        warnings += found
        wishes.append(wish)
        tongues.append(
            Tongue(
                translation.target_language,
                wish.language or "",
                wish.speaks,
                translation.translate_partial_transcriptions,
            )
        )
    wanted = frozenset(task.pipeline.allowed_message_types)
    spelled = heard.source_language if heard is not None else AUTO
    opening = Open(
        key,
        _input_format(task.input_stream),
        pcm(OUTPUT_HZ) if task.output_stream is not None else None,
        source=base_of(spelled),
        targets=tuple(wishes),
        candidates=_bases(heard.detectable_languages) - _ignored(heard) if heard is not None else frozenset(),
        locks_language=heard is None or not heard.force_detect_language,
        partials=PARTIAL in wanted,
        latency=_latency(heard, operator),
        listen=_listen(heard, operator),
        hears=heard is not None,
    )
    packed = task.output_stream is not None and task.output_stream.target.format == "zlib_pcm_s16le"
    source = spelled if base_of(spelled) else ""
    return Job(opening, tuple(tongues), source, wanted, packed, tuple(warnings))


def _wish(
    translation: TargetFields, heard: HearingFields | None, abilities: Abilities, *, speech: bool
) -> tuple[TargetWish, list[tuple[str, str]]]:
    """A target for the engines, and what the client should know about it."""
    target = base_of(translation.target_language) or ""
    spoken = translation.speech_generation
    choice, warnings = Choice(None), []
    if speech and spoken is not None:
        choice = abilities.voice(spoken.voice_id, target)
        if choice.complaint is not None:
            warnings.append((VOICE_NOT_FOUND, f"{translation.target_language}: {choice.complaint}"))
        if spoken.voice_cloning:
            text = f"{translation.target_language}: voices are not cloned here; a voice of the catalogue is used"
            warnings.append((NOT_SERVED, text))
    wish = TargetWish(
        target,
        sources=_bases(translation.allowed_source_languages),
        # What is spoken in the target language already is not said again.
        excluded=_ignored(heard) | {target},
        voice_id=choice.voice_id,
        speaks=speech and spoken is not None,
        tempo=tempo_of(spoken.speed if spoken is not None else None),
        lenient=heard is not None and base_of(heard.source_language) is None,
    )
    return wish, warnings


def _input_format(stream: InputStream | None) -> AudioFormat:
    if stream is None:
        return pcm(OUTPUT_HZ)  # nothing will be fed
    source = stream.source
    return ogg_opus() if source.format == "opus" else pcm(source.sample_rate, channels=source.channels)


def _listen(heard: HearingFields | None, operator: Operator) -> ListenSettings | None:
    """The silence that confirms a segment, if the task names one."""
    if heard is None or (silence_s := heard.segment_confirmation_silence_threshold) is None:
        return None
    silence_ms = round(silence_s * 1000)
    long_ms = min(operator.listen.long_end_silence_ms, silence_ms)
    return operator.listen.model_copy(update={"end_silence_ms": silence_ms, "long_end_silence_ms": long_ms})


def _latency(heard: HearingFields | None, operator: Operator) -> Latency:
    """What the task says; who wants speech to be confirmed by silence only gets whole sentences between pauses."""
    if heard is not None and heard.latency is not None:
        return heard.latency
    patient = heard is not None and (heard.only_confirm_by_silence or not heard.sentence_splitter.enabled)
    return "quality" if patient else operator.latency


def _ignored(heard: HearingFields | None) -> frozenset[str]:
    return _bases(heard.advanced.ignore_languages) if heard is not None else frozenset()


def _bases(codes: list[str]) -> frozenset[str]:
    return frozenset(base for code in codes if (base := base_of(code)) is not None)
