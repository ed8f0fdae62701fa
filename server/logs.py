"""Logging: one line an event, as text or JSON, with the id of the session that it belongs to.

No audio, no key and, unless the operator asks for it, no transcript is ever logged.
"""

import asyncio
import logging
import re
import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from dragoman.config.settings import Settings

session_id: ContextVar[str] = ContextVar("session_id", default="")
"""The session whose task is running; empty outside of sessions."""

MINUTE_S = 60.0

_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e0fff]"
)
"""What moves a cursor, breaks a line or hides what stands there. Not the two joiners that scripts are written with."""


class _SessionFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.session_id = session_id.get()
        return True


def configure_logging(settings: Settings) -> None:
    """Send everything to standard error in the form that the settings name."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_SessionFilter())
    if settings.log_format == "json":
        names = {"asctime": "time", "levelname": "level", "name": "logger"}
        form = "%(asctime)s %(levelname)s %(name)s %(message)s %(session_id)s"
        handler.setFormatter(JsonFormatter(form, rename_fields=names))
    else:
        handler.setFormatter(_TextFormatter("%(asctime)s %(levelname)-7s %(name)s %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for noisy in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(noisy)
        logger.handlers[:] = []
        logger.propagate = True
    # Uvicorn logs the query string of every socket, and tokens travel there.
    logging.getLogger("uvicorn.error").setLevel("WARNING")
    logging.getLogger("uvicorn.error").filters[:] = [_NotOfClients()]
    logging.getLogger("uvicorn.access").setLevel("WARNING")
    # It warns of every form that a client got wrong; the client is told.
    logging.getLogger("python_multipart").setLevel("ERROR")


def escaped(text: str) -> str:
    """A line in which what a client sent can only be read: control characters and their like as `\\x1b`."""
    return _INVISIBLE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


class OnceAMinute:
    """Says what happens again and again: the first time at once, then once a minute how often it has happened since."""

    def __init__(
        self, logger: logging.Logger, level: int, later: Callable[[float, Callable[[], None]], object] | None = None
    ) -> None:
        self._logger = logger
        self._level = level
        self._later = later or (lambda delay_s, then: asyncio.get_running_loop().call_later(delay_s, then))
        self._more: dict[str, int] = {}

    def __call__(self, text: str) -> None:
        """It has happened."""
        if text in self._more:
            self._more[text] += 1
        else:
            self._logger.log(self._level, "%s", text)
            self._count(text)

    def _count(self, text: str) -> None:
        self._more[text] = 0
        self._later(MINUTE_S, lambda: self._sum_up(text))

    def _sum_up(self, text: str) -> None:
        if more := self._more.pop(text):
            self._logger.log(self._level, "%s; %d more in the last minute", text, more)
            self._count(text)


class _NotOfClients(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        # No fault of ours, and what such a client was told is logged by server/http.py.
        return record.msg != "Invalid HTTP request received."


class _TextFormatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        # A message may quote a client; its line breaks must not look like lines of ours.
        return escaped(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        # So may an exception: no line of it begins like one of the log.
        return "\n".join("  " + escaped(line) for line in super().formatException(ei).split("\n"))

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        found = getattr(record, "session_id", "")
        return f"{line} [session {found}]" if found else line
