"""Which device and which numbers are taken, on machines with and without CUDA."""

import ctranslate2
import pytest

from dragoman.models import devices
from dragoman.models.devices import Device, choose_compute_type, choose_device, cuda_devices
from dragoman.models.errors import EngineUnavailable

CPU = Device("cpu")


@pytest.fixture
def two_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 2)
    monkeypatch.setattr(devices, "load_cublas", lambda: True)


@pytest.fixture
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 0)


@pytest.mark.usefixtures("two_cards")
@pytest.mark.parametrize(
    ("wanted", "device", "told"),
    [
        ("auto", Device("cuda"), "cuda:0"),
        ("cpu", CPU, "cpu"),
        ("cuda", Device("cuda"), "cuda:0"),
        ("cuda:1", Device("cuda", 1), "cuda:1"),
    ],
)
def test_with_cuda(wanted: str, device: Device, told: str) -> None:
    assert choose_device(wanted, "whisper") == device
    assert str(device) == told


@pytest.mark.usefixtures("two_cards")
def test_a_card_that_is_not_there() -> None:
    with pytest.raises(EngineUnavailable, match=r"no device cuda:2: CUDA devices here are numbered 0 to 1\. Set "):
        choose_device("cuda:2", "whisper")


@pytest.mark.usefixtures("no_card")
def test_without_cuda() -> None:
    assert choose_device("auto", "argos") == CPU
    assert choose_device("cpu", "argos") == CPU
    for wanted in ("cuda", "cuda:0"):
        with pytest.raises(EngineUnavailable, match=r"no CUDA device can be used here.* Set engines\.argos\.device"):
            choose_device(wanted, "argos")


def test_a_driver_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    def count() -> int:
        raise RuntimeError("CUDA failed with error CUDA driver version is insufficient for CUDA runtime version")

    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", count)
    assert cuda_devices() == 0


def test_the_numbers_of_the_processor() -> None:
    supported = ctranslate2.get_supported_compute_types("cpu")
    assert choose_compute_type("auto", CPU, "whisper") == ("int8" if "int8" in supported else "float32")
    assert choose_compute_type("auto", CPU, "argos", {}) == "auto"
    assert choose_compute_type("default", CPU, "whisper") == "default"
    for name in supported:
        assert choose_compute_type(name, CPU, "whisper") == name


@pytest.mark.parametrize(
    ("supported", "taken"), [({"float32", "float16", "int8"}, "float16"), ({"float32", "int8"}, "float32")]
)
def test_the_numbers_of_a_card(monkeypatch: pytest.MonkeyPatch, supported: set[str], taken: str) -> None:
    asked = []

    def types(kind: str, index: int) -> set[str]:
        asked.append((kind, index))
        return supported

    monkeypatch.setattr(ctranslate2, "get_supported_compute_types", types)
    assert choose_compute_type("auto", Device("cuda", 1), "whisper") == taken
    assert asked == [("cuda", 1)]


@pytest.mark.parametrize("wanted", ["float17", "int4", ""])
def test_numbers_that_nobody_has(wanted: str) -> None:
    with pytest.raises(
        EngineUnavailable, match=r"cpu does not compute with '.*compute_type to auto, float32"
    ) as caught:
        choose_compute_type(wanted, CPU, "whisper")
    assert "\n" not in str(caught.value)


def test_a_card_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def types(kind: str, index: int) -> set[str]:
        raise RuntimeError("CUDA failed with\nerror unknown")

    monkeypatch.setattr(ctranslate2, "get_supported_compute_types", types)
    with pytest.raises(EngineUnavailable, match=r"cuda:0 cannot be used \(CUDA failed with error unknown\)"):
        choose_compute_type("auto", Device("cuda"), "whisper")
