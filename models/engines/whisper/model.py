"""One Whisper, loaded: the few calls of faster-whisper and CTranslate2 that recognition is made of."""

import logging
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from dragoman.config.settings import WhisperSettings
from dragoman.models.base import Samples
from dragoman.models.devices import Device, choose_compute_type, choose_device
from dragoman.models.engines.whisper.decoding import Decoder, Encoded
from dragoman.models.engines.whisper.features import WINDOW_S, spectrogram
from dragoman.models.engines.whisper.files import NAME, InstalledWhisper, unusable
from dragoman.models.engines.whisper.prompts import Prompter
from dragoman.models.errors import EngineFailed, EngineUnavailable, OutOfMemory
from dragoman.models.memory_errors import ran_out_of_memory

FAULTS = (RuntimeError, ValueError, MemoryError)
"""What CTranslate2 raises."""

_WARM_FRAMES = 100
_NO_SPEECH = ("<|nospeech|>", "<|nocaptions|>")
"""One token's names in newer and in older models."""

_log = logging.getLogger(__name__)


class LoadedWhisper:
    """The model on its device. faster-whisper is imported when the first one is loaded, not before: it takes half a
    second that nobody without a model should pay. Raises EngineUnavailable."""

    def __init__(self, installed: InstalledWhisper, settings: WhisperSettings, device: Device) -> None:
        from faster_whisper import WhisperModel  # noqa: PLC0415
        from faster_whisper.feature_extractor import FeatureExtractor  # noqa: PLC0415

        self.device = device
        compute_type = choose_compute_type(settings.compute_type, device, NAME)
        try:
            self.model: Any = WhisperModel(
                str(installed.folder),
                device=device.kind,
                device_index=device.index,
                compute_type=compute_type,
                cpu_threads=settings.threads or max(1, _cores() // settings.workers),
                num_workers=settings.workers,
                local_files_only=True,
            )
        except Exception as error:  # broken tokenizers raise bare Exception
            raise _load_error(installed, device, error) from error
        self._check(installed)
        self._extractor: Any = FeatureExtractor(feature_size=installed.mels)
        self.prompter = Prompter(self.model, english_only=installed.english_only)
        self.decoder = Decoder(self.model.model, self.prompter.tokenizer("en"), settings)
        try:
            self._warm(installed)
        except FAULTS as error:
            raise _load_error(installed, device, error) from error

    @property
    def compute_type(self) -> str:
        """What the model computes with, as CTranslate2 calls it."""
        return str(self.model.model.compute_type)

    def encode(self, speeches: Sequence[Samples], window_s: int = WINDOW_S) -> Encoded:
        """Encode a batch, all of it in windows of one length. Each is `whisper_features.speech_of` something."""
        import ctranslate2  # noqa: PLC0415

        features = np.stack([spectrogram(self._extractor, speech, window_s) for speech in speeches])
        return Encoded(self.model.model.encode(ctranslate2.StorageView.from_array(features)))

    def detect(self, encoded: Encoded, numbers: Sequence[int]) -> list[dict[str, float]]:
        """The probabilities of Whisper's language codes for those of the batch."""
        found = self.model.model.detect_language(encoded.some(numbers))
        return [{token[2:-2]: float(probability) for token, probability in one} for one in found]

    def _check(self, installed: InstalledWhisper) -> None:
        """Whether the parts belong together: control tokens stand at the same numbers in both vocabularies."""
        tokenizer = self.model.hf_tokenizer
        apart = any(tokenizer.token_to_id(token) != number for token, number in installed.control_tokens.items())
        if apart or all(tokenizer.token_to_id(token) is None for token in _NO_SPEECH):
            raise unusable(installed.folder, "has a tokenizer.json for another vocabulary")
        if self.model.model.is_multilingual == installed.english_only:
            raise unusable(installed.folder, "has a vocabulary that CTranslate2 does not know as a Whisper's")

    def _warm(self, installed: InstalledWhisper) -> None:
        """Write one token of a second of nothing, which finds missing libraries of a device now, not in a session."""
        import ctranslate2  # noqa: PLC0415

        nothing = np.zeros((1, installed.mels, _WARM_FRAMES), np.float32)
        storage = self.model.model.encode(ctranslate2.StorageView.from_array(nothing))
        self.model.model.generate(storage, [self.prompter.prompt("en")], beam_size=1, max_length=2)


def load_whisper(installed: InstalledWhisper, settings: WhisperSettings) -> LoadedWhisper:
    """Load the model where the settings say. With the device "auto", a CUDA device that turns out not to work (its
    libraries are missing, for instance) is left for the processor, which is logged. Raises EngineUnavailable."""
    device = choose_device(settings.device, NAME)
    try:
        return LoadedWhisper(installed, settings, device)
    except EngineUnavailable as error:
        if settings.device != "auto" or device.kind == "cpu":
            raise
        _log.warning("%s; using the processor", error)
    return LoadedWhisper(installed, settings, Device("cpu"))


def failure(error: BaseException) -> EngineFailed:
    """What to tell a session of one of FAULTS."""
    return OutOfMemory(NAME) if ran_out_of_memory(error) else EngineFailed(NAME, _line(error))


def _load_error(installed: InstalledWhisper, device: Device, error: Exception) -> EngineUnavailable:
    if ran_out_of_memory(error):
        reason = f"model {installed.name} does not fit into the memory of {device}"
        return EngineUnavailable(NAME, reason, "Take a smaller model, or engines.whisper.compute_type = int8")
    if device.kind == "cuda":
        remedy = "Install the CUDA 12 libraries that it names, or set engines.whisper.device to cpu"
        return EngineUnavailable(NAME, f"{device} does not work ({_line(error)})", remedy)
    return unusable(installed.folder, f"cannot be loaded ({_line(error)})")


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
