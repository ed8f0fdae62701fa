"""From a hub to a conversation: models are pulled with one command, served, and used through the official client.

The models are small ones in each library's real format; the recogniser hears what the test wants it to.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragoman.models.files.catalogue import Catalogue, Entry
from dragoman.testing import RunningServer, running_server
from tests.fakes.hub import FakeHub, cut
from tests.fakes.model_files import argos_file
from tests.fakes.piper_voice import in_language, write_voice
from tests.fakes.whisper_script import Script, scripted_whisper
from tests.sdk.child import Raised
from tests.sdk.client import run_client
from tests.sdk.speech import in_format, recording

pytestmark = pytest.mark.embedded

ENGLISH = "good morning world"


def needed() -> list[Entry]:
    """What German and Spanish need, with Argos packages for the Firefox models, of which none can be made by hand."""
    catalogue = Catalogue.load()
    entries = catalogue.needs(["es", "de"]).entries
    return [catalogue.get(entry.name.replace("firefox-", "translate-")) for entry in entries]


def provide(hub: FakeHub, place: Path) -> None:
    """Put small models that run on the hub, for all that German and Spanish need."""
    for entry in needed():
        folder = place / entry.name
        if entry.kind == "whisper":
            scripts = {
                "": Script(ENGLISH),
                "de": Script("Das Haus ist alt"),
                "translate": Script("house nothing matter"),
            }
            hub.add_folder(entry, scripted_whisper(folder, scripts, heard={"en": 0.9, "de": 0.1}))
        elif entry.kind == "argos":
            hub.add_model(entry, {"file": argos_file(entry.name)})
        else:
            code = entry.name.partition("-")[0]
            model = write_voice(folder, entry.name, **in_language(code, code[:2]))
            hub.add_folder(entry, model.parent)


@pytest.fixture(scope="module")
def pulled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder of models that were pulled, and what the command said."""
    place = tmp_path_factory.mktemp("hub")
    models = tmp_path_factory.mktemp("models")
    with FakeHub() as hub:
        provide(hub, place)
        (models / "models.toml").write_text(hub.catalogue())
        hub.fail("model.bin", cut(100_000))  # the line breaks once, and the download goes on where it was
        done = subprocess.run(
            [sys.executable, "-m", "dragoman", "models", "pull", *(entry.name for entry in needed())],
            env={**os.environ, **hub.environment, "DRAGOMAN_MODELS_DIR": str(models)},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        resumed = [request.headers.get("Range") for request in hub.asked("model.bin") if request.headers.get("Range")]
        assert resumed
    yield models, done.stdout + done.stderr


def environment(models: Path) -> dict[str, str]:
    """Settings for a server on what was pulled. The weights that are made by hand do not stand rounding to int8."""
    return {
        "DRAGOMAN_MODELS_DIR": str(models),
        "DRAGOMAN_OFFLINE": "true",
        "DRAGOMAN_ENGINES__WHISPER__COMPUTE_TYPE": "float32",
        "DRAGOMAN_ENGINES__WHISPER__BEAM_SIZE": "1",
        "DRAGOMAN_ENGINES__WHISPER__TEMPERATURES": "[0.0]",
        "DRAGOMAN_ENGINES__RECOGNIZERS": '{"en": ["whisper"]}',
    }


@pytest.fixture(scope="module")
def server(pulled: tuple[Path, str]) -> Iterator[RunningServer]:
    with running_server("auto", environment=environment(pulled[0])) as running:
        yield running
        assert "Traceback" not in running.log()


def test_the_command_says_what_it_pulled(pulled: tuple[Path, str]) -> None:
    models, said = pulled
    for entry in needed():
        assert entry.name in said
    assert sorted(path.name for path in models.iterdir() if path.is_dir()) == ["argos", "piper", "whisper"]


def test_the_server_says_who_serves_what(server: RunningServer) -> None:
    ready = server.get_json("/ready")
    assert ready["missing"] == []
    assert {ready["recognise"][code] for code in ("en", "es", "de", "fr")} == {"whisper"}
    assert ready["chosen"] == {"en": "whisper, because engines.recognizers says so"}
    assert "en is recognised by whisper, because engines.recognizers says so" in server.log()
    for pair in ("en→de", "de→en", "en→es", "es→en"):
        assert ready["translate"][pair] == "argos"
    assert ready["translate"]["es→de"] == "argos via en"
    assert ready["translate"]["ja→en"] == "whisper"
    assert ready["translate"]["ja→de"] == "whisper+argos via en"
    assert ready["speak"]["de"] == "piper"
    assert ready["speak"]["es"] == "piper"
    assert ready["speak"]["fr"] == "pico"
    assert ready["runs"]["whisper"] == "small cpu float32"
    assert ready["runs"]["piper"] == "cpu"


@pytest.mark.parametrize("target", ["de", "es"])
def test_english_is_heard_translated_and_spoken(server: RunningServer, target: str) -> None:
    samples, rate_hz = recording("beckett.wav")
    setup = {
        "input_format": "wav",
        "output_format": "pcm_24000",
        "json_config": {"source_language": "en", "target_language": target},
    }
    result = run_client("buffered", url=server.url, setup=setup, audio=in_format("wav", samples, rate_hz))
    assert not isinstance(result, Raised), result
    assert len(result["raw"]) > 24_000
    assert result["times"]


def test_a_language_without_a_package_goes_by_the_recognisers_own_english(pulled: tuple[Path, str]) -> None:
    models, _ = pulled
    away = models / "argos" / "translate-de_en"
    kept = away.rename(models / "argos" / ".away")
    try:
        with running_server("auto", environment=environment(models)) as server:
            assert server.get_json("/ready")["translate"]["de→en"] == "whisper"
            samples, rate_hz = recording("beckett.wav")
            config = {"source_language": "de", "target_language": "en"}
            setup = {"input_format": "wav", "output_format": "pcm_24000", "json_config": config}
            result = run_client("buffered", url=server.url, setup=setup, audio=in_format("wav", samples, rate_hz))
            assert not isinstance(result, Raised), result
            assert "house nothing matter" in result["text"]
    finally:
        kept.rename(away)


def test_the_language_is_found_out(server: RunningServer) -> None:
    samples, rate_hz = recording("beckett.wav")
    setup = {"input_format": "wav", "output_format": "pcm_24000"}
    result = run_client("buffered", url=server.url, setup=setup, audio=in_format("wav", samples, rate_hz))
    assert not isinstance(result, Raised), result
    assert "good morning" in result["text"]


def test_the_command_line_lists_what_is_there(pulled: tuple[Path, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dragoman", "models", "verify"],
        env={**os.environ, "DRAGOMAN_MODELS_DIR": str(pulled[0])},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
