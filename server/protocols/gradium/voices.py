"""Who speaks on `speech/tts`, where the voice decides on the language. Adapters do not see engines, only this."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dragoman.models.base import Voice
from dragoman.models.errors import UnknownVoice
from dragoman.models.registry import Engines
from dragoman.server.failures import quoted

log = logging.getLogger("dragoman.server.gradium")

DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Speaker:
    """A voice by its id, None for the default one, and the language that is spoken."""

    voice_id: str | None
    language: str


class Voices(Protocol):
    """The voices that there are."""

    def speaker(self, name: str | None, language: str | None) -> Speaker:
        """Who speaks for the id, alias or name of a voice; `language` is where nobody is meant by it.

        May raise NotReady, and UnknownVoice where the operator wants it so.
        """
        ...


class EngineVoices:
    """Voices of the loaded engines. Not `strict`: the default voice speaks for one that nobody knows."""

    def __init__(self, engines: Callable[[], Engines], *, strict: bool) -> None:
        self._engines = engines
        self._strict = strict

    def speaker(self, name: str | None, language: str | None) -> Speaker:
        """As in Voices."""
        default = Speaker(None, language or DEFAULT_LANGUAGE)
        if name is None:
            return default
        try:
            voice = self._find(name)
        except UnknownVoice:
            if self._strict:
                raise
            log.warning("voice '%s' does not exist; the default voice speaks", quoted(name))
            return default
        return Speaker(voice.voice_id, voice.language)

    def _find(self, name: str) -> Voice:
        engines = self._engines()
        try:
            return engines.catalogue.get(name)
        except UnknownVoice:
            found = next((voice for voice in engines.voices() if voice.name == name), None)
            if found is None:
                raise
            return found
