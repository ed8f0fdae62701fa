"""Runs jobs with the vendors' real packages in a child process that is killed when it hangs.

Some faults of a server freeze a client for good, event loop and time-outs included; a test in the same process would
freeze with it. A job is the name of a function or coroutine of a module, and its arguments; what it gives comes back
pickled. `each` is a job of every module.
"""

import asyncio
import base64
import contextlib
import importlib
import inspect
import pickle
import subprocess
import sys
from typing import Any

from tests.waiting import PATIENCE_S


class ClientFroze(AssertionError):
    """The client did not come back in time and was killed."""


class Raised:
    """What a job raised: the exception's type and text."""

    def __init__(self, kind: str, text: str) -> None:
        self.kind = kind
        self.text = text

    def __repr__(self) -> str:
        return f"Raised({self.kind}: {self.text})"

    @classmethod
    def of(cls, error: Exception) -> "Raised":
        """What is told of an exception, with its cause if it has one."""
        cause = f" ({error.__cause__})" if error.__cause__ is not None else ""
        return cls(type(error).__name__, f"{error}{cause}")


def run_job(module: str, job: str, patience_s: float = PATIENCE_S, **arguments: Any) -> Any:
    """Run one job of a module in a child; its exception comes back as a `Raised`. Raises ClientFroze."""
    order = base64.b64encode(pickle.dumps((module, job, arguments)))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tests.sdk.child"],
            input=order,
            capture_output=True,
            timeout=patience_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ClientFroze(f"{job} did not end in {patience_s} s") from error
    assert done.returncode == 0, done.stderr.decode()
    return pickle.loads(base64.b64decode(done.stdout))


async def guarded(module: str, job: str, arguments: dict[str, Any]) -> Any:
    """What a job gives or raises. One that is no coroutine has a thread of its own: it may run an event loop."""
    if job == "each":
        return [await guarded(module, *one) for one in arguments["jobs"]]
    function = getattr(importlib.import_module(module), job)
    try:
        if inspect.iscoroutinefunction(function):
            return await function(**arguments)
        return await asyncio.to_thread(function, **arguments)
    except Exception as error:  # noqa: BLE001
        return Raised.of(error)


def _main() -> None:
    # The classes of a module run as `__main__` have no importable name; the result must be readable on the other side.
    from tests.sdk import child  # noqa: PLW0406

    module, job, arguments = pickle.loads(base64.b64decode(sys.stdin.buffer.read()))
    with contextlib.redirect_stdout(sys.stderr):
        result = asyncio.run(child.guarded(module, job, arguments))
    sys.stdout.buffer.write(base64.b64encode(pickle.dumps(result)))


if __name__ == "__main__":
    _main()
