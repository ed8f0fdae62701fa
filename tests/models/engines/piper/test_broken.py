"""Piper where something is wrong: with a voice, with the installation, with the device."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dragoman.models.engines.piper import model as piper_model
from dragoman.models.engines.piper import synthesizer as piper
from dragoman.models.engines.piper.model import CUDA_REMEDY
from dragoman.models.errors import EngineFailed, EngineUnavailable, OutOfMemory
from tests.fakes.piper_voice import KEY, in_language, network, write_voice
from tests.models.engines.piper.test_synthesizer import blocks, engine, gate, length, voice

GOOD = "es_ES-good-medium"


def with_a_good_one(folder: Path, **changes: Any) -> piper.PiperSynthesizer:
    """An engine whose voice KEY is described by `changes`, beside one that works."""
    write_voice(folder, **changes)
    write_voice(folder, GOOD, **in_language("es_ES", "es"))
    return engine(folder)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "one speaker too few": ({"onnx_file": network(2)}, "num_speakers is 1, and its network takes number of a speaker"),
    "no speakers": ({"speakers": 3, "onnx_file": network(1)}, "num_speakers is 3, and its network takes no number"),
    "too many speakers": ({"speakers": 3, "onnx_file": network(2)}, "it does not work ("),
    "unknown language": ({"espeak": {"voice": "xx-nope"}}, "it does not work (Failed to set voice: xx-nope)"),
    "no graph inside": ({"onnx_file": b"\x08\x08\x3a\x04junk"}, "it cannot be loaded ("),
    "no numbers": ({"onnx_file": network(gain=float("nan"))}, "gives samples that are no numbers"),
    "endless numbers": ({"onnx_file": network(gain=float("inf"))}, "gives samples that are no numbers"),
}


@pytest.mark.parametrize(("changes", "told"), WRONG.values(), ids=WRONG)
def test_what_only_loading_shows(
    tmp_path: Path, changes: dict[str, Any], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    spoken = with_a_good_one(tmp_path, **changes)
    assert spoken.languages == {"en", "es"}
    for _ in range(2):
        with pytest.raises(EngineFailed, match=f"piper voice {KEY}"):
            blocks(spoken)
    (fault,) = spoken.broken
    assert told in fault.reason
    assert "\n" not in str(fault)
    assert str(tmp_path) not in str(fault)
    assert [record.getMessage() for record in caplog.records] == [str(fault)]
    assert fault.remedy == f"Pull it again: dragoman models pull {KEY}"
    assert spoken.languages == {"es"}
    assert not spoken.speaks(voice())
    assert length(spoken, name=GOOD) > 0


def test_warming_finds_it_before_a_session_does(tmp_path: Path) -> None:
    spoken = with_a_good_one(tmp_path, **WRONG["no speakers"][0])
    spoken.warm(["en", "es"])
    assert [fault.engine for fault in spoken.broken] == [f"piper voice {KEY}"]
    assert spoken.loaded == {GOOD}
    assert spoken.languages == {"es"}


def test_another_network(tmp_path: Path) -> None:
    from dragoman.models.embedded import package_file

    silero = package_file("vad", "faster_whisper", "assets/silero_vad_v6.onnx", "")
    spoken = with_a_good_one(tmp_path, onnx_file=silero.read_bytes())
    spoken.warm(["en"])
    assert "its network is not Piper's: it takes " in spoken.broken[0].reason


def test_a_voice_that_is_broken_in_its_files(tmp_path: Path) -> None:
    spoken = with_a_good_one(tmp_path, json_file=b"{")
    assert [fault.engine for fault in spoken.broken] == [f"piper voice {KEY}"]
    assert spoken.languages == {"es"}
    with pytest.raises(EngineFailed, match="there is no voice"):
        blocks(spoken)


def test_no_voice_at_all(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(EngineUnavailable, match=r"there is no Piper voice in .*dragoman models pull NAME"):
            engine(folder)


def test_only_broken_voices(tmp_path: Path) -> None:
    write_voice(tmp_path, json_file=b"{")
    write_voice(tmp_path, "en_US-other-medium", num_speakers=0)
    told = (
        r"piper is not available: no voice can be used: piper voice en_US-other-medium: .*, and 1 more\. Pull it again"
    )
    with pytest.raises(EngineUnavailable, match=told):
        engine(tmp_path)


def test_piper_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_voice(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "piper"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "piper", None)
    with pytest.raises(EngineUnavailable, match=r"piper-tts cannot be loaded .*pip install 'piper-tts>=1\.6,<2'"):
        engine(tmp_path)


def test_piper_without_its_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_voice(tmp_path)
    monkeypatch.setattr("piper.phonemize_espeak.ESPEAK_DATA_DIR", tmp_path)
    with pytest.raises(EngineUnavailable, match=r"no data of espeak-ng in .*--force-reinstall piper-tts"):
        engine(tmp_path)


def faulty(error: Exception) -> Callable[..., Any]:
    def fails(*_: object, **__: object) -> Any:
        raise error

    return fails


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (RuntimeError("[ONNXRuntimeError] : 1 : FAIL\n node Conv"), EngineFailed, f"voice {KEY}: .* FAIL node Conv"),
        (RuntimeError("Failed to allocate memory for requested buffer of size 9"), OutOfMemory, "out of memory"),
        (RuntimeError("CUDA failure 2: out of memory"), OutOfMemory, "out of memory"),
        (MemoryError(), OutOfMemory, "out of memory"),
    ],
)
def test_a_network_that_fails_once(
    tmp_path: Path, error: Exception, kind: type[EngineFailed], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_voice(tmp_path)
    spoken = engine(tmp_path)
    session = gate(spoken)
    with monkeypatch.context() as patched:
        patched.setattr(session, "run", faulty(error))
        with pytest.raises(kind, match=told) as caught:
            blocks(spoken)
    assert type(caught.value) is kind
    assert caught.value.__cause__ is error
    assert "\n" not in str(caught.value)
    assert length(spoken) > 0
    assert spoken.broken == ()


def test_later_samples_that_are_no_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_voice(tmp_path)
    spoken = engine(tmp_path)
    session = gate(spoken)
    samples = np.array([[[[0.1, np.nan, 0.2]]]], np.float32)
    monkeypatch.setattr(session, "run", lambda *_: [samples])
    with pytest.raises(EngineFailed, match="no numbers"):
        blocks(spoken)


def test_a_network_that_gives_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_voice(tmp_path)
    spoken = engine(tmp_path)
    session = gate(spoken)
    for shape in ((1, 1, 1, 0), (1, 1, 1, 1)):
        monkeypatch.setattr(session, "run", lambda *_, shape=shape: [np.zeros(shape, np.float32)])
        assert blocks(spoken) == []


def test_memory_that_may_be_there_later_is_no_fault_of_the_voice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_voice(tmp_path)
    spoken = engine(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr("onnxruntime.InferenceSession", faulty(MemoryError()))
        with pytest.raises(EngineFailed, match=r"does not fit into the memory of cpu.*dragoman models rm NAME"):
            blocks(spoken)
        spoken.warm(["en"])
    assert (spoken.broken, spoken.loaded) == ((), frozenset())
    assert length(spoken) > 0


def test_cuda_without_a_runtime_for_it(tmp_path: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime can use CUDA")
    write_voice(tmp_path)
    with pytest.raises(
        EngineUnavailable, match=r"the installed onnxruntime cannot use CUDA.*onnxruntime-gpu"
    ) as caught:
        engine(tmp_path, device="cuda")
    assert caught.value.remedy == CUDA_REMEDY


class FakeCuda:
    """Stands for an ONNX Runtime that can use CUDA, or says so: computes on the processor."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, works: bool) -> None:
        import onnxruntime

        self.asked: list[tuple[str, dict[str, Any]]] = []
        real = onnxruntime.InferenceSession
        names = ["CUDAExecutionProvider", "CPUExecutionProvider"]

        class Session:
            def __init__(fake, path: str, sess_options: Any, providers: list[Any]) -> None:  # noqa: N805
                self.asked.append(providers[0])
                fake.real = real(path, sess_options=sess_options, providers=["CPUExecutionProvider"])
                fake.run, fake.get_inputs = fake.real.run, fake.real.get_inputs

            def get_providers(fake) -> list[str]:  # noqa: N805
                return names if works else names[1:]

        monkeypatch.setattr("onnxruntime.get_available_providers", lambda: names)
        monkeypatch.setattr("onnxruntime.preload_dlls", lambda: None, raising=False)
        monkeypatch.setattr("onnxruntime.InferenceSession", Session)


@pytest.mark.parametrize(("wanted", "index"), [("cuda", 0), ("cuda:1", 1)])
def test_cuda_is_asked_for_by_its_number(
    tmp_path: Path, wanted: str, index: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuda = FakeCuda(monkeypatch, works=True)
    write_voice(tmp_path)
    spoken = engine(tmp_path, device=wanted)
    ((name, options),) = cuda.asked
    assert (name, options["device_id"]) == ("CUDAExecutionProvider", index)
    assert (str(spoken.device), spoken.loaded) == (f"cuda:{index}", {KEY})
    assert length(spoken) > 0


def test_cuda_whose_libraries_do_not_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FakeCuda(monkeypatch, works=False)
    write_voice(tmp_path)
    with pytest.raises(EngineUnavailable, match=r"cuda:0 cannot be used.*onnxruntime-gpu"):
        engine(tmp_path, device="cuda")


def test_cuda_and_a_broken_voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FakeCuda(monkeypatch, works=True)
    write_voice(tmp_path, **WRONG["no speakers"][0])
    write_voice(tmp_path, GOOD, **in_language("es_ES", "es"))
    spoken = engine(tmp_path, device="cuda")
    assert [fault.engine for fault in spoken.broken] == [f"piper voice {KEY}"]
    assert length(spoken, name=GOOD) > 0
    shutil.rmtree(tmp_path / GOOD)
    with pytest.raises(EngineUnavailable, match=f"no voice can be used: piper voice {KEY}"):
        engine(tmp_path, device="cuda")


def test_the_processor_is_what_auto_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(piper_model, "_session", faulty(AssertionError("nothing is loaded yet")))
    write_voice(tmp_path)
    assert str(engine(tmp_path, device="auto").device) == str(engine(tmp_path, device="cpu").device) == "cpu"
