"""A child process that does what it is told: answers, dies, hangs, prints, refuses. Arguments: a folder for its marks,
and how it is to fail at its start, if so; "3 times …" the first times only."""

import importlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from dragoman.models.processes.serving import Handler, serve


def _fail(how: str) -> None:
    if how == "refuse":
        raise ValueError("no such library")
    if how == "silent refusal":
        raise MemoryError
    if how == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "abort":
        os.abort()
    if how == "exit":
        os._exit(0)
    while how == "hang":
        time.sleep(60)


def _prepare() -> Handler:
    marks, at_start = Path(sys.argv[1]), sys.argv[2]
    if at_start.startswith("3 times "):
        starts = len(list(marks.iterdir()))
        (marks / f"start {starts}").touch()
        at_start = at_start.removeprefix("3 times ") if starts < 3 else ""
    _fail(at_start)

    def answer(question: Any) -> bytes:
        what, text = question
        if what == "say":
            return str(text).upper().encode("utf-8", "surrogatepass")
        if what == "print":
            sys.stdout.write(text)
        elif what == "who":
            return str(os.getpid()).encode()
        elif what == "limits":
            import resource

            group = os.getpgid(0) == os.getsid(0) == os.getpid()
            return f"{resource.getrlimit(resource.RLIMIT_CORE)[0]} {group}".encode()
        elif what == "import":
            return str(importlib.import_module(text).__file__).encode()
        elif what == "mangle":
            os.write(3, b"\xff" * 9)
        elif what.startswith("once "):
            mark = marks / text
            if not mark.exists():
                mark.touch()
                _fail(what.removeprefix("once "))
        else:
            _fail(what)
        return b"done"

    return answer


def main() -> None:
    serve(_prepare)
