"""One Piper voice, loaded: from a sentence's phonemes to its samples."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from dragoman.config.settings import PiperSettings
from dragoman.models.base import Samples
from dragoman.models.devices import Device
from dragoman.models.embedded import onnx_session
from dragoman.models.engines.piper.phonemes import Phonemizer
from dragoman.models.engines.piper.voice import NAME, PiperVoiceFile, broken
from dragoman.models.errors import EngineFailed, EngineUnavailable
from dragoman.models.memory_errors import ran_out_of_memory

CUDA_REMEDY = (
    "Run `pip uninstall onnxruntime` and `pip install --force-reinstall 'onnxruntime-gpu[cuda,cudnn]'`, or set "
    "engines.piper.device to cpu"
)
PEAK = 0.9
"""Every sentence is brought to this peak, as Piper itself does to 1.0; what resampling adds then finds room."""

_QUIETEST_PEAK = 0.01  # below it, what a voice gives is no speech that should be made louder


class LoadedVoice:
    """A voice with its network in memory. Any number of threads may use it at once.

    `threads` compute one sentence where nothing else is to do; they belong to the voice, and its calls share them.
    Raises EngineUnavailable when the network cannot be loaded, or is not the one that the description describes, and
    EngineFailed when the phonemizer broke, which is no fault of the voice.
    """

    def __init__(
        self, file: PiperVoiceFile, settings: PiperSettings, device: Device, threads: int, phonemizer: Phonemizer
    ) -> None:
        from piper import PiperConfig, PiperVoice  # noqa: PLC0415  (0.15 s that nobody without voices should pay)

        session = _session(file, device, threads)
        _check_inputs(file, session)
        self._file = file
        self._settings = settings
        self._phonemizer = phonemizer
        try:
            self._voice: Any = PiperVoice(session=session, config=PiperConfig.from_dict(dict(file.config)))
            self._with_vowels = _arabic_vowels() if self._voice.config.espeak_voice == "ar" else None
            self._try()
        except EngineFailed:
            raise
        except Exception as error:  # ONNX Runtime's own exceptions have no other base
            raise _fault(file, device, error, "it does not work") from error

    def sentences(self, text: str) -> list[list[int]]:
        """The numbers of the phonemes of each sentence; none for one that has nothing to say."""
        # Between double brackets Piper expects phonemes, but this is what somebody said.
        text = text.replace("[[", " ").replace("]]", " ")
        known = self._file.config["phoneme_id_map"]
        if self._file.phonemizer == "text" and not any(symbol.isupper() for symbol in known):
            text = text.lower()
        found = []
        for phonemes in self._phonemize(text):
            said = [symbol for symbol in phonemes if symbol in known]
            if any(symbol.isalnum() for symbol in said):
                found.append(self._voice.phonemes_to_ids(said))
        return found

    def _phonemize(self, text: str) -> list[list[str]]:
        """As `PiperVoice.phonemize`, but that espeak-ng runs elsewhere."""
        if self._file.phonemizer != "espeak":
            made: list[list[str]] = self._voice.phonemize(text)
            return made
        if self._with_vowels is not None:
            text = self._with_vowels(text)
        config = self._voice.config
        return self._phonemizer.phonemes(config.espeak_voice, text, config.vowel_clusters or ())

    def speak(self, sentence: list[int], speaker: int, tempo: float) -> Samples:
        """The samples of one sentence at the voice's own rate; none where the network gives none.

        Raises ValueError for samples that are no numbers, and what ONNX Runtime raises.
        """
        from piper import SynthesisConfig  # noqa: PLC0415

        chosen = self._settings
        how = SynthesisConfig(
            speaker_id=speaker,
            length_scale=(chosen.length_scale or self._file.length_scale) / tempo,
            noise_scale=chosen.noise_scale if chosen.noise_scale >= 0 else None,
            noise_w_scale=chosen.noise_w_scale if chosen.noise_w_scale >= 0 else None,
        )
        samples = np.asarray(self._voice.phoneme_ids_to_audio(sentence, how), np.float32).reshape(-1)
        peak = float(np.abs(samples).max(initial=0.0))
        if not np.isfinite(peak):
            raise ValueError("the network gives samples that are no numbers")
        return samples * np.float32(PEAK / max(peak, _QUIETEST_PEAK))

    def _try(self) -> None:
        """Say a vowel with the last speaker, which finds what does not fit together now and not in a session."""
        sentences = self.sentences("a") or [self._voice.phonemes_to_ids([])]
        self.speak(sentences[0], len(self._file.speakers) - 1, 1.0)


def _arabic_vowels() -> Callable[[str], str]:
    """What writes the vowels into Arabic, which is written without them: a network inside Piper."""
    from piper import PiperVoice  # noqa: PLC0415
    from piper.tashkeel import TashkeelDiacritizer  # noqa: PLC0415

    return partial(TashkeelDiacritizer(), taskeen_threshold=PiperVoice.taskeen_threshold)


def check_device(device: Device) -> None:
    """Raises EngineUnavailable where the installed ONNX Runtime cannot compute there."""
    if device.kind == "cpu":
        return
    import onnxruntime  # noqa: PLC0415

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        raise EngineUnavailable(NAME, "the installed onnxruntime cannot use CUDA", CUDA_REMEDY)
    if hasattr(onnxruntime, "preload_dlls"):  # finds the CUDA libraries that came as Python packages
        onnxruntime.preload_dlls()


def _session(file: PiperVoiceFile, device: Device, threads: int) -> Any:
    if device.kind == "cpu":
        try:
            return onnx_session(NAME, file.model, threads=threads, remedy="")
        except EngineUnavailable as error:
            raise _fault(file, device, error.__cause__ or error, "it cannot be loaded") from error
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors arrive as exceptions
    # Sentences are of any length: a search for the best algorithm for each length would take longer than the sentence.
    cuda = {
        "device_id": device.index,
        "cudnn_conv_algo_search": "HEURISTIC",
        "arena_extend_strategy": "kSameAsRequested",
    }
    try:
        session = onnxruntime.InferenceSession(
            str(file.model), sess_options=options, providers=[("CUDAExecutionProvider", cuda), "CPUExecutionProvider"]
        )
    except Exception as error:
        raise _fault(file, device, error, f"it cannot be loaded on {device}") from error
    if session.get_providers()[0] != "CUDAExecutionProvider":
        # ONNX Runtime then uses the processor without a word.
        raise EngineUnavailable(NAME, f"{device} cannot be used (its libraries do not load)", CUDA_REMEDY)
    return session


def _fault(file: PiperVoiceFile, device: Device, error: BaseException, what: str) -> EngineUnavailable:
    if ran_out_of_memory(error):
        reason = f"the voice {file.key} does not fit into the memory of {device}"
        return EngineUnavailable(NAME, reason, "Remove voices that nobody needs: dragoman models rm NAME")
    told = str(error).replace(str(file.model), file.model.name)  # it may be shown to a client
    return broken(file.key, f"{what} ({told})")


def _check_inputs(file: PiperVoiceFile, session: Any) -> None:
    names = {given.name for given in session.get_inputs()}
    if not names >= {"input", "input_lengths", "scales"}:
        raise broken(file.key, f"its network is not Piper's: it takes {', '.join(sorted(names))}")
    if ("sid" in names) != (len(file.speakers) > 1):
        takes = "takes" if "sid" in names else "takes no"
        raise broken(file.key, f"its num_speakers is {len(file.speakers)}, and its network {takes} number of a speaker")
