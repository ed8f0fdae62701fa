"""Which Argos models are in memory, on what device, and what happens where there is no memory left."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, pairwise
from pathlib import Path

import ctranslate2
import pytest

from dragoman.models.base import Batching, LanguagePair
from dragoman.models.batching import EngineOwner
from dragoman.models.devices import Device, cuda_devices
from dragoman.models.engines.argos import translator as argos
from dragoman.models.engines.argos.model import ArgosModel
from dragoman.models.engines.argos.translator import IDLE_S, KEPT_MODELS, ArgosTranslator
from dragoman.models.errors import EngineFailed, EngineUnavailable, OutOfMemory
from tests.fakes.argos import argos_settings, package_files, unpacked

EN_DE = LanguagePair("en", "de")
CODES = ["da", "de", "en", "es", "fi", "fr", "it", "nl", "pl", "pt", "sv"]


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten packages: da→de, de→en, en→es and so on."""
    place = tmp_path_factory.mktemp("argos")
    for source, target in pairwise(CODES):
        unpacked(place / f"translate-{source}_{target}", package_files(source, target))
    return place


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(folder: Path, clock: Clock) -> Iterator[ArgosTranslator]:
    translator = ArgosTranslator(folder, argos_settings(device="cpu"), clock=clock)
    yield translator
    translator.close()
    assert translator.loaded == frozenset()


def test_nothing_is_loaded_before_it_is_needed(engine: ArgosTranslator) -> None:
    assert len(engine.pairs) == 10
    assert engine.loaded == frozenset()
    pair = LanguagePair("en", "es")
    engine.translate(pair, ["ever tried"])
    assert engine.loaded == {pair}


def test_a_start_loads_a_few_and_those_of_english_first(engine: ArgosTranslator) -> None:
    engine.warm(engine.pairs)
    assert engine.broken == ()
    assert len(engine.loaded) == KEPT_MODELS
    assert engine.loaded >= {LanguagePair("en", "es"), LanguagePair("de", "en")}
    assert len(engine.pairs) == 10


def test_models_that_are_used_stay(engine: ArgosTranslator, clock: Clock) -> None:
    for pair in sorted(engine.pairs):
        engine.translate(pair, ["ever tried"])
        clock.now_s += IDLE_S / 20
    assert engine.loaded == engine.pairs


def test_idle_models_are_let_go_when_there_are_too_many(engine: ArgosTranslator, clock: Clock) -> None:
    first, second, *others = sorted(engine.pairs)
    for pair in (first, second, *others[:6]):
        engine.translate(pair, ["ever tried"])
    clock.now_s += IDLE_S
    engine.translate(first, ["ever tried"])
    engine.translate(others[6], ["ever tried"])
    assert len(engine.loaded) == KEPT_MODELS
    assert second not in engine.loaded
    assert first in engine.loaded
    assert engine.translate(second, ["ever tried"])[0]


def test_several_threads_load_a_model_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    translator = ArgosTranslator(folder, argos_settings(workers=2))
    build = ArgosModel.__init__

    def counted(self: ArgosModel, *args: object, **kwargs: object) -> None:
        made.append(kwargs)
        build(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(ArgosModel, "__init__", counted)
    pair = LanguagePair("en", "es")
    with ThreadPoolExecutor(4) as pool:
        said = set(pool.map(lambda _: translator.translate(pair, ["ever tried"])[0], range(8)))
    assert len(said) == 1
    assert made == [{"threads": 1, "workers": 2}]
    translator.close()


def test_the_settings_arrive(folder: Path) -> None:
    settings = argos_settings(device="cpu", compute_type="float32", batch=3, batch_wait_ms=40, workers=2)
    translator = ArgosTranslator(folder, settings)
    assert translator.batching == Batching(size=3, wait_s=0.04, workers=2)
    assert translator.device == Device("cpu")
    assert translator.compute_type == "float32"
    translator.warm([LanguagePair("en", "es")])
    assert translator.compute_type == "float32"
    translator.close()


def test_the_compute_type_is_what_the_model_says(engine: ArgosTranslator) -> None:
    assert engine.compute_type == "auto"
    engine.warm([LanguagePair("en", "es")])
    assert engine.compute_type in ctranslate2.get_supported_compute_types("cpu")


@pytest.mark.parametrize(
    ("setting", "reason"),
    [({"compute_type": "int3"}, "cpu does not compute with 'int3'"), ({"device": "cuda:7"}, "CUDA device")],
)
def test_what_the_machine_cannot_do(folder: Path, setting: dict[str, str], reason: str) -> None:
    with pytest.raises(EngineUnavailable, match=reason) as caught:
        ArgosTranslator(folder, argos_settings(**{"device": "cpu", **setting}))
    assert "engines.argos." in caught.value.remedy


FULL = [
    RuntimeError("CUDA failed with error out of memory"),
    RuntimeError("cuBLAS failed with status CUBLAS_STATUS_ALLOC_FAILED"),
    RuntimeError("parallel_for failed: cudaErrorInvalidDevice: invalid device ordinal"),
    MemoryError("std::bad_alloc"),
]


class FakeFullDevice:
    """A CTranslate2 translator whose device has room for `room` texts at once."""

    compute_type = "int8"

    def __init__(self, real: ctranslate2.Translator, room: int, error: Exception) -> None:
        self._real, self._room, self._error = real, room, error
        self.sizes: list[int] = []

    def translate_batch(self, source: list[list[str]], **options: object) -> list[object]:
        self.sizes.append(len(source))
        if len(source) > self._room:
            raise self._error
        results: list[object] = self._real.translate_batch(source, **options)
        return results


def filled(engine: ArgosTranslator, pair: LanguagePair, room: int, error: Exception) -> FakeFullDevice:
    engine.warm([pair])
    model = engine._model(pair)
    model._translator = FakeFullDevice(model._translator, room, error)
    return model._translator


@pytest.mark.parametrize("error", FULL, ids=str)
def test_no_memory_is_told_as_such(engine: ArgosTranslator, error: Exception) -> None:
    pair = LanguagePair("en", "es")
    filled(engine, pair, 1, error)
    with pytest.raises(OutOfMemory, match="argos failed: its device is out of memory"):
        engine.translate(pair, ["one", "two"])
    assert engine.translate(pair, ["one"])[0]


def test_another_fault_is_not_a_lack_of_memory(engine: ArgosTranslator) -> None:
    pair = LanguagePair("en", "es")
    filled(engine, pair, 0, RuntimeError("CUDA failed with error unspecified launch failure"))
    with pytest.raises(EngineFailed) as caught:
        engine.translate(pair, ["one"])
    assert not isinstance(caught.value, OutOfMemory)


async def test_sessions_are_served_by_smaller_batches(engine: ArgosTranslator) -> None:
    pair = LanguagePair("en", "es")
    alone = [engine.translate(pair, [f"ever {index}"])[0] for index in range(8)]
    device = filled(engine, pair, 2, FULL[0])

    def run(texts: Sequence[str]) -> list[str]:
        return engine.translate(pair, texts)

    owner = EngineOwner("argos", run, max_batch=8, max_wait_s=0.5)
    said = await asyncio.gather(*(owner.submit(f"ever {index}", session_id=str(index)) for index in range(8)))
    assert said == alone
    assert device.sizes[0] == 8
    assert owner.exhausted
    await owner.aclose()


@pytest.fixture
def unusable_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU is chosen that nothing can be loaded on: CTranslate2 finds no driver."""
    if cuda_devices():
        pytest.skip("a GPU is here, and it may work")
    monkeypatch.setattr(argos, "choose_device", lambda wanted, engine: Device("cuda"))
    monkeypatch.setattr(argos, "choose_compute_type", lambda *_, **__: "auto")


@pytest.mark.usefixtures("unusable_gpu")
def test_a_gpu_that_does_not_work_is_left_for_the_processor(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    translator = ArgosTranslator(folder, argos_settings(device="auto"))
    assert str(translator.device) == "cuda:0"
    translator.warm(translator.pairs)
    assert translator.device == Device("cpu")
    assert translator.broken == ()
    assert len(translator.loaded) == KEPT_MODELS
    assert caplog.text.count("translating on the processor") == 1
    translator.close()


@pytest.mark.usefixtures("unusable_gpu")
def test_a_broken_package_is_no_reason_to_leave_a_gpu(tmp_path: Path) -> None:
    files = package_files()
    unpacked(tmp_path / "bad", {**files, "sentencepiece.model": b"junk"})
    translator = ArgosTranslator(tmp_path, argos_settings(device="auto"))
    translator.warm(translator.pairs)
    assert str(translator.device) == "cuda:0"
    assert len(translator.broken) == 1


@pytest.mark.usefixtures("unusable_gpu")
def test_a_gpu_that_was_asked_for_is_not_left(folder: Path) -> None:
    translator = ArgosTranslator(folder, argos_settings(device="cuda"))
    pair = LanguagePair("en", "es")
    translator.warm([pair])
    assert str(translator.device) == "cuda:0"
    (error,) = translator.broken
    assert "cannot be loaded" in str(error)


def test_no_memory_for_the_first_models_is_no_fault_of_the_packages(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object, **__: object) -> None:
        raise FULL[0]

    translator = ArgosTranslator(folder)
    monkeypatch.setattr(ctranslate2, "Translator", full)
    with caplog.at_level("WARNING"):
        translator.warm(translator.pairs)
    assert "out of memory" in caplog.text
    assert translator.broken == ()
    assert len(translator.pairs) == 10
    pair = next(islice(translator.pairs, 1))
    with pytest.raises(OutOfMemory):
        translator.translate(pair, ["one"])
    monkeypatch.undo()
    assert translator.translate(pair, ["one"])
    translator.close()
