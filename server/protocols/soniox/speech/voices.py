"""Which voice a name stands for, and what there is to choose from.

Programs name voices of the vendor, which are not here, and whose names mean no language. Such a name is no error: the
default voice of the language speaks, of the gender that the name has where that is known.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dragoman.models.registry import Engines
from dragoman.server.failures import BadMessage, Fault, quoted
from dragoman.server.logs import OnceAMinute
from dragoman.server.protocols.soniox.languages import LANGUAGES
from dragoman.server.voicing import named, of_gender

log = logging.getLogger("dragoman.server.soniox")

GENDERS = {
    **dict.fromkeys(("maya", "nina", "emma", "claire", "grace", "mina", "bryce"), "female"),
    **dict.fromkeys(("daniel", "noah", "jack", "adrian", "owen", "kenji"), "male"),
}
"""Of voices that the vendor's packages and the plug-ins for it name."""
DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Choice:
    """Who speaks: a language by its code, and a voice's id; None: the engines' default."""

    language: str
    voice_id: str | None = None


class Voices(Protocol):
    """What an adapter must know of the engines before it opens a session."""

    def choose(self, name: str | None, language: str | None) -> Choice:
        """Who a name stands for. Raises BadMessage for a language that is none, NoVoice, NotReady."""
        ...


class EngineVoices:
    """Voices of the loaded engines."""

    def __init__(self, engines: Callable[[], Engines]) -> None:
        self._engines = engines
        self._say = OnceAMinute(log, logging.INFO)

    def choose(self, name: str | None, language: str | None) -> Choice:
        """As in Voices. A voice of ours that speaks another language stands for the language's default."""
        engines = self._engines()
        if language is None:
            ours = named(engines, name) if name is not None else None
            return Choice(ours.language, ours.voice_id) if ours is not None else self._default(engines, name, "en")
        code = language.partition("-")[0].lower()
        if code not in LANGUAGES and not any(voice.language == code for voice in engines.voices()):
            raise BadMessage(f"language '{quoted(language)}' is not a supported language code", Fault.SETUP)
        if name is not None and (ours := named(engines, name, code)) is not None:
            return Choice(code, ours.voice_id)
        return self._default(engines, name, code)

    def _default(self, engines: Engines, name: str | None, language: str) -> Choice:
        if name is None:
            engines.default_voice(language)
            return Choice(language)
        voice = of_gender(engines, language, GENDERS.get(name.lower(), ""))
        log.debug("voice '%s' is not here", quoted(name))
        # Without the name: there are as many of them as clients want.
        self._say(f"a voice that is not here was asked for: '{voice.voice_id}' speaks {language} instead")
        return Choice(language, voice.voice_id)
