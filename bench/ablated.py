"""A server whose `low` is another: `python -m bench.ablated '{"cadence_s": 1.0}'` serves as `dragoman serve` does.

For measuring what each part of the policy buys. A server for others has no such settings, because nobody could know
what they come to.
"""

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from dragoman.pipeline import latency
from dragoman.testing import RunningServer, reserved_port, stop, wait_until_ready

ABLATED = "low"


@contextmanager
def ablated_server(policy: Mapping[str, object], settings: Mapping[str, str]) -> Iterator[RunningServer]:
    """One on a free port until the block ends. `policy` changes fields of `low`, `settings` are DRAGOMAN_* variables.

    Raises ServerDidNotStart.
    """
    host = "127.0.0.1"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DRAGOMAN_")}
    with reserved_port(host) as port, TemporaryDirectory(prefix="dragoman-") as folder:
        own = {"DRAGOMAN_HOST": host, "DRAGOMAN_PORT": str(port), "DRAGOMAN_ENGINES__SET": "embedded"}
        log_path = Path(folder) / "server.log"
        with log_path.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "bench.ablated", json.dumps(dict(policy))],
                cwd=Path(__file__).resolve().parents[1],
                env={**kept, **own, **settings},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            server = RunningServer(host, port, process, log_path)
            wait_until_ready(server)
            yield server
        finally:
            stop(process)


def change(policy: Mapping[str, object]) -> None:
    """Change fields of `low` in this process. Raises TypeError for a field that a policy does not have."""
    changed = replace(latency.POLICIES[ABLATED], **policy)  # type: ignore[arg-type]
    latency.POLICIES = MappingProxyType({**latency.POLICIES, ABLATED: changed})


if __name__ == "__main__":
    change(json.loads(sys.argv[1]))
    sys.argv = ["dragoman", "serve"]
    # Only now: whoever imports the policies keeps what it found.
    runpy.run_module("dragoman", run_name="__main__")
