"""Which voices there are to choose from, for adapters whose clients name voices that are not ours."""

from dragoman.models.base import Voice
from dragoman.models.errors import UnknownVoice
from dragoman.models.registry import Engines


def spoken(engines: Engines, voice: Voice) -> bool:
    """Whether an engine that is installed speaks with this voice; it may be one speaker of a voice of many."""
    return any(_same_model(voice, one) for one in engines.voices())


def named(engines: Engines, name: str, language: str | None = None) -> Voice | None:
    """The voice with this id or alias, if it can be spoken (in `language`, where one is given)."""
    try:
        voice = engines.catalogue.get(name)
    except UnknownVoice:
        return None
    return voice if language in (None, voice.language) and spoken(engines, voice) else None


def of_gender(engines: Engines, language: str, gender: str) -> Voice:
    """The first voice of a gender of the engine that speaks a language by default, else its default. Raises NoVoice."""
    default = engines.default_voice(language)
    if default.gender == gender:
        return default
    others = (
        voice
        for voice in engines.voices()
        if (voice.language, voice.engine, voice.gender) == (language, default.engine, gender)
    )
    return next(others, default)


def _same_model(one: Voice, two: Voice) -> bool:
    """Whether two voices come from the same model; those of many speakers are `NAME#SPEAKER`."""
    return (one.engine, one.engine_voice.partition("#")[0]) == (two.engine, two.engine_voice.partition("#")[0])
