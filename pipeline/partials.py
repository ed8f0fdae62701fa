"""Questions whose answers may be lost: what is not certain yet. Finals are never lost."""

import logging
from collections.abc import Awaitable
from typing import TypeVar

from dragoman.models.errors import ModelError, Overloaded, Superseded

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Partials:
    """One session's questions of that kind. What an engine fails in costs the answer, and one line in the log."""

    def __init__(self) -> None:
        self._told = False

    async def attempt(self, asking: Awaitable[T]) -> T | None:
        """What `asking` gives; None where an engine has no time for it or fails."""
        try:
            return await asking
        except (Overloaded, Superseded):
            return None
        except ModelError as error:
            if not self._told:
                self._told = True
                _log.warning("what is not certain yet may come late or not at all: %s", error)
            return None
