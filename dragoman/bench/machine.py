"""Where and when a run was made."""

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

PACKAGES = ("dragoman", "numpy", "onnxruntime", "uvicorn", "websockets")


@dataclass(frozen=True, slots=True)
class About:
    """The run's circumstances. `date` is ISO 8601 in UTC; `load` is the one-minute load average when it began.

    `revision` is git's, with `+` where files were changed since; `memory_gib` is the machine's.
    """

    date: str
    revision: str
    cores: int
    processor: str
    memory_gib: float
    system: str
    python: str
    packages: dict[str, str]
    load: float
    audio: list[str]
    arguments: list[str]

    @classmethod
    def here(cls, audio: list[str], arguments: list[str]) -> "About":
        """Of this machine, now."""
        return cls(
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            revision=revision(),
            cores=len(psutil.Process().cpu_affinity() or ()) or os.cpu_count() or 1,
            processor=processor(),
            memory_gib=psutil.virtual_memory().total / 2**30,
            system=f"{platform.system()} {platform.release()}",
            python=f"{platform.python_implementation()} {platform.python_version()}",
            packages={name: version(name) for name in PACKAGES},
            load=psutil.getloadavg()[0],
            audio=audio,
            arguments=arguments,
        )

    def lines(self) -> list[str]:
        """For people."""
        return [
            f"{self.date}, revision {self.revision}, load average {self.load:.2f} at the start",
            f"{self.cores} cores of {self.processor}, {self.memory_gib:.0f} GiB, {self.system}, {self.python}",
        ]


def revision() -> str:
    """The short git revision of this repository; `none` where it is installed, or before its first commit."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return "none"

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603

    try:
        return git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "none"


def processor() -> str:
    """The processor's own name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
