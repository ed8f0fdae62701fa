"""The parts of the page that need no browser, in Node; and the programs that it shows, as Python reads them."""

import ast
import json
import shutil
import subprocess
from pathlib import Path

import pytest

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


def test_the_programs_are_python() -> None:
    module = "../../../../server/page/static/snippets.mjs"
    wish = {"source": "en", "targets": ["es", "pt-br"], "voice": "es", "latency": "low"}
    shown = f"console.log(JSON.stringify(snippets('http://127.0.0.1:8000/', {json.dumps(wish)})))"
    done = node("--input-type=module", "-e", f"import {{ snippets }} from '{module}'; {shown}")
    assert done.returncode == 0, done.stderr
    for program in json.loads(done.stdout):
        ast.parse(program["code"])
