"""The script that sets up a machine: which packages it installs. Its pip only notes what it was asked for."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "setup.sh"
FAKE_PYTHON = '#!/bin/sh\necho "$@" >>"$(dirname "$0")/asked"\n'


class Machine:
    """A checkout with a virtual environment whose pip installs nothing."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "scripts").mkdir()
        (root / "scripts" / "setup.sh").write_bytes(SCRIPT.read_bytes())
        (root / "pyproject.toml").write_text("[project]\n")
        binaries = root / "venv" / "bin"
        binaries.mkdir(parents=True)
        (binaries / "python").write_text(FAKE_PYTHON)
        (binaries / "python").chmod(0o755)
        self._asked = binaries / "asked"

    def installs(self, extras: str) -> list[str]:
        """What one run of the script asks pip for."""
        self._asked.unlink(missing_ok=True)
        environment = {**os.environ, "PYTHON": sys.executable, "VENV": "venv"}
        command = ["sh", "scripts/setup.sh", "python", extras]
        subprocess.run(command, cwd=self.root, env=environment, check=True, timeout=60)
        return [line.split()[-1] for line in self._asked.read_text().splitlines()] if self._asked.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_only_what_was_asked_for_is_installed_and_only_once(machine: Machine) -> None:
    assert machine.installs("embedded") == [".[embedded]"]
    assert machine.installs("embedded") == []


def test_more_comes_on_top_and_less_takes_nothing_away(machine: Machine) -> None:
    machine.installs("embedded")
    assert machine.installs("embedded,dev") == [".[embedded,dev]"]
    assert machine.installs("embedded") == []
    assert machine.installs("dev,embedded") == []
    assert machine.installs("embedded,demo") == [".[embedded,dev,demo]"]


def test_a_part_of_a_name_is_not_the_name(machine: Machine) -> None:
    machine.installs("embedded-more,dev")
    assert machine.installs("embedded") == [".[embedded-more,dev,embedded]"]


def test_other_requirements_are_installed_anew(machine: Machine) -> None:
    machine.installs("embedded,dev")
    (machine.root / "pyproject.toml").write_text('[project]\nname = "other"\n')
    assert machine.installs("embedded") == [".[embedded]"]
    assert machine.installs("embedded,dev") == [".[embedded,dev]"]


def test_a_place_that_moved_is_installed_anew(machine: Machine, tmp_path: Path) -> None:
    machine.installs("embedded")
    stamp = machine.root / "venv" / ".dragoman-setup"
    stamp.write_text(stamp.read_text().replace(str(tmp_path), "/elsewhere"))
    assert machine.installs("embedded") == [".[embedded]"]


@pytest.mark.parametrize(("extras", "wanted"), [("embedded", False), ("embedded,dev", True), ("develop", False)])
def test_only_development_gets_a_browser(machine: Machine, extras: str, wanted: bool) -> None:
    """On a machine without Debian's tools nothing can be installed, and that is told."""
    tools = machine.root / "tools"
    tools.mkdir()
    for name in ("cat", "cksum", "dirname", "sed", "id", "tr", "sh", "pwd", "env", "grep"):
        (tools / name).symlink_to(Path(shutil.which(name) or name))
    done = subprocess.run(
        ["/bin/sh", "scripts/setup.sh", "all", extras],
        cwd=machine.root,
        env={"PATH": str(tools), "PYTHON": sys.executable, "VENV": "venv"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("chromium" in done.stderr) is wanted
