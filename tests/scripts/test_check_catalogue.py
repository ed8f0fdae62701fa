"""The script that asks the hubs whether the catalogue is right, against a hub on this machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.hub import FakeHub, status
from tests.fakes.model_files import serve, voice_files

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "check_catalogue.py"
VOICE = "es_ES-davefx-medium"
NAMES = ("tiny", VOICE, "translate-en_de")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "DRAGOMAN_MODELS_DIR": str(tmp_path)}


def check(hub: FakeHub, environment: dict[str, str], code: int) -> list[str]:
    done = subprocess.run(
        [sys.executable, SCRIPT, *NAMES, "--index", f"{hub.url}/index.json"],
        env={**environment, **hub.environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_a_right_catalogue_and_a_wrong_one(tmp_path: Path, environment: dict[str, str]) -> None:
    index = [
        {"code": "translate-en_de", "package_version": "2.0"},
        {"code": "translate-en_tlh", "package_version": "1.0"},
        {"code": "translate-de_en", "package_version": "1.3"},
    ]
    with FakeHub() as hub:
        _, voice, _ = serve(hub, *NAMES)
        hub.add("index.json", json.dumps(index).encode())
        (tmp_path / "models.toml").write_text(hub.catalogue())
        assert check(hub, environment, 0)[:3] == [f"right: {name}" for name in NAMES]
        lines = check(hub, environment, 0)
        assert "news: translate-en_de is 2.0 in the index of Argos, and 1.3 in the catalogue" in lines
        assert "news: translate-en_tlh 1.0 is in the index of Argos, and not in the catalogue" in lines
        assert not any("translate-de_en is" in line for line in lines)
        assert lines[-1] == "3 of 3 models are as the catalogue says"

        # The packaged catalogue has the sizes and sums of the real files, which these are not.
        (tmp_path / "models.toml").unlink()
        table = {path.path: {"md5_digest": "0" * 32} for path in voice.files}
        hub.add(f"{voice.repo}/resolve/{voice.revision}/voices.json", json.dumps({VOICE: {"files": table}}).encode())
        hub.fail("tiny/resolve/d90ca5fe260221311c53c58e660288d3deb8d356/config.json", status(404))
        lines = check(hub, environment, 1)
        assert any(line.startswith("wrong: tiny: cannot pull") and "HTTP 404" in line for line in lines)
        assert any("model.bin has the SHA-256" in line for line in lines)
        assert any(f"{VOICE}.onnx has the MD5 {'0' * 32}" in line for line in lines)
        size = len(voice_files(VOICE)[f"{VOICE}.onnx"])
        assert f"wrong: {VOICE}: {VOICE}.onnx has {size:,} bytes, the catalogue says 63,201,294" in lines
        assert any(line.startswith("wrong: translate-en_de: translate-en_de-1_3.argosmodel has") for line in lines)
        assert lines[-1] == "0 of 3 models are as the catalogue says"
