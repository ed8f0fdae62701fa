"""Loading: what does not fit together is told, and nothing is ever fetched."""

import json
import socket
from pathlib import Path
from typing import Any

import ctranslate2
import faster_whisper
import pytest

from dragoman.models import devices
from dragoman.models.base import RecognitionRequest
from dragoman.models.engines.whisper.recognizer import WhisperRecognizer
from dragoman.models.errors import EngineUnavailable
from tests.models.engines.whisper.test_files import link, put
from tests.models.engines.whisper.whispers import GERMAN, model, noise, settings


def load(place: Path | str, **changed: Any) -> WhisperRecognizer:
    return WhisperRecognizer(Path(), settings(place, **changed))


BROKEN = {
    "half a tokenizer": ("tokenizer.json", b'{"version": "1.0",', "it cannot be loaded"),
    "another tokenizer": ("tokenizer.json", "random.en", "it has a tokenizer.json for another vocabulary"),
    "no tokenizer": ("tokenizer.json", b"{}", "it cannot be loaded"),
}


@pytest.mark.parametrize(("name", "data", "told"), BROKEN.values(), ids=BROKEN)
def test_what_only_loading_shows(tmp_path: Path, name: str, data: bytes | str, told: str) -> None:
    place = link(tmp_path, "random")
    put(place / name, (model(data) / name).read_bytes() if isinstance(data, str) else data)
    with pytest.raises(EngineUnavailable) as caught:
        load(place)
    assert str(caught.value).startswith("whisper model random is not available: ")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.remedy


def test_a_tokenizer_without_a_token_for_silence(tmp_path: Path) -> None:
    place = link(tmp_path, "random")
    data = (place / "tokenizer.json").read_bytes()
    put(place / "tokenizer.json", data.replace(b"<|nospeech|>", b"<|something|>"))
    with pytest.raises(EngineUnavailable, match=r"a tokenizer\.json for another vocabulary"):
        load(place)


def test_a_vocabulary_that_the_library_takes_for_another(tmp_path: Path) -> None:
    place = link(tmp_path, "random")
    tokens = json.loads((place / "vocabulary.json").read_text())
    tokens[tokens.index("")] = "something"
    put(place / "vocabulary.json", json.dumps(tokens).encode())
    with pytest.raises(EngineUnavailable, match="does not know as a Whisper's"):
        load(place)


def test_a_model_without_alignment_heads_gives_no_word_times(tmp_path: Path) -> None:
    place = link(tmp_path, "german")
    config = json.loads((place / "config.json").read_text())
    del config["alignment_heads"]
    put(place / "config.json", json.dumps(config).encode())
    recognizer = load(place)
    (heard,) = recognizer.recognize([RecognitionRequest(noise(3.0), "de")])
    assert (heard.text, heard.words) == (GERMAN, ())
    recognizer.close()


def test_numbers_that_this_machine_does_not_compute() -> None:
    with pytest.raises(EngineUnavailable, match=r"cpu does not compute with 'float99'\. Set engines\.whisper"):
        load("random", compute_type="float99")


def test_nothing_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*arguments: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)
    monkeypatch.setattr("faster_whisper.transcribe.download_model", connect)
    load("random").close()
    place = link(tmp_path, "random")
    for name in ("tokenizer.json", "vocabulary.json", "config.json", "model.bin"):
        path = place / name
        data = path.read_bytes()
        put(path, None)
        with pytest.raises(EngineUnavailable, match=f"has no {name}"):
            load(place)
        put(path, data)
    for wanted in ("tiny", "Systran/faster-whisper-tiny"):
        with pytest.raises(EngineUnavailable):
            load(wanted)


class Card:
    """CTranslate2 on a machine with one CUDA device, on which a model fails to load."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
        self.asked: list[str] = []
        real = faster_whisper.WhisperModel

        def whisper_model(path: str, device: str, **how: Any) -> Any:
            self.asked.append(device)
            if device == "cuda":
                raise RuntimeError(fault)
            return real(path, device=device, **how)

        monkeypatch.setattr(faster_whisper, "WhisperModel", whisper_model)
        monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 1)
        monkeypatch.setattr(devices, "load_cublas", lambda: True)
        types = ctranslate2.get_supported_compute_types("cpu")
        monkeypatch.setattr(ctranslate2, "get_supported_compute_types", lambda *_: types)


def test_a_card_without_its_libraries_is_left_for_the_processor(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    card = Card(monkeypatch, "Library libcudnn.so.9 is not found or cannot be loaded")
    recognizer = load("random", device="auto", compute_type="auto")
    assert (recognizer.device, card.asked) == ("cpu", ["cuda", "cpu"])
    assert "cuda:0 does not work (Library libcudnn.so.9 is not found" in caplog.text
    recognizer.close()


def test_a_card_that_was_asked_for_must_work(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Card(monkeypatch, "Library libcudnn.so.9 is not found or cannot be loaded")
    with pytest.raises(EngineUnavailable, match=r"cuda:0 does not work \(Library.*Install the CUDA 12 libraries"):
        load("random", device="cuda", compute_type="auto")
    assert card.asked == ["cuda"]


def test_a_card_that_is_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    Card(monkeypatch, "CUDA failed with error out of memory")
    with pytest.raises(EngineUnavailable, match=r"model random does not fit into the memory of cuda:0\. Take a sm"):
        load("random", device="cuda:0", compute_type="auto")
