"""The parts of the page that need no browser, in Node; and the programs that it shows."""

import json
import shutil
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dragoman.testing import RunningServer, running_server

HERE = Path(__file__).parent / "modules"
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="there is no Node here to run the page's modules in")


def node(*arguments: str) -> "subprocess.CompletedProcess[str]":
    assert NODE is not None
    return subprocess.run([NODE, *arguments], capture_output=True, text=True, check=False, cwd=HERE)


@pytest.mark.parametrize("path", sorted(HERE.glob("*.test.mjs")), ids=lambda path: path.name)
def test_modules(path: Path) -> None:
    done = node("--test", str(path))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(environment={"DRAGOMAN_API_KEYS": "your-key"}) as one:
        yield one


@pytest.mark.parametrize(
    ("name", "told"),
    [("Gradium", "Buenos días"), ("Soniox", "Buenos días"), ("Sarvam", "Good"), ("Palabra", "Bonjour")],
)
def test_the_programs_that_the_page_shows_run(server: RunningServer, tmp_path: Path, name: str, told: str) -> None:
    module = "../../../../server/page/static/snippets.mjs"
    wish = {"source": "en", "targets": ["es", "fr"], "voice": "es", "latency": "low"}
    shown = f"console.log(JSON.stringify(snippets('{server.url}/', {json.dumps(wish)})))"
    done = node("--input-type=module", "-e", f"import {{ snippets }} from '{module}'; {shown}")
    assert done.returncode == 0, done.stderr
    (code,) = (program["code"] for program in json.loads(done.stdout) if program["name"] == name)
    samples = np.concatenate([0.3 * np.sin(np.arange(24_000) / 17), np.zeros(24_000)])
    with wave.open(str(tmp_path / "talk.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes((samples * 32_000).astype("<i2").tobytes())
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert told in ran.stdout
