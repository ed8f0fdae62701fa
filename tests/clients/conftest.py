"""The servers that the clients dial, and the table of what was run, which goes into README.md."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from dragoman.testing import RunningServer, running_server

PYTHON = os.environ.get("CLIENTS_PYTHON", "")
"""The interpreter of the clients' environment."""
README = os.environ.get("CLIENTS_README", "")
"""Where the table goes, if anywhere."""
PATIENCE_S = 110.0
BEGIN, END = "<!-- works with: written by `make clients` -->", "<!-- end of works with -->"

collect_ignore_glob = [] if PYTHON else ["test_*.py"]

_ran: dict[str, list[str]] = {}
_failed: list[str] = []


@pytest.fixture(scope="session")
def embedded() -> Iterator[RunningServer]:
    """A server with the engines that users get."""
    with running_server("embedded") as server:
        yield server
        assert "Traceback" not in server.log()


@pytest.fixture(scope="session")
def locked() -> Iterator[RunningServer]:
    """A server that wants the key `right`."""
    with running_server("scripted", environment={"DRAGOMAN_API_KEYS": "right"}) as server:
        yield server
        assert "Traceback" not in server.log()


@pytest.fixture(scope="session")
def beckett() -> str:
    """A recording of six short sentences, 10 s."""
    return str(Path(str(resources.files("moonshine_voice"))) / "assets" / "beckett.wav")


@pytest.fixture
def drive() -> Callable[..., Any]:
    """Run a job of one of the `drive_*.py`; what it answers."""

    def run(module: str, job: str, **arguments: Any) -> Any:
        path = Path(__file__).with_name(f"drive_{module}.py")
        order = json.dumps({"job": job, **arguments})
        done = subprocess.run([PYTHON, path, order], capture_output=True, timeout=PATIENCE_S, check=False, text=True)
        assert done.returncode == 0, done.stderr[-4_000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Keep what was run: a test names its client by the marker `client`, its docstring says what."""
    report: Any = yield
    marker = item.get_closest_marker("client")
    if report.when == "call" and marker is not None:
        if report.passed:
            said = " ".join((item.function.__doc__ or "").split())  # type: ignore[attr-defined]
            _ran.setdefault(marker.args[0], []).append(said.rstrip("."))
        else:
            _failed.append(item.name)
    return report  # type: ignore[return-value]


def pytest_sessionfinish() -> None:
    """Write the table, if everything went well."""
    if not README or _failed or not _ran:
        return
    path = Path(README)
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    rows = [f"| {name} | {_version(name)} | {'; '.join(dict.fromkeys(said))} |" for name, said in sorted(_ran.items())]
    table = "\n".join(["| Client | Version | What was run |", "|---|---|---|", *rows])
    path.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def _version(name: str) -> str:
    code = "import sys, importlib.metadata as m; print(m.version(sys.argv[1]))"
    done = subprocess.run([PYTHON, "-c", code, name], capture_output=True, check=True, text=True)
    return done.stdout.strip()
