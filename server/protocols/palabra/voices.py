"""Which voice an id of the wire stands for, and what else adapters need to know about the engines.

Adapters do not see engines; they are given an `Abilities`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dragoman.models.errors import NoVoice, UnknownVoice
from dragoman.models.registry import Engines
from dragoman.server.failures import quoted
from dragoman.server.protocols.palabra.fields import DEFAULT_HIGH, DEFAULT_LOW
from dragoman.server.voicing import of_gender, spoken

_GENDERS = {DEFAULT_LOW: "male", DEFAULT_HIGH: "female"}


@dataclass(frozen=True, slots=True)
class Choice:
    """A voice's id, None for the engines' default; `complaint` says why it is not the one that was asked for."""

    voice_id: str | None
    complaint: str | None = None


class Abilities(Protocol):
    """What the engines can do, as far as an adapter must know before it opens a session. May raise NotReady."""

    def voice(self, voice_id: str, language: str) -> Choice:
        """The voice that an id stands for in a language; a default one where it stands for none."""
        ...

    def translates(self, source: str, target: str) -> bool:
        """Whether text can be translated."""
        ...


class EngineAbilities:
    """Abilities of the loaded engines."""

    def __init__(self, engines: Callable[[], Engines]) -> None:
        self._engines = engines

    def voice(self, voice_id: str, language: str) -> Choice:
        """As in Abilities. `default_low` is the first male voice of the default voice's engine, `_high` female."""
        engines = self._engines()
        if (gender := _GENDERS.get(voice_id)) is not None:
            return Choice(_default(engines, language, gender))
        shown = quoted(voice_id)
        try:
            voice = engines.catalogue.get(voice_id)
        except UnknownVoice:
            return self._instead(engines, language, f"voice '{shown}' does not exist")
        if voice.language != language:
            return self._instead(engines, language, f"voice '{shown}' speaks '{voice.language}', not '{language}'")
        if not spoken(engines, voice):
            return self._instead(engines, language, f"the engine of voice '{shown}' is not installed")
        return Choice(voice_id)

    def translates(self, source: str, target: str) -> bool:
        """As in Abilities."""
        return self._engines().translates(source, target)

    def _instead(self, engines: Engines, language: str, complaint: str) -> Choice:
        return Choice(_default(engines, language, _GENDERS[DEFAULT_LOW]), f"{complaint}; a default voice is used")


def _default(engines: Engines, language: str, gender: str) -> str | None:
    """The default voice of a gender."""
    try:
        return of_gender(engines, language, gender).voice_id
    except NoVoice:
        return None  # opening the session says so
