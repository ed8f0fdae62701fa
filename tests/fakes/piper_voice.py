"""Small Piper voices in the real form: an ONNX network and its JSON. What they say is a tone, not speech.

The length follows the number of phonemes and the length scale, the pitch is the speaker's, and the two noise scales
are tones of their own, so that a test can hear every input of the network. `GatedSession` is for timing alone.
"""

import json
import threading
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from tests.waiting import PATIENCE_S

RATE_HZ = 16_000
SAMPLES_PER_SYMBOL = 160
NOISE_HZ, RHYTHM_HZ = 3_000.0, 5_000.0
KEY = "en_US-tester-medium"


def speaker_hz(number: int) -> float:
    """The pitch of a speaker."""
    return 200.0 + 100.0 * number


@cache
def network(speakers: int = 1, *, sid: bool | None = None, silence: int = 0, gain: float = 0.3) -> bytes:
    """The ONNX file; `silence` samples of nothing stand before and behind the tone.

    It takes a speaker where there are several, or as `sid` says.
    """
    with_sid = speakers > 1 if sid is None else sid
    constants = {
        "zero": np.int64(0), "one": np.int64(1), "two": np.int64(2), "start": np.float32(0), "step": np.float32(1),
        "per_symbol": np.float32(SAMPLES_PER_SYMBOL), "turn": np.float32(2 * np.pi / RATE_HZ),
        "noise_hz": np.float32(NOISE_HZ), "rhythm_hz": np.float32(RHYTHM_HZ), "gain": np.float32(gain),
        "pitches": np.array([speaker_hz(number) for number in range(speakers)], np.float32),
        "first": np.array([0], np.int64), "around": np.array([silence, silence], np.int64),
        "shape": np.array([1, 1, 1, -1], np.int64),
    }  # fmt: skip
    steps = [
        ("Gather", ["scales", "zero"], "noise"), ("Gather", ["scales", "one"], "length"),
        ("Gather", ["scales", "two"], "rhythm"), ("Gather", ["input_lengths", "zero"], "symbols"),
        ("Cast", ["symbols"], "symbols_f"), ("Mul", ["symbols_f", "per_symbol"], "normal"),
        ("Mul", ["normal", "length"], "end"), ("Range", ["start", "end", "step"], "times"),
        ("Mul", ["times", "turn"], "angle"), ("Gather", ["pitches", "sid" if with_sid else "first"], "hz"),
        ("Mul", ["angle", "hz"], "tone_angle"), ("Sin", ["tone_angle"], "tone"),
        ("Mul", ["angle", "noise_hz"], "noise_angle"), ("Sin", ["noise_angle"], "noise_tone"),
        ("Mul", ["noise_tone", "noise"], "noisy"), ("Mul", ["angle", "rhythm_hz"], "rhythm_angle"),
        ("Sin", ["rhythm_angle"], "rhythm_tone"), ("Mul", ["rhythm_tone", "rhythm"], "rhythmic"),
        ("Add", ["tone", "noisy"], "both"), ("Add", ["both", "rhythmic"], "all"), ("Mul", ["all", "gain"], "sound"),
        ("Pad", ["sound", "around"], "padded"), ("Reshape", ["padded", "shape"], "output"),
    ]  # fmt: skip
    nodes = [
        helper.make_node(kind, given, [made], **({"to": TensorProto.FLOAT} if kind == "Cast" else {}))
        for kind, given, made in steps
    ]
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, ["batch_size", "phonemes"]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, ["batch_size"]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    if with_sid:
        inputs.append(helper.make_tensor_value_info("sid", TensorProto.INT64, ["one_speaker"]))
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch_size", 1, 1, "time"])
    fixed = [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    model = helper.make_model(
        helper.make_graph(nodes, "voice", inputs, [output], fixed), opset_imports=[helper.make_opsetid("", 15)]
    )
    model.ir_version = 8
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def description(speakers: dict[str, int] | int = 1, **changes: Any) -> dict[str, Any]:
    """What the JSON says; `changes` replace or add, and take out where they are None."""
    from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

    names = speakers if isinstance(speakers, dict) else {f"p{number}": number for number in range(speakers)}
    whole = {
        "audio": {"sample_rate": RATE_HZ, "quality": "medium"},
        "espeak": {"voice": "en-us"},
        "inference": {"noise_scale": 0.0, "length_scale": 1.0, "noise_w": 0.0},
        "phoneme_type": "espeak",
        "phoneme_map": {},
        "phoneme_id_map": {symbol: list(numbers) for symbol, numbers in DEFAULT_PHONEME_ID_MAP.items()},
        "num_symbols": 256,
        "num_speakers": len(names),
        "speaker_id_map": names if len(names) > 1 else {},
        "piper_version": "1.0.0",
        "language": {"code": "en_US", "family": "en", "country_english": "United States"},
        "dataset": "tester",
    }
    return {name: value for name, value in {**whole, **changes}.items() if value is not None}


def in_language(code: str, espeak: str) -> dict[str, Any]:
    """What the description of a voice for another language says differently."""
    return {"language": {"code": code, "family": code[:2], "country_english": ""}, "espeak": {"voice": espeak}}


def write_voice(
    folder: Path,
    key: str = KEY,
    *,
    speakers: dict[str, int] | int = 1,
    onnx_file: bytes | None = None,
    json_file: bytes | None = None,
    **changes: Any,
) -> Path:
    """Write a voice into a folder of its own below `folder`; gives where its network is."""
    count = len(speakers) if isinstance(speakers, dict) else speakers
    place = folder / key
    place.mkdir(parents=True)
    model = place / f"{key}.onnx"
    model.write_bytes(network(count) if onnx_file is None else onnx_file)
    described = json.dumps(description(speakers, **changes)).encode() if json_file is None else json_file
    model.with_name(f"{key}.onnx.json").write_bytes(described)
    return model


class GatedSession:
    """An ONNX session whose runs are counted, and wait from the number `gated` on until `gate` is set."""

    def __init__(self, session: Any, gated: int = 1_000_000) -> None:
        self.gate = threading.Event()
        self.runs = 0
        self.most_at_once = 0
        self._session = session
        self._gated = gated
        self._now = 0
        self._lock = threading.Lock()

    def run(self, outputs: None, inputs: dict[str, NDArray[Any]]) -> Any:
        with self._lock:
            self.runs += 1
            number = self.runs
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            if number >= self._gated:
                assert self.gate.wait(PATIENCE_S)
            return self._session.run(outputs, inputs)
        finally:
            with self._lock:
                self._now -= 1
