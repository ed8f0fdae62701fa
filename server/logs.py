"""Logging: one line an event, as text or JSON, with the id of the session that it belongs to.

No audio, no key and, unless the operator asks for it, no transcript is ever logged.
"""

import logging
import sys
from contextvars import ContextVar

from pythonjsonlogger.json import JsonFormatter

from dragoman.config.settings import Settings

session_id: ContextVar[str] = ContextVar("session_id", default="")
"""The session whose task is running; empty outside of sessions."""


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
    logging.getLogger("uvicorn.access").setLevel("WARNING")


class _TextFormatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        # A message may quote a client; its line breaks must not look like lines of ours.
        return super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        found = getattr(record, "session_id", "")
        return f"{line} [session {found}]" if found else line
