"""Argos packages in the set of engines, and in a server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dragoman.config.settings import load_settings
from dragoman.models.loading import load_engines
from dragoman.models.registry import Description
from dragoman.testing import RunningServer, running_server
from tests.fakes.argos import package_files, unpacked
from tests.sdk.child import Raised
from tests.sdk.client import run_client
from tests.sdk.speech import in_format, recording

pytestmark = pytest.mark.embedded


def loaded(monkeypatch: pytest.MonkeyPatch, models_dir: Path, **engines: str) -> Description:
    monkeypatch.setenv("DRAGOMAN_MODELS_DIR", str(models_dir))
    found = load_engines(load_settings(overrides={"engines": engines}))
    try:
        return found.describe()
    finally:
        found.close()


def test_argos_comes_first_and_only_where_it_may(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    unpacked(tmp_path / "argos" / "en_de")
    unpacked(tmp_path / "argos" / "de_fr", package_files("de", "fr"))
    auto = loaded(monkeypatch, tmp_path)
    assert auto["translate"]["en→de"] == "argos"
    assert auto["translate"]["en→fr"] in {"argos via de", "apertium via es"}
    assert auto["missing"] == []
    embedded = loaded(monkeypatch, tmp_path, set="embedded")
    assert "en→de" not in embedded["translate"]
    forced = loaded(monkeypatch, tmp_path, translator="argos")
    assert forced["translate"] == {"en→de": "argos", "en→fr": "argos via de"}


def test_no_package_is_missed_only_by_who_asks_for_argos(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert loaded(monkeypatch, tmp_path)["missing"] == []
    (reason,) = loaded(monkeypatch, tmp_path, translator="argos")["missing"]
    assert "no Argos package" in reason


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    place = tmp_path_factory.mktemp("models")
    unpacked(place / "argos" / "translate-en_de")
    unpacked(place / "argos" / "bad", {"metadata.json": b"{"})
    with running_server("auto", environment={"DRAGOMAN_MODELS_DIR": str(place)}) as running:
        yield running
        assert "Traceback" not in running.log()


def test_a_server_says_who_translates_and_what_is_broken(server: RunningServer) -> None:
    ready = server.get_json("/ready")
    assert ready["translate"]["en→de"] == "argos"
    (reason,) = ready["missing"]
    assert reason.startswith("argos package bad is not available: its metadata.json is not JSON")
    assert "argos package bad" in server.log()


def test_the_official_client_gets_its_german(server: RunningServer) -> None:
    samples, rate = recording("beckett.wav")
    setup = {"input_format": "wav", "output_format": "pcm", "json_config": {"target_language": "de"}}
    result = run_client("buffered", url=server.url, setup=setup, audio=in_format("wav", samples, rate))
    assert not isinstance(result, Raised), result
    assert result["text"]
    assert len(result["raw"]) > 48000
