"""Who speaks, by the speaker models that sherpa-onnx publishes: those of WeSpeaker and 3D-Speaker, on ONNX Runtime.

Such a model is one ONNX file that takes the logarithms of 80 mel bands (Kaldi's, computed by kaldi-native-fbank) and
says in its metadata who made it. They are computed here as its makers do for training, mean taken away; sherpa-onnx
itself leaves the mean in for WeSpeaker's models and has windows and bands of its own, and brings a second ONNX Runtime
(37 MB), so that it is not used. Its NeMo models need other features and are refused.

    https://github.com/k2-fsa/sherpa-onnx/releases/tag/speaker-recongition-models
    https://github.com/wenet-e2e/wespeaker     wespeaker/bin/infer_onnx.py
    https://github.com/modelscope/3D-Speaker   speakerlab/process/processor.py
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragoman.models.base import SAMPLE_RATE_HZ, Batching, Samples, Voiceprint
from dragoman.models.embedded import onnx_session
from dragoman.models.errors import EngineFailed, EngineUnavailable
from dragoman.models.files.onnx_file import check_onnx_file

NAME = "onnx-speakers"
BANDS = 80

LEAST_S = 0.5
"""Shorter pieces are repeated up to this: some networks need a few frames to look at."""

WINDOWS: Mapping[str, str] = MappingProxyType({"wespeaker": "hamming", "3d-speaker": "povey"})
"""The window that is put over each frame, by the `framework` of the model's metadata."""

_INT16 = 32_768.0
_PULL = "Run `dragoman models pull {}` again"


class OnnxSpeakerEmbedder:
    """The voices that one installed model tells apart; any number of threads may call it at once.

    `folder` has a folder for each installed model with its one `.onnx` file in it; `model` names the one to load, the
    first by name where it is empty. `threshold` is in the middle of what the makers and users of these models take.
    Raises EngineUnavailable when none is there, or it is none of these models.
    """

    name = NAME
    batching = Batching(workers=2)
    shortest_s = 1.0

    def __init__(self, folder: Path, model: str = "", *, threshold: float = 0.4) -> None:
        file = _find(folder, model)
        self.model_name = file.parent.name
        self.threshold = threshold
        self._session: Any = onnx_session(self._label, file, threads=1, remedy=self._remedy)
        try:
            facts: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
            self._check(facts)
            self._window = WINDOWS[facts["framework"]]
            # WeSpeaker counts in 16-bit numbers and does not say so; after the logarithm and without the mean, only
            # silence can tell.
            self._scale = np.float32(1.0 if facts.get("normalize_samples") == "1" else _INT16)
            self.embed([np.random.default_rng(0).standard_normal(SAMPLE_RATE_HZ, np.float32) * np.float32(0.1)])
        except EngineFailed as error:
            raise EngineUnavailable(self._label, f"it does not work ({error.reason})", self._remedy) from error
        except ModuleNotFoundError as error:
            remedy = "Run `pip install kaldi-native-fbank`"
            raise EngineUnavailable(self._label, f"the package {error.name} is not installed", remedy) from error

    @property
    def _label(self) -> str:
        return f"speaker model {self.model_name}"

    @property
    def _remedy(self) -> str:
        return _PULL.format(self.model_name)

    def embed(self, pieces: Sequence[Samples]) -> list[Voiceprint]:
        """The voice of each piece of speech, as unit vectors. Raises EngineFailed, also after `close`."""
        if self._session is None:
            raise EngineFailed(NAME, "it is closed")
        return [self._voice(self._session, piece) for piece in pieces]

    def close(self) -> None:
        """Let go of the network. May be called again."""
        self._session = None

    def _check(self, facts: Mapping[str, str]) -> None:
        """Raises EngineUnavailable where the model takes something else than what `_voice` gives it."""
        framework, rate = facts.get("framework", ""), facts.get("sample_rate", str(SAMPLE_RATE_HZ))
        inputs = self._session.get_inputs()
        if framework not in WINDOWS:
            made = f"is made for {framework}" if framework else "does not say who made it"
            known = " or ".join(WINDOWS)
            raise EngineUnavailable(self._label, f"it {made}", f"Take a model of {known}")
        if rate != str(SAMPLE_RATE_HZ):
            raise EngineUnavailable(self._label, f"it takes audio of {rate} Hz", "Take a model for 16000 Hz")
        if len(inputs) != 1 or len(inputs[0].shape) != 3 or inputs[0].shape[2] != BANDS:
            raise EngineUnavailable(self._label, f"it does not take {BANDS} mel bands", "Take another model")

    def _voice(self, session: Any, piece: Samples) -> Voiceprint:
        features = mel_bands(_prepared(piece) * self._scale, self._window)
        features -= features.mean(axis=0)
        try:
            voices = session.run(None, {session.get_inputs()[0].name: features[np.newaxis]})[0]
            voice = np.asarray(voices, np.float32).reshape(-1)
        except Exception as error:
            raise EngineFailed(NAME, str(error)) from error
        length = float(np.linalg.norm(voice))
        if not np.isfinite(length) or not length:
            raise EngineFailed(NAME, "it gave no vector")
        found: Voiceprint = np.asarray(voice / length, np.float32)
        return found


def mel_bands(samples: Samples, window: str) -> NDArray[np.float32]:
    """The logarithms of 80 mel bands from 20 Hz to 8 kHz, shape (frames, 80), over 25 ms every 10 ms, as Kaldi gives
    them (no dither, only whole frames). `samples` at 16 kHz, at least 25 ms of them."""
    import kaldi_native_fbank  # noqa: PLC0415  (nobody without such a model needs it)

    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.samp_freq = SAMPLE_RATE_HZ
    options.frame_opts.dither = 0.0
    options.frame_opts.window_type = window
    options.frame_opts.snip_edges = True
    options.mel_opts.num_bins = BANDS
    options.mel_opts.low_freq = 20.0
    options.mel_opts.high_freq = 0.0  # counted from the Nyquist frequency
    bank = kaldi_native_fbank.OnlineFbank(options)
    bank.accept_waveform(SAMPLE_RATE_HZ, samples)
    bank.input_finished()
    return np.stack([bank.get_frame(number) for number in range(bank.num_frames_ready)])


def _prepared(piece: Samples) -> Samples:
    clean = np.nan_to_num(np.asarray(piece, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    least = round(LEAST_S * SAMPLE_RATE_HZ)
    return clean if len(clean) >= least else np.resize(clean, least)


def _find(folder: Path, model: str) -> Path:
    """The file of the wanted model. Raises EngineUnavailable."""
    if not model:
        installed = sorted(path for path in folder.glob("[!.]*") if path.is_dir())
        if not installed:
            raise EngineUnavailable(NAME, f"there is no model in {folder}", "Run `dragoman models pull NAME`")
        model = installed[0].name
    elif not (folder / model).is_dir():
        raise EngineUnavailable(NAME, f"there is no model '{model}' in {folder}", f"Run `dragoman models pull {model}`")
    label, remedy = f"speaker model {model}", _PULL.format(model)
    files = sorted((folder / model).glob("*.onnx"))
    if len(files) != 1:
        raise EngineUnavailable(label, f"its folder has {len(files) or 'no'} .onnx files, not one", remedy)
    try:
        check_onnx_file(files[0])
    except ValueError as error:
        raise EngineUnavailable(label, str(error), remedy) from error
    return files[0]
