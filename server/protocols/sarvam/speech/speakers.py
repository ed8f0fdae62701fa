"""Which voice a speaker's name stands for. The vendor's names are not ours, and there are hundreds of them.

So a name counts where it is one of a voice of that language here, or an alias that the operator gave it
(`voices.aliases`). Any other means the language's default voice, unless the operator wants it refused.
"""

import logging
from collections.abc import Callable
from typing import Protocol

from dragoman.models.errors import RouteError
from dragoman.models.plan import TargetWish
from dragoman.models.registry import Engines
from dragoman.server.failures import BadMessage, Fault, quoted

log = logging.getLogger("dragoman.server.sarvam")


class Speakers(Protocol):
    """What an adapter must know of the voices. May raise NotReady."""

    def voice(self, name: str, language: str) -> str | None:
        """The voice of that name in a language; None: its default one. Raises BadMessage."""
        ...


class EngineSpeakers:
    """Speakers of the loaded engines. `strict`: an unknown name is refused."""

    def __init__(self, engines: Callable[[], Engines], *, strict: bool) -> None:
        self._engines = engines
        self._strict = strict

    def voice(self, name: str, language: str) -> str | None:
        """As in Speakers."""
        engines = self._engines()
        if not name:
            return None
        try:
            engines.plan(targets=(TargetWish(language, voice_id=name),), hears=False)
        except RouteError as error:
            text = f"speaker '{quoted(name)}' is no voice for '{language}' here"
            if self._strict:
                raise BadMessage(text, Fault.SETUP) from error
            log.info("%s; its default voice is used", text)
            return None
        return name
