"""Where `dragoman` begins: from here on, before seconds of imports, a signal ends `dragoman serve` as it does later."""

import os
import signal
import sys


def main() -> None:
    """Run the command line."""
    if sys.argv[1:2] == ["serve"]:
        _leave_on_signals()
    from dragoman.cli.main import app

    app()


def _leave_on_signals() -> None:
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # What is ignored, as by `nohup`, stays so.
        if signal.getsignal(name) is not signal.SIG_IGN:
            signal.signal(name, lambda *_: _leave())


def _leave() -> None:
    # Nothing has begun that would have to end; an exception in the middle of an import would be told as a fault.
    os._exit(0)
