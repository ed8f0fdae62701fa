"""A fake embedder whose voices are pitches, and small speaker models in the real form.

What the small models give is the mean of the mel bands over all frames: voices with different spectra are different.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from dragoman.models.base import SAMPLE_RATE_HZ, Batching, Samples, Voiceprint
from dragoman.models.errors import EngineFailed

PITCH_STEP_HZ, LOWEST_HZ, HIGHEST_HZ = 50.0, 800.0, 4000.0
BANDS = 80


class FakeEmbedder:
    """The voice is the loudest frequency of a piece from 800 Hz to 4 kHz: pitches 50 Hz apart are different people."""

    name = "fake-embedder"
    batching = Batching()
    threshold = 0.5
    shortest_s = 1.0

    def __init__(self, *, broken: bool = False) -> None:
        self.pieces: list[Samples] = []
        self.closed = False
        self._broken = broken

    def embed(self, pieces: Sequence[Samples]) -> list[Voiceprint]:
        self.pieces += pieces
        if self._broken:
            raise EngineFailed(self.name, "it is broken")
        return [self._voice(piece) for piece in pieces]

    def close(self) -> None:
        self.closed = True

    @property
    def lengths_s(self) -> list[float]:
        """How long the pieces were."""
        return [len(piece) / SAMPLE_RATE_HZ for piece in self.pieces]

    @staticmethod
    def _voice(piece: Samples) -> Voiceprint:
        lowest, highest = (round(hz / SAMPLE_RATE_HZ * len(piece)) for hz in (LOWEST_HZ, HIGHEST_HZ))
        loudest = lowest + int(np.abs(np.fft.rfft(piece)[lowest:highest]).argmax())
        hz = loudest * SAMPLE_RATE_HZ / len(piece)
        voice = np.zeros(int(SAMPLE_RATE_HZ / 2 / PITCH_STEP_HZ) + 1, np.float32)
        voice[round(hz / PITCH_STEP_HZ)] = 1.0
        return voice


def speaker_model(facts: dict[str, str] | None = None, *, bands: int = BANDS, gain: float = 1.0) -> bytes:
    """An ONNX file that takes `bands` mel bands, (1, T, bands), and gives the root mean square of each, (1, bands)."""
    steps = [
        ("Mul", ["feats", "feats"], "squares"),
        ("ReduceMean", ["squares"], "means"),
        ("Mul", ["means", "gain"], "scaled"),
        ("Sqrt", ["scaled"], "embs"),
    ]
    nodes = [
        helper.make_node(kind, given, [made], **({"axes": [1], "keepdims": 0} if kind == "ReduceMean" else {}))
        for kind, given, made in steps
    ]
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "speaker",
            [helper.make_tensor_value_info("feats", TensorProto.FLOAT, ["B", "T", bands])],
            [helper.make_tensor_value_info("embs", TensorProto.FLOAT, ["B", bands])],
            [onnx.numpy_helper.from_array(np.float32(gain), "gain")],
        ),
        opset_imports=[helper.make_opsetid("", 13)],
    )
    model.ir_version = 8
    helper.set_model_props(model, {"framework": "wespeaker", "sample_rate": "16000"} if facts is None else facts)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def write_speaker_model(folder: Path, name: str, data: bytes, file: str = "model.onnx") -> Path:
    """Put a model where an installed one lies, below `folder`."""
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    (place / file).write_bytes(data)
    return place / file
