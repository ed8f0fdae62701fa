"""A speaker model from the catalogue to the engine, by way of a hub."""

from pathlib import Path

import numpy as np
import pytest

from dragoman.models import remedies
from dragoman.models.engines.onnx_speakers.identifier import OnnxSpeakerEmbedder
from dragoman.models.files.catalogue import Catalogue
from dragoman.models.files.http import Clock, HttpClient
from dragoman.models.files.listener import PullListener
from dragoman.models.files.pulling import Puller
from dragoman.models.files.store import Store, form_fault
from tests.fakes.engines import tone
from tests.fakes.hub import FakeHub
from tests.fakes.model_files import serve
from tests.fakes.speakers import speaker_model, write_speaker_model

NAME = "wespeaker-voxceleb-resnet34-LM"


def test_what_was_pulled_is_installed_and_loaded(tmp_path: Path) -> None:
    with FakeHub() as hub:
        serve(hub, NAME)
        (tmp_path / "models.toml").write_text(hub.catalogue())
        store = Store(tmp_path)
        catalogue = Catalogue.load(tmp_path)
        Puller(store, hub.sources, HttpClient(clock=Clock(lambda _: None)), PullListener()).pull(catalogue.get(NAME))
    (model,) = store.installed()
    assert (model.kind, model.name, model.fault) == ("speakers", NAME, "")
    assert store.verify(model) == []
    embedder = OnnxSpeakerEmbedder(tmp_path / "speakers")
    assert embedder.model_name == NAME
    assert np.linalg.norm(embedder.embed([tone(1.0)])[0]) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("data", "fault"), [(b"", "its model.onnx is not"), (b"<html>", "its model.onnx is not"), (None, "it has no .onnx")]
)
def test_what_is_no_speaker_model(tmp_path: Path, data: bytes | None, fault: str) -> None:
    file = write_speaker_model(tmp_path, NAME, speaker_model())
    assert form_fault("speakers", file.parent) == ""
    if data is None:
        file.unlink()
    else:
        file.write_bytes(data)
    assert form_fault("speakers", file.parent).startswith(fault)


def test_the_remedy_names_the_model() -> None:
    assert remedies.for_speakers().endswith(f"or run 'dragoman models pull {NAME}' on the server")
